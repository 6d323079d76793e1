"""AssemblyAI's engine: audio is uploaded, a transcript is ordered, and asked for until it is there."""

from speech.engines.assemblyai.engine import AssemblyAi

__all__ = ["AssemblyAi"]
