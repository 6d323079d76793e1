"""The message framing between a sandbox and its child: 4 bytes of big-endian size, then UTF-8 JSON."""

import json
import struct
from typing import Any

HEADER_BYTES = 4
MAX_MESSAGE_BYTES = 64 << 20  # a 12-hour transcript with word times is below 16 MB


def pack(message: dict[str, Any]) -> bytes:
    """The framed bytes of `message`.

    >>> pack({"a": 1})
    b'\\x00\\x00\\x00\\x07{"a":1}'
    """
    body = json.dumps(message, separators=(",", ":")).encode()
    return struct.pack(">I", len(body)) + body


def body_size(header: bytes) -> int:
    """The size in bytes that a header announces.

    >>> body_size(b"\\x00\\x00\\x00\\x07")
    7
    """
    size: int = struct.unpack(">I", header)[0]
    return size
