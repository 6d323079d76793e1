"""`/metrics` of every process of the running stack, and the dashboard over it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from stack import Stack, Tenant

from observe.instruments import INSTRUMENTS
from tests.api.calls import transcribe
from tests.api.media import tone

DASHBOARD = Path(__file__).parents[2] / "deploy" / "helm" / "parlance" / "files" / "dashboard.json"
NAME = re.compile(r"\bparlance_[a-z_]+")
SUFFIXES = ("_bucket", "_sum", "_count", "_total", "_created")


def families(text: str) -> set[str]:
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE parlance_")}


@pytest.fixture
def heard(alice_http: Tenant) -> str:
    """A transcription by a worker, so that every process has something to tell."""
    shown = transcribe(alice_http.test, tone(), simulate="says:plantedword")
    assert shown["status"] == "completed"
    return str(shown["id"])


def test_every_process_tells_what_it_did(stack: Stack, heard: str) -> None:
    web, worker, scheduler = (httpx.get(url).text for url in stack.metrics_urls)

    assert 'parlance_http_request_seconds_count{method="POST",route="v1/transcriptions",status="202"}' in web
    assert "parlance_step_seconds" in families(worker)
    assert {one.name for one in INSTRUMENTS if one.kind == "gauge" and not one.labels} <= families(scheduler)
    assert "parlance_ledger_lag_seconds 0.0" in scheduler


def test_no_id_text_or_name_is_a_label(stack: Stack, heard: str, alice_http: Tenant) -> None:
    alice_http.test.get(f"/v1/transcriptions/{heard}")
    alice_http.test.get("/v1/no-such-path-planted", params={"q": "planted"})

    for url in stack.metrics_urls:
        text = httpx.get(url).text
        assert "planted" not in text
        assert heard not in text


def test_metrics_have_a_port_of_their_own(stack: Stack) -> None:
    assert stack.client(None).get("/metrics").status_code == 401


def test_every_metric_of_the_dashboard_exists() -> None:
    shown = set(NAME.findall(json.dumps(json.loads(DASHBOARD.read_text())["panels"])))
    bare = {next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name) for name in shown}

    assert bare == {one.name for one in INSTRUMENTS}
