"""What a file looks like that is no audio, in words for its sender; by its first bytes only."""

from typing import Final

ARCHIVE, IMAGE, DOCUMENT, PROGRAM = "archive", "image", "document", "program"
TEXT_BYTES: Final = 1024

# first bytes, what that is; "MZ" and "BM" are short, but no audio format that is accepted begins with them
SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF-", f"a PDF {DOCUMENT}"),
    (b"%!PS", f"a PostScript {DOCUMENT}"),
    (b"{\\rtf", f"an RTF {DOCUMENT}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", f"an Office {DOCUMENT}"),
    (b"PK\x03\x04", f"a ZIP {ARCHIVE} or an Office {DOCUMENT}"),
    (b"PK\x05\x06", f"a ZIP {ARCHIVE}"),
    (b"PK\x07\x08", f"a ZIP {ARCHIVE}"),
    (b"\x1f\x8b", f"a gzip {ARCHIVE}"),
    (b"BZh", f"a bzip2 {ARCHIVE}"),
    (b"\xfd7zXZ\x00", f"an xz {ARCHIVE}"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7-Zip {ARCHIVE}"),
    (b"Rar!\x1a\x07", f"a RAR {ARCHIVE}"),
    (b"\x28\xb5\x2f\xfd", f"a Zstandard {ARCHIVE}"),
    (b"\x04\x22\x4d\x18", f"an LZ4 {ARCHIVE}"),
    (b"\x89PNG", f"a PNG {IMAGE}"),
    (b"\xff\xd8\xff", f"a JPEG {IMAGE}"),
    (b"GIF8", f"a GIF {IMAGE}"),
    (b"BM", f"a BMP {IMAGE}"),
    (b"II*\x00", f"a TIFF {IMAGE}"),
    (b"MM\x00*", f"a TIFF {IMAGE}"),
    (b"8BPS", f"a Photoshop {IMAGE}"),
    (b"\x00\x00\x01\x00", f"an icon {IMAGE}"),
    (b"\x7fELF", f"a {PROGRAM}"),
    (b"MZ", f"a {PROGRAM}"),
)
IMAGE_BRANDS: Final = {
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"mif1": "HEIF",
    b"msf1": "HEIF",
    b"avif": "AVIF",
    b"avis": "AVIF",
}


def binary_kind(head: bytes) -> str | None:
    """What the first bytes mark, None when they mark nothing that is known to be no audio.

    >>> binary_kind(b"%PDF-1.7"), binary_kind(b"fLaC")
    ('a PDF document', None)
    """
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[4:8] == b"ftyp" and head[8:12] in IMAGE_BRANDS:
        return f"a {IMAGE_BRANDS[head[8:12]]} {IMAGE}"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return f"a WebP {IMAGE}"
    return None


def text_kind(head: bytes) -> str | None:
    """Which text this is, None when it is none; ask only about what no audio format claims.

    >>> text_kind(b"<!DOCTYPE html>"), text_kind(b'{"audio": "..."}'), text_kind(b"Hello")
    ('a web page (HTML text)', 'JSON text', 'text')
    """
    if not is_text(head):
        return None
    start = folded_text(head)
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "a web page (HTML text)"
    if start.startswith((b"<?xml", b"<svg")):
        return "XML text"
    return "JSON text" if start.startswith((b"{", b"[")) else "text"


def folded_text(head: bytes) -> bytes:
    """Lower-case first bytes without byte order mark, NULs of UTF-16 and leading blanks."""
    start = head[:4096].removeprefix(b"\xef\xbb\xbf")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        start = start[2:].replace(b"\x00", b"")
    return start.lstrip(b" \t\r\n\x00").lower()


def is_text(head: bytes) -> bool:
    """Whether the first bytes are readable characters."""
    sample = head[:TEXT_BYTES]
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return sample[3:4] == b"\x00" or sample[2:3] == b"\x00"
    printable = sum(byte >= 0x20 or byte in b"\t\r\n" for byte in sample)
    return printable > 0.97 * len(sample) and b"\x00" not in sample
