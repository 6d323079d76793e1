"""What of a file goes with which request: a file that comes whole is one piece."""

from __future__ import annotations

from dataclasses import dataclass

from parlance._errors import UploadFailed
from parlance._generated.models import SignedRequest, Upload


@dataclass(frozen=True)
class Piece:
    """Bytes `start` to `start + size_bytes`; without a request they are there already."""

    place: int
    start: int
    size_bytes: int
    request: SignedRequest | None


def pieces_of(ticket: Upload) -> list[Piece]:
    """In order; raises `UploadFailed` when the server gave no URL for what it has not got."""
    if ticket.parts is None:
        return [Piece(0, 0, ticket.size_bytes, _request(ticket.status, ticket.upload))]
    return [
        Piece(place, part.start, part.size_bytes, _request(part.status, part.upload))
        for place, part in enumerate(ticket.parts)
    ]


def _request(status: str, signed: SignedRequest | None) -> SignedRequest | None:
    if status != "pending":
        return None
    if signed is None:
        raise UploadFailed("The server gave no URL for the upload.")
    return signed
