"""The encoders' processes of this one: each makes file after file, so that nobody waits for a process to start."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections import deque
from typing import IO, Final

from speech.audio.child import SOURCE_ROOT, clean_environment
from speech.audio.encoder_process import HEAD

MAX_IDLE: Final = 2  # kept for the next file; each holds about 50 MB
MAX_FILES: Final = 500  # a fresh process after so many, so that no leak lives long
ANSWER_S: Final = 30.0  # for the samples of one frame, which take some milliseconds


class EncodingFailed(Exception):
    """The encoder's process ended or hangs without a file."""


class EncoderProcess:
    """A running encoder, for one file at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "speech.audio.encoder_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=clean_environment(),
            cwd=SOURCE_ROOT,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self.files = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, data: bytes) -> None:
        """One frame; raises `EncodingFailed`."""
        view = memoryview(HEAD.pack(len(data)) + data)
        try:
            while view:
                view = view[os.write(self._requests.fileno(), view) :]
        except BrokenPipeError:
            raise EncodingFailed from None

    def ask(self, data: bytes) -> bytes:
        """The answer to a frame; raises `EncodingFailed`."""
        self.send(data)
        until = time.monotonic() + ANSWER_S
        [size] = HEAD.unpack(self._read(HEAD.size, until=until))
        return self._read(size, until=until)

    def is_alive(self) -> bool:
        """Whether it can be lent."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()

    def _read(self, size: int, *, until: float) -> bytes:
        parts, missing, waiting = [], size, select.poll()
        waiting.register(self._answers.fileno(), select.POLLIN)
        while missing:
            if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
                raise EncodingFailed
            part = os.read(self._answers.fileno(), missing)
            if not part:
                raise EncodingFailed
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


_idle: deque[EncoderProcess] = deque()


def take() -> EncoderProcess:
    """An encoder that waits, or a new one."""
    with contextlib.suppress(IndexError):
        while True:
            process = _idle.pop()
            if process.is_alive():
                return process
            process.close()
    return EncoderProcess()


def give_back(process: EncoderProcess) -> None:
    """Its file is finished: it may make the next one."""
    process.files += 1
    if len(_idle) >= MAX_IDLE or process.files >= MAX_FILES:
        process.close()
    else:
        _idle.append(process)


def close_encoders() -> None:
    """End those that wait."""
    while _idle:
        _idle.pop().close()
