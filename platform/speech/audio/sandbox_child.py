"""The child's side of a sandbox: give up rights first, then load the handler, then answer requests."""

import fcntl
import gc
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

from speech.audio.confine import forbid_network_and_programs
from speech.audio.frames import HEADER_BYTES, body_size, pack

F_SETSIG = 10  # Linux; the fcntl module of 3.11 does not name it

Handler = Callable[[dict[str, Any]], dict[str, Any]]


def serve(load: Callable[[], Handler]) -> None:
    """Answer framed JSON requests from standard input until it closes; `load` runs under all limits."""
    settings = json.loads(sys.argv[1])
    _die_with_the_parent(settings["lifeline_fd"])
    replies = _take_standard_output()
    _limit(settings)
    forbid_network_and_programs()
    handler = load()
    gc.freeze()
    _send(replies, {"ok": {"pid": os.getpid()}})
    for request in _requests(sys.stdin.buffer):
        _allow_cpu(settings["cpu_s"])
        _send(replies, _answer(handler, request=request))


def _die_with_the_parent(lifeline_fd: int) -> None:
    # PR_SET_PDEATHSIG alone would fire when the *thread* that started us ends, which in a thread pool is not
    # the parent's death. So the kernel watches a pipe instead: when its last writer is gone we are killed,
    # also in the middle of native code.
    if sys.platform != "linux":
        return  # there the closed standard input ends us after the job
    fcntl.fcntl(lifeline_fd, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline_fd, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline_fd, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    if _is_closed(lifeline_fd):  # the parent was gone before we listened
        os._exit(1)


def _is_closed(fd: int) -> bool:
    try:
        return os.read(fd, 1) == b""
    except BlockingIOError:
        return False


def _take_standard_output() -> IO[bytes]:
    """Our private reply pipe; what native libraries print to descriptor 1 goes nowhere."""
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
    return replies


def _limit(settings: dict[str, Any]) -> None:
    for what, value in (
        (resource.RLIMIT_AS, settings["address_space_bytes"]),
        (resource.RLIMIT_FSIZE, settings["file_size_bytes"]),
        (resource.RLIMIT_NOFILE, settings["open_files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        _lower(what, value)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails with EFBIG, which the handler can report


def _lower(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)  # an ordinary user cannot raise what the system has set
    try:
        resource.setrlimit(what, (value, value))
    except (OSError, ValueError):
        if sys.platform == "linux":  # elsewhere some limits do not exist
            raise


def _allow_cpu(cpu_s: int) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed_s = int(usage.ru_utime + usage.ru_stime) + 1 + cpu_s
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (allowed_s if hard < 0 else min(allowed_s, hard), hard))


def _requests(pipe: IO[bytes]) -> Any:
    while len(header := pipe.read(HEADER_BYTES)) == HEADER_BYTES:
        yield json.loads(pipe.read(body_size(header)))


def _answer(handler: Handler, *, request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"ok": handler(request)}
    except Exception as error:  # the message may quote the customer's content: only the type leaves
        return {"failed": type(error).__name__}


def _send(pipe: IO[bytes], message: dict[str, Any]) -> None:
    data = memoryview(pack(message))
    while data:
        data = data[pipe.write(data) :]
