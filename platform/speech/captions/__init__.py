"""Captions and plain text from a canonical transcript, the same for every engine."""

from speech.captions.render import CaptionFormat, render

__all__ = ["CaptionFormat", "render"]
