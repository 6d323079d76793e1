"""How many items of each executor this process runs at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase

# Their threads only wait for somebody else's machine, and are made when there is work. A provider that allows fewer
# calls at once says so with 429, which holds all workers back.
CLOUD_SLOTS = 128
# Callers of a Whisper pool only wait for its one thread: enough of them to fill its rows with short clips.
POOL_SLOTS = 16


def parse_slots(words: Sequence[str], *, executors: Sequence[str], cores: int | None = None) -> dict[str, int]:
    """`["media=2", "local:simulated=4"]` as numbers; without a word for it an executor gets a default by cores.

    >>> parse_slots(["media=3"], executors=["media", "local:pocketsphinx"], cores=2)
    {'media': 3, 'local:pocketsphinx': 2}
    >>> parse_slots([], executors=["cloud:polly:ap-northeast-2"], cores=2)
    {'cloud:polly:ap-northeast-2': 128}
    """
    default = max(2, min(8, cores or os.cpu_count() or 2))
    kinds = {"cloud": CLOUD_SLOTS, "pool": POOL_SLOTS}
    slots = {name: kinds.get(name.partition(":")[0], default) for name in executors}
    for word in words:
        name, _, count = word.rpartition("=")
        if name not in slots or not count.isdigit() or int(count) < 1:
            known = ", ".join(executors)
            raise ValueError(f"PARLANCE_SLOTS: {word!r} is not EXECUTOR=NUMBER. Executors here: {known}.")
        slots[name] = int(count)
    return slots


def chosen(executors: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """Those of the executors that this process is to serve.

    >>> chosen(["media", "cloud:polly:ap-northeast-2", "local:espeak"], ["media", "cloud:*"])
    ['media', 'cloud:polly:ap-northeast-2']
    """
    found = [name for name in executors if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if not found:
        raise SystemExit(f"PARLANCE_EXECUTORS chooses none of the executors here: {', '.join(executors)}.")
    return found


def is_pool(executor: str) -> bool:
    """Whether it is a Whisper pool's: that has a process of its own (`workers.pool`)."""
    return executor.startswith("pool:")
