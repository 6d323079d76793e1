"""What can be wrong with a home or its machine. HomeError ← AlreadyRunning, PortTaken."""


class HomeError(Exception):
    """Something the user can put right; the message says how."""


class AlreadyRunning(HomeError):
    """Another `parlance up` holds the home."""


class PortTaken(HomeError):
    """The port that was asked for belongs to another program."""
