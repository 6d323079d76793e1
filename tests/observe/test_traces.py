"""One job's every hop in one trace: a stack that exports to a collector of this test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from stack import Stack

from tests.api.calls import transcribe
from tests.api.media import tone

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WAIT_S = 60


class Collector:
    """Speaks OTLP over HTTP, and takes webhooks too."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.spans: list[tuple[str, Any]] = []
        self.changed = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def wait_for(self, *names: str) -> dict[str, Any]:
        """The first span of each of these names in the trace; fails after a minute with those that came."""
        with self.changed:
            self.changed.wait_for(lambda: set(names) <= self._by_name().keys(), timeout=WAIT_S)
            found = self._by_name()
        assert set(names) <= found.keys(), sorted(found)
        return found

    def _by_name(self) -> dict[str, Any]:
        return {span.name: span for _, span in self.spans if span.trace_id.hex() == TRACE}

    def take(self, body: bytes) -> None:
        exported = ExportTraceServiceRequest.FromString(body)
        with self.changed:
            self.raw.append(body)
            for resource in exported.resource_spans:
                service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
                self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
            self.changed.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces":
                    collector.take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def traced(collector: Collector, tmp_path: Path) -> Iterator[Stack]:
    home = tmp_path / "traced"
    home.mkdir()
    environ = {
        "PARLANCE_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100",
        "PARLANCE_EGRESS_ALLOW": f"127.0.0.1:{collector.server.server_port}",
    }  # fmt: skip
    stack = Stack(home, environ=environ)
    stack.start()
    yield stack
    stack.stop()


def test_every_hop_of_a_job_is_in_the_callers_trace(traced: Stack, collector: Collector) -> None:
    alice = traced.tenant("alice")
    endpoint = {"url": f"{collector.url}/hook?planted=query", "event_types": ["*"]}
    assert alice.test.post("/v1/webhook-endpoints", json=endpoint).status_code == 201
    alice.test.headers["traceparent"] = f"00-{TRACE}-{PARENT}-01"

    transcribe(alice.test, tone(), simulate="says:plantedword")

    prepare, hear, merge = (f"transcription {step}" for step in ("prepare", "transcribe", "merge"))
    found = collector.wait_for("HTTP POST", prepare, hear, merge, "simulated transcribe", "webhook attempt")
    request = found["HTTP POST"]
    assert request.parent_span_id.hex() == PARENT
    assert {found[step].parent_span_id for step in (prepare, hear, merge, "webhook attempt")} == {request.span_id}
    assert found["simulated transcribe"].parent_span_id == found[hear].span_id
    assert {service for service, _ in collector.spans} == {"parlance-web", "parlance-worker", "parlance-scheduler"}
    assert not [body for body in collector.raw if b"planted" in body or alice.test_api_key.encode() in body]
