"""How an upload stands: what has arrived of it, and which requests bring the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from speech.models import Upload
from speech.parts import sizes_of
from storage.facade import SignedRequest, store


@dataclass(frozen=True, slots=True)
class PartState:
    """One part of an upload: whether it is here, and with which request it may be sent."""

    number: int
    start: int
    size_bytes: int
    has_arrived: bool
    ticket: SignedRequest | None = None


@dataclass(frozen=True, slots=True)
class UploadState:
    """An upload as it stands; `parts` is None for a file that comes whole."""

    row: Upload
    status: str
    ticket: SignedRequest | None = None
    parts: list[PartState] | None = None


def state_of(row: Upload) -> UploadState:
    """What has arrived."""
    status = status_of(row)
    if row.part_bytes is None:
        return UploadState(row, status)
    arrived = arrived_parts(row) if status == "pending" else None
    return UploadState(row, status, parts=_parts(row, arrived=arrived))


def status_of(row: Upload) -> str:
    """`pending`, `completed`, `used` or `expired`."""
    if row.used_at is not None:
        return "used"
    if row.expires_at <= datetime.now(UTC):
        return "expired"
    if row.part_bytes:
        return "completed" if row.completed_at else "pending"
    return "completed" if store().stat(row.object_key) else "pending"


def arrived_parts(row: Upload) -> set[int]:
    """The numbers of the parts that are here whole."""
    sizes = sizes_of(row.size_bytes, row.part_bytes)
    found = store().list_parts(row.object_key, parts_id=row.parts_id)
    return {part.number for part in found if part.number <= len(sizes) and part.size_bytes == sizes[part.number - 1]}


def _parts(row: Upload, *, arrived: Iterable[int] | None) -> list[PartState]:
    """`arrived=None`: all of them."""
    step, here = row.part_bytes or row.size_bytes, None if arrived is None else set(arrived)
    return [
        PartState(number, (number - 1) * step, size, here is None or number in here)
        for number, size in enumerate(sizes_of(row.size_bytes, row.part_bytes), start=1)
    ]


def with_tickets(row: Upload, *, arrived: Iterable[int] = ()) -> UploadState:
    """An upload to which something is still to be sent, with the requests for it."""
    expires_s = max(1, int((row.expires_at - datetime.now(UTC)).total_seconds()))
    if row.part_bytes is None:
        ticket = store().presign_put(
            row.object_key, size_bytes=row.size_bytes, content_type=row.content_type, sha256_hex=row.sha256 or None,
            expires_s=expires_s,
        )  # fmt: skip
        return UploadState(row, "pending", ticket=ticket)
    parts = [part if part.has_arrived else _signed(row, part, expires_s) for part in _parts(row, arrived=arrived)]
    return UploadState(row, "pending", parts=parts)


def _signed(row: Upload, part: PartState, expires_s: int) -> PartState:
    ticket = store().presign_part(
        row.object_key, parts_id=row.parts_id, number=part.number, size_bytes=part.size_bytes, expires_s=expires_s
    )
    return replace(part, ticket=ticket)
