"""What the first bytes of an upload already tell, before anything is stored or queued.

The web process asks this: neither numpy nor av is loaded. It is never stricter than the decoder, who has the last word.
"""

from typing import Final

from speech.audio.errors import MediaError
from speech.audio.lookalikes import binary_kind, text_kind
from speech.audio.sniff import container_of, tag_bytes

HEAD_BYTES: Final = 4096  # three packets of a transport stream and every magic number are within 1 kB
FRAME_BYTES: Final = 4


def check_head(head: bytes, *, size_bytes: int) -> None:
    """Raise MediaError when a file of `size_bytes` that starts with `head` cannot be audio.

    `head` is the first HEAD_BYTES of the file, or all of a smaller one.

    >>> check_head(b"%PDF-1.7", size_bytes=90_000)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    speech.audio.errors.MediaError: media_not_audio: This looks like a PDF document, not audio. Send ...
    """
    if size_bytes > 0 and (tag_bytes(head) or _is_undecided(head, size_bytes=size_bytes)):
        return
    try:
        container_of(head if size_bytes else b"")
    except MediaError as error:
        if error.code == "media_unsupported" and (binary_kind(head) or text_kind(head)):
            raise MediaError("media_not_audio", error.detail) from None
        raise


def _is_undecided(head: bytes, *, size_bytes: int) -> bool:
    """MPEG frames may stand behind zero bytes, more than are here: the decoder looks further."""
    return len(head.lstrip(b"\x00")) < FRAME_BYTES and len(head) < size_bytes
