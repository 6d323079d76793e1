"""When to restart and how long to wait: values in, values out."""

from collections.abc import Sequence

CRASH_LIMIT = 5
CRASH_WINDOW_S = 30.0
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0  # the kill harness expects every service back within a few seconds
RESERVE_S = 0.4  # PostgreSQL and Redis write everything and end in less


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
    """Return how long the first service may take of the remaining seconds; what it leaves goes to the later ones.

    Everyone keeps a small reserve and the first one gets half of the rest, because most services stop at once.

    >>> round(share_s(3.5, graces_s=[5, 30, 10, 5, 30]), 2), share_s(3.0, graces_s=[30])
    (1.15, 3.0)
    >>> share_s(3.0, graces_s=[0.3, 30]), share_s(-1.0, graces_s=[5, 5])
    (0.3, 0.0)
    """
    left_s = max(0.0, remaining_s)
    reserve_s = min(RESERVE_S, left_s / len(graces_s))
    spare_s = left_s - reserve_s * len(graces_s)
    return min(graces_s[0], reserve_s + (spare_s / 2 if len(graces_s) > 1 else spare_s))
