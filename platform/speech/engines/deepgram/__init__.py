"""Deepgram's engine: one call with the audio, answered at once or brought to a callback."""

from speech.engines.deepgram.engine import Deepgram

__all__ = ["Deepgram"]
