"""When to restart and how long to wait: values in, values out."""

from collections.abc import Sequence

CRASH_LIMIT = 5
CRASH_WINDOW_S = 30.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0  # the kill harness expects every service back within a few seconds


def gives_up(crashes_at_s: Sequence[float], *, now_s: float) -> bool:
    """Tell whether a service crashed too often lately to be started again.

    >>> gives_up([0, 1, 2, 3], now_s=3), gives_up([0, 1, 2, 3, 4], now_s=4)
    (False, True)
    >>> gives_up([0, 10, 20, 30, 40], now_s=40)
    False
    """
    return sum(now_s - at_s <= CRASH_WINDOW_S for at_s in crashes_at_s) >= CRASH_LIMIT


def pause_before_restart_s(crashes_at_s: Sequence[float], *, now_s: float) -> float:
    """Return the back-off in seconds: doubled for each crash of the last half minute.

    >>> [pause_before_restart_s([0.0] * n, now_s=1) for n in (1, 2, 3, 9)]
    [0.1, 0.2, 0.4, 2.0]
    """
    recent = sum(now_s - at_s <= CRASH_WINDOW_S for at_s in crashes_at_s)
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** max(0, recent - 1))


def share_s(remaining_s: float, *, graces_s: Sequence[float]) -> float:
    """Return the first service's part of the remaining seconds; what it does not use goes to the later ones.

    >>> share_s(4.0, graces_s=[5, 30, 10, 5, 30])
    0.25
    >>> share_s(1.0, graces_s=[30])
    1.0
    """
    total_s = sum(graces_s)
    return max(0.0, remaining_s) * (graces_s[0] / total_s if total_s else 0.0)
