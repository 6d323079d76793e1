"""Accepting a transcription by URL: CPU per request, against the same rows through the ORM under stock ASGI.

No worker and no scheduler runs, so whatever the processes burn was burnt for accepting. Both servers run side by side
and take turns, so that a noisy neighbour disturbs both alike.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks import common
from benchmarks.load import Load, Request, load

GOAL = "application CPU <= 2 ms, >= 5 x better than the ORM under stock ASGI without a pool"
MAX_CPU_MS = 2.0
MIN_RATIO = 5.0
AUDIO_HOST = "127.0.0.1:9"  # allowed by the guard; nothing listens there and nothing fetches
CONNECTIONS = 12
ROUNDS = 5
OURS_EACH = 480
STOCK_EACH = 120
BODY = {"audio_url": f"http://{AUDIO_HOST}/call.wav", "engine": "simulated", "metadata": {"order": "42"}, "tags": ["a"]}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds per request, and latencies in milliseconds."""

    application_ms: float
    postgres_ms: float
    redis_ms: float
    latencies: list[float]


@contextmanager
def stock_web(stack: common.Stack) -> Iterator[common.Web]:
    """The comparison under uvicorn."""
    port = common.free_port()
    log = stack.folder / "stock.log"
    argv = [sys.executable, "-P", "-m", "uvicorn", "django.core.asgi:get_asgi_application", "--factory"]
    argv += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
        "--timeout-keep-alive",
        "60",
    ]
    env = stack.env | {"DJANGO_SETTINGS_MODULE": "benchmarks.stock_settings"}
    with common.process(argv, env=env, log=log) as child:
        common.await_port(port, child=child, log=log)
        yield common.Web(child.pid, port, 0.0)


def _costed(stack: common.Stack, *, web: common.Web, load_process: Load, request: Request, count: int) -> Cost:
    pids = (web.pid, stack.postgres_pid, stack.redis_pid)
    before = [common.tree_cpu_ms(pid) for pid in pids]
    latencies = load_process.send(request, count=count, connections=CONNECTIONS)
    used = [common.tree_cpu_ms(pid) - start for pid, start in zip(pids, before, strict=True)]
    application, postgres, redis = (cpu_ms / len(latencies) for cpu_ms in used)
    return Cost(application, postgres, redis, latencies)


def _rounds(
    stack: common.Stack, *, load_process: Load, ours: common.Web, stock: common.Web
) -> tuple[list[Cost], list[Cost]]:
    headers = {"Authorization": f"Bearer {common.live_key()}", "Content-Type": "application/json"}
    body = json.dumps(BODY).encode()
    sides: list[tuple[common.Web, Request, int, list[Cost]]] = [
        (web, Request(web.port, "/v1/transcriptions", body, headers, (202,)), count, [])
        for web, count in ((ours, OURS_EACH), (stock, STOCK_EACH))
    ]
    for _, request, count, _ in sides:  # warms threads, connections and caches
        load_process.send(request, count=count // 2, connections=CONNECTIONS)
    for _ in range(ROUNDS):
        for web, request, count, costs in sides:
            costs.append(_costed(stack, web=web, load_process=load_process, request=request, count=count))
    return sides[0][3], sides[1][3]


def _figures(costs: list[Cost]) -> dict[str, Any]:
    latencies = [latency for cost in costs for latency in cost.latencies]
    return {
        "application_cpu_ms": common.tidy(common.median([cost.application_ms for cost in costs]), 3),
        "application_cpu_ms_rounds": [common.tidy(cost.application_ms, 3) for cost in costs],
        "postgres_cpu_ms": common.tidy(common.median([cost.postgres_ms for cost in costs]), 3),
        "redis_cpu_ms": common.tidy(common.median([cost.redis_ms for cost in costs]), 3),
        "latency_p50_ms": common.tidy(common.percentile(latencies, 50)),
        "latency_p99_ms": common.tidy(common.percentile(latencies, 99)),
        "requests": len(latencies),
    }


def measure() -> dict[str, Any]:
    """Five rounds of 480 against 120 requests."""
    with (
        common.stack(settings={"PARLANCE_EGRESS_ALLOW": AUDIO_HOST}) as stack,
        load() as load_process,
        common.web(stack) as ours,
        stock_web(stack) as stock,
    ):
        ours_costs, stock_costs = _rounds(stack, load_process=load_process, ours=ours, stock=stock)
    here, there = _figures(ours_costs), _figures(stock_costs)
    ratio = there["application_cpu_ms"] / here["application_cpu_ms"]
    return {
        "application_cpu_ms": here["application_cpu_ms"],
        "ratio_to_stock": common.tidy(ratio),
        "parlance": here,
        "stock": there,
        "connections": CONNECTIONS,
        "goal": GOAL,
        "reached": here["application_cpu_ms"] <= MAX_CPU_MS and ratio >= MIN_RATIO,
    }


if __name__ == "__main__":
    common.run("accept", measure, limit_s=120)
