"""A sandbox program for the tests: it does what a hostile or broken child would do."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from speech.audio import sandbox_child


def _burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def _try(action: Any) -> str:
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return "worked"


def _libc_print() -> None:
    ctypes.CDLL(None).puts(b"noise from a native library")
    ctypes.CDLL(None).fflush(None)
    print("noise from python")  # noqa: T201
    sys.stdout.flush()


def _write(size_bytes: int) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(size_bytes))


def handle(request: dict[str, Any]) -> dict[str, Any]:
    match request["do"]:
        case "echo":
            return {"text": request["text"]}
        case "facts":
            return {
                "pid": os.getpid(),
                "environment": sorted(os.environ),
                "files": _open_files(),
                "leads_a_session": os.getsid(0) == os.getpid(),
                "dumpable_core": resource.getrlimit(resource.RLIMIT_CORE),
            }
        case "sleep":
            time.sleep(request["seconds"])
        case "burn":
            _burn(request["seconds"])
        case "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(7)
        case "memory":
            bytearray(request["size_bytes"])
        case "file":
            _write(request["size_bytes"])
        case "print":
            _libc_print()
        case "network":
            return {"socket": _try(socket.socket), "program": _try(lambda: subprocess.run(["/bin/true"], check=True))}
    return {"pid": os.getpid()}


def _open_files() -> list[str]:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [str(link.readlink()) for link in links if link.is_symlink()]


if __name__ == "__main__":
    sandbox_child.serve(lambda: handle)
