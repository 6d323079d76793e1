"""How a worker or the scheduler tells the supervisor that it is ready."""

import os

READY_FD = "PARLANCE_READY_FD"
READY_LINE = b"ready\n"


def announce_ready() -> None:
    """Tell the supervisor, once, that this process takes work; does nothing when nobody asked."""
    number = os.environ.pop(READY_FD, "")
    if not number.isdigit():
        return
    try:
        os.write(int(number), READY_LINE)
        os.close(int(number))
    except OSError:
        # The supervisor is gone: there is nobody left to tell.
        return
