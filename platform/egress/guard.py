"""The decisions that both network backends share: which numbers to dial, how long, and who answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from egress.addresses import parse_address
from egress.errors import ConnectFailed, UrlBlocked
from egress.policy import Policy

MAX_DIALS = 3  # of one name's addresses; more only help a sender who wants us to scan
CONNECT_TIMEOUT_S = 5.0  # when the caller sets none
WRITE_CHUNK_BYTES = 16_384  # the deadline is looked at between chunks; a receiver may drain them slowly

_dials = 0
_dials_lock = threading.Lock()


def connect_count() -> int:
    """Returns how many dials this process tried through egress; 0 proves that a run stayed local."""
    return _dials


def count_dial() -> None:
    """Counts one attempt, before it is made."""
    global _dials
    with _dials_lock:
        _dials += 1


def approve(policy: Policy, *, host: str, port: int, answers: Sequence[str]) -> list[str]:
    """Returns the numbers to dial; one forbidden answer blocks all, because the others are then a lure."""
    numbers = []
    for answer in answers:
        address = parse_address(answer)
        if address is None or not policy.permits(host, port=port, address=address):
            raise UrlBlocked("address")
        numbers.append(str(address))
    if not numbers:
        raise ConnectFailed
    return list(dict.fromkeys(numbers))[:MAX_DIALS]


def require_peer(peer: Any, *, number: str) -> None:
    """Raises `UrlBlocked` unless the socket's peer (address, port, ...) is the number that was dialled."""
    if peer is None or parse_address(str(peer[0])) != parse_address(number):
        raise UrlBlocked("address")


def share_s(ends_at: float, *, parts: int) -> float:
    """Splits the time left to connect, so that one dead address cannot use it all up."""
    return max((ends_at - time.monotonic()) / parts, 0.001)
