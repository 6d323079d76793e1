"""Where a recording comes from: a path, bytes, an open file or a URL."""

from __future__ import annotations

import hashlib
import io
import mimetypes
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from parlance._errors import UploadFailed

Source = str | os.PathLike[str] | bytes | BinaryIO
HASHED_BYTES = 1_048_576  # at a time
IN_MEMORY_BYTES = 8_000_000  # a stream that cannot be read twice is kept so far in memory, beyond in a file


def _nothing() -> None:
    """What closing something that needs no closing does."""


@dataclass(frozen=True)
class Recording:
    """Bytes that can be read as often as needed, from any place, so that a retry sends the same."""

    filename: str
    content_type: str
    size_bytes: int
    open: Callable[[int], BinaryIO]
    close: Callable[[], None] = _nothing

    def sha256(self) -> str:
        """Of all of it: the server compares, and knows the same file when it comes again."""
        digest, file = hashlib.sha256(), self.open(0)
        try:
            while chunk := file.read(HASHED_BYTES):
                digest.update(chunk)
        finally:
            file.close()
        return digest.hexdigest()


def is_url(source: Source) -> bool:
    """
    >>> is_url("https://example.com/a.wav"), is_url("a.wav"), is_url(b"https://")
    (True, False, False)
    """
    return isinstance(source, str) and source.lower().startswith(("https://", "http://"))


def recording_of(source: Source, *, filename: str | None = None) -> Recording:
    """Raises `UploadFailed` when there is nothing to read."""
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        return _recording(filename or "audio", len(data), lambda start: _at(io.BytesIO(data), start))
    if isinstance(source, str | os.PathLike):
        return _from_path(Path(source), filename)
    if not hasattr(source, "read"):
        raise UploadFailed(f"A {type(source).__name__} is no recording: give a path, bytes, an open file or a URL.")
    try:
        return _from_file(source, filename)
    except (OSError, ValueError) as error:  # closed, or open for writing
        raise UploadFailed(f"The recording cannot be read: {error}") from error


def _from_path(path: Path, filename: str | None) -> Recording:
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise UploadFailed(f"{path.name or path} is a folder: give each file of it.")
        if not stat.S_ISREG(about.st_mode):
            raise UploadFailed(f'{path.name} is no file: give open(path, "rb").')
        path.open("rb").close()
    except OSError as error:
        raise UploadFailed(f"The recording cannot be read: {error.strerror}: {path.name}") from error
    except ValueError as error:  # a NUL
        raise UploadFailed(
            "The recording cannot be read: this is no path. Is it the recording itself, as str?"
        ) from error
    return _recording(filename or path.name, about.st_size, lambda start: _at(path.open("rb"), start))


def _from_file(file: BinaryIO, filename: str | None) -> Recording:
    """From its present place on. A file that cannot be wound back is copied first."""
    named = filename or Path(str(getattr(file, "name", ""))).name or "audio"
    if not isinstance(file.read(0), bytes):
        raise UploadFailed(f'{named} is open as text: open(path, "rb").')
    close = _nothing
    if not file.seekable():
        copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  # lives as long as the recording
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        file, close = cast(BinaryIO, copy), copy.close
    begin = file.tell()
    size = file.seek(0, os.SEEK_END) - begin
    return _recording(named, size, lambda start: _rewound(file, begin + start), close)


def _recording(
    filename: str, size: int, opener: Callable[[int], BinaryIO], close: Callable[[], None] = _nothing
) -> Recording:
    if size == 0:
        raise UploadFailed(f"{filename} is empty, or was read to its end before.")
    guessed = mimetypes.guess_type(filename)[0] or ""
    kind = guessed if guessed.startswith(("audio/", "video/")) else "application/octet-stream"
    return Recording(filename[-255:], kind, size, opener, close)


def _at(file: BinaryIO, start: int) -> BinaryIO:
    file.seek(start)
    return file


def _rewound(file: BinaryIO, start: int) -> BinaryIO:
    file.seek(start)
    return cast(BinaryIO, _NotClosed(file))


class _NotClosed(io.RawIOBase):
    """Reads somebody else's file without closing it."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(size)


@dataclass(frozen=True)
class Progress:
    """How far a call is. `phase` is "uploading" (bytes) or "transcribing" (milliseconds of audio)."""

    phase: str
    done: int
    total: int

    @property
    def percent(self) -> int:
        """
        >>> Progress("uploading", 1, 3).percent
        33
        """
        return 100 * self.done // self.total if self.total else 0


ProgressCallback = Callable[[Progress], object]
