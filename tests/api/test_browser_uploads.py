"""A real browser sends a file in parts from a page of another origin, with the documentation's own snippet."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from stack import Stack, Tenant

from tests.api.calls import create_upload, ended, put
from tests.api.media import tone

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DOCS = Path(__file__).parents[2] / "docs"
SNIPPET = DOCS / "uploads" / "send.js"
PART_BYTES = 5 * 1_048_576
RECORDING = tone(duration_ms=360_000)
PAGE = b"""<!doctype html><title>Send a recording</title><p id=told>sending
<script type=module>
import { send } from "./send.js";
const tell = (told) => {
  document.getElementById("told").textContent = JSON.stringify(told);
  return fetch("/told", { method: "POST", body: JSON.stringify(told) });
};
try {
  const file = await (await fetch("/recording")).blob();
  const progress = [];
  await send(file, await (await fetch("/upload")).json(), { onProgress: (sent) => progress.push(sent), attempts: 2 });
  await tell({ origin: location.origin, progress });
} catch (error) {
  await tell({ origin: location.origin, error: error.message });
}
</script>"""


class Site:
    """The tenant's own web site, which is one origin as localhost and another as 127.0.0.1."""

    def __init__(self) -> None:
        self.files = {"/page": PAGE, "/send.js": SNIPPET.read_bytes(), "/recording": RECORDING}
        self.told: queue.Queue[Any] = queue.Queue()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/javascript" if self.path.endswith(".js") else "text/html")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def do_POST(self) -> None:
                site.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.registered = f"http://localhost:{self._server.server_port}"
        self.other = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def _visit(url: str, site: Site, folder: Path) -> Any:
    """What the page tells once a browser has shown it."""
    assert BROWSER is not None
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"]
    flags += ["--host-resolver-rules=MAP localhost 127.0.0.1", f"--user-data-dir={folder}", "--disable-dev-shm-usage"]
    flags += ["--remote-debugging-port=0"]  # without it a headless browser ends as soon as the page is loaded
    argv = [BROWSER, *flags, f"{url}/page"]
    browser = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return site.told.get(timeout=90)
    finally:
        browser.terminate()
        browser.wait(20)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed: apt-get install chromium")
def test_a_page_sends_parts_and_one_of_another_origin_cannot(stack: Stack, site: Site, tmp_path: Path) -> None:
    own: Tenant = stack.tenant(f"browser {time.time_ns()}")
    assert own.live.put("/v1/upload-origins", json={"origins": [site.registered]}).status_code == 200
    digest = hashlib.sha256(RECORDING).hexdigest()
    ticket = create_upload(own.live, size_bytes=len(RECORDING), part_size_bytes=PART_BYTES, sha256=digest)
    second = ticket["parts"][1]
    assert put(second, RECORDING[second["start"] :][: second["size_bytes"]]).status_code == 200
    resumed = own.live.post(f"/v1/uploads/{ticket['id']}/resume").json()
    site.files["/upload"] = json.dumps(resumed).encode()

    refused = _visit(site.other, site, tmp_path / "other")
    assert refused == {"origin": site.other, "error": "no connection"}
    shown = own.live.get(f"/v1/uploads/{ticket['id']}").json()
    assert [part["status"] for part in shown["parts"]] == ["pending", "completed", "pending"]

    told = _visit(site.registered, site, tmp_path / "registered")
    ends = [part["start"] + part["size_bytes"] for part in ticket["parts"]]
    assert told == {"origin": site.registered, "progress": ends}
    assert own.live.post(f"/v1/uploads/{ticket['id']}/complete").json()["status"] == "completed"
    made = own.live.post("/v1/transcriptions", json={"upload_id": ticket["id"], "engine": "simulated"}).json()
    assert ended(own.live, made["id"])["status"] == "completed"


def test_the_documentation_shows_the_snippet_as_it_is_tested() -> None:
    assert SNIPPET.read_text() in (DOCS / "uploads.md").read_text()
