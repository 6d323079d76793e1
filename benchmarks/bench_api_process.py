"""The API process: how fast it is ready, what it weighs after 200 requests, and that it never imports torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.load import Load, Request, load

GOAL = "start <= 2 s, <= 120 MB RSS each process, torch not imported"
MAX_START_S = 2.0
MAX_RSS_MB = 120.0
STARTS = 3
AUDIO_HOST = "127.0.0.1:9"  # allowed by the guard; nothing fetches from it here


def _stub_torch(folder: Path) -> tuple[Path, Path]:
    """A torch that leaves a mark when imported, so that the check holds whether or not the real one is installed."""
    mark, package = folder / "torch-was-imported", folder / "stubs" / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"open({str(mark)!r}, 'w').close()\nraise ImportError('stub')\n", "utf-8")
    return package.parent, mark


def _requests(load_process: Load, *, port: int, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"audio_url": f"http://{AUDIO_HOST}/a.wav", "engine": "simulated"}).encode()
    accept = Request(port, "/v1/transcriptions", body, headers, (202,))
    listing = Request(port, "/v1/transcriptions?limit=20", b"", headers, (200,), method="GET")
    load_process.send(accept, count=100, connections=8)
    load_process.send(listing, count=100, connections=8)


def _weigh(pid: int) -> dict[str, Any]:
    rss, pss = common.memory_mb(pid)
    return {"process": common.command(pid), "rss_mb": common.tidy(rss, 1), "pss_mb": common.tidy(pss, 1)}


def measure() -> dict[str, Any]:
    """Three starts, then 200 requests to the last."""
    with common.stack(settings={"PARLANCE_EGRESS_ALLOW": AUDIO_HOST}) as stack, load() as load_process:
        key = common.live_key()
        stubs, mark = _stub_torch(stack.folder)
        settings = {"PYTHONPATH": f"{stubs}:{stack.env['PYTHONPATH']}"}
        starts = []
        for number in range(STARTS):
            with common.web(stack, settings=settings) as web:
                starts.append(web.started_in_s)
                if number == STARTS - 1:
                    cpu_ms = common.tree_cpu_ms(web.pid)
                    idle = [_weigh(pid) for pid in common.tree(web.pid)]
                    _requests(load_process, port=web.port, key=key)
                    weighed = [_weigh(pid) for pid in common.tree(web.pid)]
    heaviest, torch = max(entry["rss_mb"] for entry in weighed), mark.exists()
    return {
        "start_s": common.tidy(common.median(starts)),
        "starts_s": [common.tidy(start) for start in starts],
        "start_cpu_s": common.tidy(cpu_ms / 1000),
        "rss_mb_heaviest": heaviest,
        "rss_mb_sum": common.tidy(sum(entry["rss_mb"] for entry in weighed), 1),
        "pss_mb_sum": common.tidy(sum(entry["pss_mb"] for entry in weighed), 1),
        "processes": weighed,
        "before_requests": idle,
        "torch_imported": torch,
        "goal": GOAL,
        "reached": common.median(starts) <= MAX_START_S and heaviest <= MAX_RSS_MB and not torch,
    }


if __name__ == "__main__":
    common.run("api_process", measure, limit_s=120)
