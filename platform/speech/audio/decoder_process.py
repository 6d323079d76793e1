"""The decoder's child process: `python -m speech.audio.decoder_process`, started by a Sandbox."""

from speech.audio import sandbox_child


def load() -> sandbox_child.Handler:
    """The handler; PyAV is loaded here, after the limits are in force."""
    from speech.audio.decode import handle

    return handle


if __name__ == "__main__":
    sandbox_child.serve(load)
