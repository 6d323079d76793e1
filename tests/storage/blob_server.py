"""A real server around the blob application, run as a process of its own by the tests.

    python -m tests.storage.blob_server FOLDER IDLE_TIMEOUT_S

Prints its port once it listens.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

from storage.facade import BlobApp, LocalStore, UrlSigner

SECRET = b"s" * 32
ORIGIN = "https://app.example.com"


def blob_app(folder: Path, *, idle_timeout_s: float, durable: bool = True) -> BlobApp:
    signer = UrlSigner([SECRET])
    store = LocalStore(folder, signer=signer, base_url="", durable=durable)
    return BlobApp(store, signer=signer, origins_of=_origins_of, idle_timeout_s=idle_timeout_s)


async def _origins_of(key: str) -> frozenset[str]:
    return frozenset({ORIGIN})


async def main(folder: Path, *, idle_timeout_s: float) -> None:
    config = uvicorn.Config(
        blob_app(folder, idle_timeout_s=idle_timeout_s), lifespan="off", log_level="error", access_log=False
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - the parent reads it
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), idle_timeout_s=float(sys.argv[2])))
