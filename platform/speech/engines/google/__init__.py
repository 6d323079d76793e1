"""Google Cloud Speech-to-Text v2's engine: a service account's token, and one call for each minute of audio."""

from speech.engines.google.engine import Google

__all__ = ["Google"]
