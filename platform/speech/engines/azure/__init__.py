"""Azure Speech's engine that hears: fast transcription, one call with a file, answered at once."""

from speech.engines.azure.engine import Azure

__all__ = ["Azure"]
