"""Text to speech: what is said, by which voice, in which form; the work itself goes through `speech.flow`."""
