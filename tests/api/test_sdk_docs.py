"""The SDK's README, from top to bottom, and its examples and command, against the running server."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from parlance import webhooks
from stack import Stack, Tenant, free_port

from tests.api.media import tone

PROJECT = Path(__file__).parents[2] / "sdk-python"
README = (PROJECT / "README.md").read_text("utf-8")
SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="


@pytest.fixture(scope="module")
def tenant(stack: Stack) -> Tenant:
    return stack.tenant("sdk-docs")


@pytest.fixture
def environ(stack: Stack, tenant: Tenant) -> dict[str, str]:
    """The two variables that the README has a customer set."""
    own = {"PARLANCE_API_KEY": tenant.test_api_key, "PARLANCE_API_URL": stack.url}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT / "src"), "LC_ALL": "C.UTF-8"} | own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "call.wav").write_bytes(tone(1_500))
    return tmp_path


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def run(command: list[str], *, environ: dict[str, str], cwd: Path) -> str:
    done = subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_runs_from_top_to_bottom(environ: dict[str, str], folder: Path) -> None:
    found = blocks("python")
    assert len(found) > 8
    program = folder / "readme.py"
    program.write_text("\n".join(found), "utf-8")
    said = run([sys.executable, "-W", "error", str(program)], environ=environ, cwd=folder)
    assert "uploading 100 %" in said
    assert "max_speakers Input should be less than or equal to 26" in said
    assert (folder / "morning.mp3").stat().st_size > 1_000


def test_every_command_of_the_readme_runs(environ: dict[str, str], folder: Path) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("parlance-cli")]
    assert len(lines) == 3
    said = [
        run([sys.executable, "-m", "parlance.cli", *shlex.split(line)[1:]], environ=environ, cwd=folder)
        for line in lines
    ]
    assert said[0].startswith("1\n00:00:00,000 --> ")
    assert (folder / "morning.wav").read_bytes().startswith(b"RIFF")
    assert "total 0 USD" in said[2]


def test_an_error_is_a_line_on_a_shell(environ: dict[str, str], folder: Path) -> None:
    command = [sys.executable, "-m", "parlance.cli", "transcribe", "absent.wav"]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: The recording cannot be read")


def test_the_examples_for_files_run(environ: dict[str, str], folder: Path) -> None:
    said = run([sys.executable, str(PROJECT / "examples" / "batch_of_files.py"), "."], environ=environ, cwd=folder)
    assert said.startswith("call.wav: ")
    assert (folder / "call.srt").read_text("utf-8").startswith("1\n")
    assert run([sys.executable, str(PROJECT / "examples" / "async_stream.py"), "call.wav"], environ=environ, cwd=folder)


BODY = b'{"type":"transcription.deleted","timestamp":"2026-11-23T08:00:00Z","data":{"object":"transcription","id":"t"}}'


def test_the_receiver_takes_what_is_signed(environ: dict[str, str], folder: Path) -> None:
    port = free_port()
    more = {"PORT": str(port), "PARLANCE_WEBHOOK_SECRET": SECRET}
    command = [sys.executable, str(PROJECT / "examples" / "webhook_receiver.py")]
    with subprocess.Popen(
        command, env=environ | more, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as hooks:
        try:
            headers = webhooks.sign(BODY, secret=SECRET, event_id="evt_1", timestamp=int(time.time()))
            transport = httpx.HTTPTransport(retries=8)
            with httpx.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
                assert client.post("/", content=BODY, headers=headers).status_code == 204
                assert client.post("/", content=BODY + b" ", headers=headers).status_code == 400
            assert hooks.stdout is not None
            assert hooks.stdout.readline() == "evt_1 transcription.deleted\n"
        finally:
            hooks.kill()


def test_the_django_view_takes_each_event_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.cache import cache
    from django.test import RequestFactory, override_settings

    kept: set[str] = set()
    monkeypatch.setattr(cache, "add", lambda key, *_, **__: key not in kept and not kept.add(key), raising=False)
    spec = importlib.util.spec_from_file_location("django_view", PROJECT / "examples" / "django_view.py")
    assert spec is not None
    assert spec.loader is not None
    view = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(view)
    headers = webhooks.sign(BODY, secret=SECRET, event_id="evt_2", timestamp=int(time.time()))
    with override_settings(PARLANCE_WEBHOOK_SECRETS=[SECRET]):
        post = RequestFactory().post
        answers = [
            view.parlance_webhook(
                post("/hooks", data=body, content_type="application/json", headers=headers)
            ).status_code
            for body in (BODY, BODY, BODY + b" ")
        ]
    assert answers == [204, 204, 400]
    assert kept == {"parlance-event:evt_2"}
