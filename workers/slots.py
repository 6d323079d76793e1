"""How many items of each executor this process runs at once."""

from __future__ import annotations

import os
from collections.abc import Sequence

CLOUD_SLOTS = 16  # their threads wait for somebody else's machine; below what providers allow at once


def parse_slots(words: Sequence[str], *, executors: Sequence[str], cores: int | None = None) -> dict[str, int]:
    """`["media=2", "local:simulated=4"]` as numbers; without a word for it an executor gets a default by cores.

    >>> parse_slots(["media=3"], executors=["media", "local:pocketsphinx"], cores=2)
    {'media': 3, 'local:pocketsphinx': 2}
    >>> parse_slots([], executors=["cloud:polly:ap-northeast-2"], cores=2)
    {'cloud:polly:ap-northeast-2': 16}
    """
    default = max(2, min(8, cores or os.cpu_count() or 2))
    slots = {name: CLOUD_SLOTS if name.startswith("cloud:") else default for name in executors}
    for word in words:
        name, _, count = word.rpartition("=")
        if name not in slots or not count.isdigit() or int(count) < 1:
            known = ", ".join(executors)
            raise ValueError(f"PARLANCE_SLOTS: {word!r} is not EXECUTOR=NUMBER. Executors here: {known}.")
        slots[name] = int(count)
    return slots
