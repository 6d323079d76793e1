"""A multipart/form-data body in its parts, for fakes of providers that take one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fakes.provider import Asked


@dataclass(frozen=True)
class Part:
    """One field; `filename` "" is a field that is no file."""

    name: str
    body: bytes
    filename: str = ""
    content_type: str = ""


def parts_of(asked: Asked) -> list[Part] | None:
    """The parts in their order; None when the body is no such form."""
    kind = re.fullmatch(r'multipart/form-data;\s*boundary="?([^";]+)"?', asked.headers.get("content-type", ""))
    if kind is None:
        return None
    mark = b"--" + kind[1].encode()
    pieces = (b"\r\n" + asked.body).split(b"\r\n" + mark)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        return None
    return [_part(piece.removeprefix(b"\r\n")) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, _, body = piece.partition(b"\r\n\r\n")
    named = re.search(rb'name="([^"]*)"', head)
    filename = re.search(rb'filename="([^"]*)"', head)
    kind = re.search(rb"(?i)content-type:\s*([^\r\n]+)", head)
    return Part(
        name=named[1].decode() if named else "",
        body=body,
        filename=filename[1].decode() if filename else "",
        content_type=kind[1].decode() if kind else "",
    )
