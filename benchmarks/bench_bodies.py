"""What the web process reads and keeps of bodies: of one with a bad key, and of an upload of 1 GB."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from benchmarks import common

GOAL = "bad key answered after <= 64 kB of the body; an upload of 1 GB grows RSS by <= 8 MB in each process"
MAX_READ_BYTES = 65_536
MAX_GROWTH_MB = 8.0
UPLOAD_BYTES = 1_000_000_000
PIECE_BYTES = 1_000_000
STEP = 4_096


def _bad_key(port: int) -> tuple[str, int]:
    """Sends a declared gigabyte piece by piece; the status line, and how much had been sent when it came."""
    head = "POST /v1/transcriptions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(
            f"{head}Content-Length: {UPLOAD_BYTES}\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\n".encode()
        )
        wire.settimeout(0.05)
        while sent <= 4 * MAX_READ_BYTES:
            try:
                return wire.recv(200).split(b"\r\n")[0].decode(), sent
            except TimeoutError:
                wire.sendall(bytes(STEP))
                sent += STEP
    return "none", sent


def _upload(port: int, *, key: str) -> set[int]:
    """The statuses of the signed PUTs of a file of 1 GB, part by part, over one connection."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    wanted = {"filename": "a.wav", "size_bytes": UPLOAD_BYTES, "content_type": "audio/wav"}
    client.request("POST", "/v1/uploads", json.dumps(wanted), headers)
    parts = json.loads(client.getresponse().read())["parts"]
    assert sum(part["size_bytes"] for part in parts) == UPLOAD_BYTES
    return {_put(client, part["upload"], size_bytes=part["size_bytes"]) for part in parts}


def _put(client: http.client.HTTPConnection, signed: dict[str, Any], *, size_bytes: int) -> int:
    target = urlsplit(signed["url"])
    pieces = (bytes(min(PIECE_BYTES, size_bytes - start)) for start in range(0, size_bytes, PIECE_BYTES))
    headers = signed["headers"] | {"Content-Length": str(size_bytes)}
    client.request("PUT", f"{target.path}?{target.query}", pieces, headers)
    answer = client.getresponse()
    answer.read()
    return answer.status


def _rss(pid: int) -> dict[int, float]:
    return {child: common.memory_mb(child)[0] for child in common.tree(pid)}


def measure() -> dict[str, Any]:
    """One refusal, then one upload."""
    with common.stack() as stack, common.web(stack) as web:
        key = common.live_key()
        status, read = _bad_key(web.port)
        before = _rss(web.pid)
        uploaded = _upload(web.port, key=key)
        after = _rss(web.pid)
    growth = max(after[pid] - before[pid] for pid in before.keys() & after.keys())
    return {
        "bad_key_status": status, "bad_key_sent_bytes": read, "upload_statuses": sorted(uploaded),
        "upload_rss_growth_mb": common.tidy(growth, 1), "goal": GOAL,
        "reached": " 401 " in status and read <= MAX_READ_BYTES and uploaded == {200} and growth <= MAX_GROWTH_MB,
    }  # fmt: skip


if __name__ == "__main__":
    common.run("bodies", measure, limit_s=180)
