"""S3 and STS as moto_server, in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """Its endpoint while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait_for(endpoint, process=process)
        yield endpoint
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(endpoint: str, *, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        assert process.poll() is None
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5).close()
        except urllib.error.URLError:
            time.sleep(0.1)  # another process offers nothing to await
        else:
            return
    raise TimeoutError("moto_server did not start")
