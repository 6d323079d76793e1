"""HTTP ranges and file names in headers: pure decisions."""

from __future__ import annotations

import re
from urllib.parse import quote

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class RangeUnsatisfiable(Exception):
    """The range starts past the end."""


def parse_range(header: str | None, *, size_bytes: int) -> tuple[int, int] | None:
    """Returns start and end (exclusive) of a single range, or None to send everything (RFC 9110 §14.2).

    >>> parse_range("bytes=0-99", size_bytes=1000), parse_range("bytes=-100", size_bytes=1000)
    ((0, 100), (900, 1000))
    >>> parse_range("bytes=990-5000", size_bytes=1000), parse_range("bytes=0-1,5-9", size_bytes=1000)
    ((990, 1000), None)
    >>> parse_range("bytes=1000-", size_bytes=1000)
    Traceback (most recent call last):
    storage.ranges.RangeUnsatisfiable
    """
    match = _RANGE.fullmatch(header or "")
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        start, end = max(size_bytes - int(last), 0), size_bytes
    else:
        start, end = int(first), size_bytes if last == "" else min(int(last) + 1, size_bytes)
        if last != "" and int(last) < start:
            return None
    if start >= size_bytes:
        raise RangeUnsatisfiable
    return start, end


def attachment(filename: str) -> str:
    """Returns a Content-Disposition that saves under a name (RFC 6266), with an ASCII form for old readers.

    >>> print(attachment('회의 1.txt'))
    attachment; filename="__ 1.txt"; filename*=UTF-8''%ED%9A%8C%EC%9D%98%201.txt
    """
    name = re.sub(r"[\x00-\x1f\x7f/\\]", "_", filename)
    plain = re.sub(r'[^ -~]|["%]', "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
