"""OpenAI's engine that hears: one call with a file, answered at once; models differ in what they can do."""

from speech.engines.openai.engine import OpenAi

__all__ = ["OpenAi"]
