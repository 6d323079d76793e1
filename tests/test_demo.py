"""The demo against a small stand-in for the API, as strict about the requests as the real one."""

import json
import shlex
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from workers.cli.output import Printer
from workers.demo import journey, tenant, voice
from workers.demo.errors import DemoError
from workers.demo.journey import Stage, curl_line, tell
from workers.demo.receiver import Receiver
from workers.embedded.home import Home

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "parl_live_demo"


class FakeApi(BaseHTTPRequestHandler):
    """Holds the conversation that the demo expects; state lives on the server object."""

    server: "FakeServer"

    def _answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Request-Id", "req_1")
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {KEY}"

    def do_GET(self) -> None:
        self.server.calls.append(f"GET {self.path}")
        if not self._known():
            self._answer(401, {"detail": "Send a key."})
        elif self.path == "/v1/usage":
            line = {"meter": "audio_ms", "quantity": 3800, "amount": "0.000100", "currency": "USD"}
            self._answer(200, {"data": [line]})
        elif self.path == "/v1/webhook-endpoints":
            self._answer(200, {"data": [{"id": "whe_old", "url": "http://127.0.0.1:1/hook"}]})
        else:
            assert self.headers["Prefer"] == "wait=30"
            self._answer(200, self.server.transcription)
            self.server.send_webhook()

    def do_DELETE(self) -> None:
        self.server.calls.append(f"DELETE {self.path}")
        self._answer(200, {})

    def do_PUT(self) -> None:
        assert "Authorization" not in self.headers, "the key must not travel to the storage"
        assert self.headers["Content-Type"] == "audio/x-wav"
        self.server.uploaded = self._body()
        self._answer(200, {})

    def do_POST(self) -> None:
        body = json.loads(self._body())
        self.server.calls.append(f"POST {self.path}")
        if self.path == "/v1/webhook-endpoints":
            assert body["event_types"] == ["transcription.completed"]
            self.server.hook = body["url"]
            self._answer(201, {"id": "whe_1", "secret": SECRET})
        elif self.path == "/v1/uploads":
            where = {"url": f"{self.server.url}/put", "method": "PUT", "headers": {"Content-Type": "audio/x-wav"}}
            self._answer(201, {"id": "upl_1", "upload": where})
        elif self.server.refusal:
            self._answer(402, {"detail": self.server.refusal})
        else:
            assert body == {"upload_id": "upl_1"}
            self._answer(202, {"id": "trn_1"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        """Stay silent."""


class FakeServer(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), FakeApi)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.calls: list[str] = []
        self.uploaded, self.hook, self.refusal, self.signed_with = b"", "", "", SECRET
        self.transcription: dict[str, Any] = {
            "id": "trn_1",
            "status": "completed",
            "text": "thank you for calling please leave a message after the tone",
            "engine": "pocketsphinx",
            "quality": "demo",
            "warnings": [{"code": "demo_quality", "detail": "English only, demo quality."}],
            "cost": {"amount": "0.000100", "currency": "USD"},
        }

    def send_webhook(self) -> None:
        body = json.dumps({"type": "transcription.completed", "data": {"id": "trn_1"}})
        now = datetime.now(UTC)
        signature = Webhook(self.signed_with).sign("evt_1", now, body)
        headers = {
            "webhook-id": "evt_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }
        httpx.post(self.hook, content=body, headers=headers, trust_env=False)


@pytest.fixture
def api() -> Iterator[FakeServer]:
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    with Receiver(listening) as receiver:
        yield receiver


@pytest.fixture
def stage(tmp_path: Path, api: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Stage:
    home = Home(tmp_path / "집 home")
    home.prepare()
    monkeypatch.setattr(tenant, "_create", lambda name: KEY)
    file = tmp_path / "given.wav"
    file.write_bytes(b"RIFF")
    return Stage(home, api.url, file, Printer(as_json=False))


def test_it_tells_the_whole_story(
    stage: Stage, api: FakeServer, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(stage, receiver=receiver)
    shown = capsys.readouterr().out
    assert api.uploaded == b"RIFF"
    assert 'transcript       "thank you for calling' in shown
    assert "pocketsphinx, quality: demo" in shown
    assert shown.index("English only") < shown.index("transcript ")
    assert "webhook received and verified (transcription.completed, evt_1)" in shown
    assert "audio_ms: 3800, 0.000100 USD" in shown
    assert f"Authorization: Bearer {KEY}" in shown
    assert api.calls.count("DELETE /v1/webhook-endpoints/whe_old") == 2


def test_it_prints_lines_of_json_when_asked(
    stage: Stage, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = Stage(stage.home, stage.url, stage.audio, Printer(as_json=True))
    tell(asked, receiver=receiver)
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    first = ("audio", "transcript", "webhook", "cost", "usage", "key")
    assert events[: len(first)] == [f"demo.{name}" for name in first]
    assert set(events[len(first) :]) <= {"demo.finance"}, "links for people who have not been in yet"


def test_a_webhook_with_a_wrong_signature_is_not_believed(stage: Stage, api: FakeServer, receiver: Receiver) -> None:
    api.signed_with = "whsec_" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    with pytest.raises(DemoError, match="wrong signature"):
        tell(stage, receiver=receiver)


def test_a_message_about_another_job_is_not_taken_for_ours(stage: Stage, api: FakeServer, receiver: Receiver) -> None:
    api.hook = receiver.url
    api.send_webhook()
    assert receiver.wait("transcription.completed", subject="trn_2", secret=SECRET, limit_s=0.3) is None
    api.send_webhook()
    found = receiver.wait("transcription.completed", subject="trn_1", secret=SECRET, limit_s=5)
    assert found is not None
    assert found.event_id == "evt_1"


def test_a_refusal_is_shown_in_the_api_s_own_words(stage: Stage, api: FakeServer, receiver: Receiver) -> None:
    api.refusal = "The wallet is empty."
    with pytest.raises(DemoError) as caught:
        tell(stage, receiver=receiver)
    assert caught.value.detail == "402 The wallet is empty."
    assert "req_1" in caught.value.todo


def test_a_failed_transcription_says_why(stage: Stage, api: FakeServer, receiver: Receiver) -> None:
    api.transcription = {"id": "trn_1", "status": "failed", "error": {"detail": "Not audio."}}
    with pytest.raises(DemoError, match="ended as failed: Not audio"):
        tell(stage, receiver=receiver)


def test_a_missing_webhook_is_a_failure(
    stage: Stage, api: FakeServer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "WEBHOOK_LIMIT_S", 0.2)
    monkeypatch.setattr(api, "send_webhook", lambda: None)
    with pytest.raises(DemoError, match="no message arrived"):
        tell(stage, receiver=receiver)


def test_the_key_of_the_last_start_is_used_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tenant.demo_key(stage.home, url=stage.url) == KEY
    monkeypatch.setattr(tenant, "_create", lambda name: pytest.fail("a second tenant was made"))
    assert tenant.demo_key(stage.home, url=stage.url) == KEY
    assert (stage.home.secrets / "demo.key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_no_longer_works_is_replaced(stage: Stage) -> None:
    (stage.home.secrets / "demo.key").write_text("parl_live_old", encoding="ascii")
    assert tenant.demo_key(stage.home, url=stage.url) == KEY


def test_a_server_that_is_gone_is_named_with_what_to_do(stage: Stage, receiver: Receiver) -> None:
    (stage.home.secrets / "demo.key").write_text(KEY, encoding="ascii")
    nowhere = Stage(stage.home, "http://127.0.0.1:9", stage.audio, stage.printer)
    with pytest.raises(DemoError, match="did not answer"):
        tell(nowhere, receiver=receiver)


def test_the_receiver_takes_no_other_path_and_no_giant(receiver: Receiver) -> None:
    assert httpx.post(receiver.url + "x", content=b"{}", trust_env=False).status_code == 404
    httpx.post(receiver.url, content=b"{}", trust_env=False)
    with pytest.raises(WebhookVerificationError):
        receiver.wait("transcription.completed", subject="trn_1", secret=SECRET, limit_s=2)


def test_espeak_speaks_the_demo_sentence(tmp_path: Path) -> None:
    target = tmp_path / "집 demo" / "hello.wav"
    voice.speak(target)
    assert target.read_bytes()[:4] == b"RIFF"
    assert target.stat().st_size > 50_000


def test_the_curl_line_survives_any_path() -> None:
    line = curl_line("http://127.0.0.1:1", key="k", file=Path("/집 a/it's;b,.wav"))
    assert shlex.split(line)[4] == 'file=@"/집 a/it\'s;b,.wav"'
