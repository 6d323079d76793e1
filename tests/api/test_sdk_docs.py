"""As a new customer: the wheel in an empty environment, two variables, the README from top to bottom, a real server."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import time
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement
from parlance import API_VERSION, __version__, webhooks
from stack import Stack, Tenant, free_port

from tests.api.media import tone

PROJECT = Path(__file__).parents[2] / "sdk-python"
README = (PROJECT / "README.md").read_text("utf-8")
SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="


@pytest.fixture(scope="module")
def tenant(stack: Stack) -> Tenant:
    return stack.tenant("sdk-docs")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel and what its metadata asks for, nothing else."""
    folder = tmp_path_factory.mktemp("customer")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", str(folder), str(PROJECT)]
    subprocess.run([*pip, *build], check=True)
    [wheel] = folder.glob("parlance-*.whl")
    assert wheel.stat().st_size < 300_000
    venv.create(folder / "env", with_pip=False)
    of_env = [*pip, "--python", str(folder / "env/bin/python")]
    subprocess.run([*of_env, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    [site] = (folder / "env/lib").glob("python3*/site-packages")
    link_needed(site)
    subprocess.run([*of_env, "check"], check=True)
    return folder / "env/bin"


def link_needed(site: Path) -> None:
    """What this and that distribution need comes from our own environment: no test asks a package index."""
    [metadata] = site.glob("parlance-*.dist-info")
    waiting = [(Requirement(one), "cli") for one in Distribution.at(metadata).requires or ()]
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        found = distribution(wanted.name)
        tops = {file.parts[0] for file in found.files or () if file.parts[0] != ".."}
        new = [top for top in tops if not (site / top).exists()]
        for top in new:
            (site / top).symlink_to(Path(str(found.locate_file(top))))
        if new:
            waiting += [(Requirement(one), "") for one in found.requires or ()]


@pytest.fixture
def environ(stack: Stack, tenant: Tenant, installed: Path) -> dict[str, str]:
    """The two variables that the README has a customer set."""
    own = {"PARLANCE_API_KEY": tenant.test_api_key, "PARLANCE_API_URL": stack.url}
    return {"PATH": f"{installed}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"} | own


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


def test_the_readme_runs_from_top_to_bottom(installed: Path, environ: dict[str, str], folder: Path) -> None:
    found = blocks("python")
    assert len(found) > 8
    program = folder / "readme.py"
    program.write_text("\n".join(found), "utf-8")
    said = run([f"{installed}/python", "-W", "error", str(program)], environ=environ, cwd=folder)
    assert "uploading 100 %" in said
    assert "max_speakers Input should be less than or equal to 26" in said
    assert (folder / "morning.mp3").stat().st_size > 1_000


def test_every_command_of_the_readme_runs(installed: Path, environ: dict[str, str], folder: Path) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("parlance-cli")]
    assert len(lines) == 3
    said = [run([f"{installed}/parlance-cli", *shlex.split(line)[1:]], environ=environ, cwd=folder) for line in lines]
    assert said[0].startswith("1\n00:00:00,000 --> ")
    assert (folder / "morning.wav").read_bytes().startswith(b"RIFF")
    assert "total 0 USD" in said[2]


def test_the_command_tells_both_versions(installed: Path, environ: dict[str, str], folder: Path) -> None:
    said = run([f"{installed}/parlance-cli", "--version"], environ=environ, cwd=folder)
    assert said == f"parlance {__version__}, made from version {API_VERSION} of the API\n"


def test_an_error_is_a_line_on_a_shell(installed: Path, environ: dict[str, str], folder: Path) -> None:
    for command, told in (
        (["transcribe", "absent.wav"], "error: The recording cannot be read"),
        (["transcribe", "call.wav", "--into", "/proc/x"], "error: [Errno 2] No such file"),
        (["speak", "hello", "-o", "absent/a.mp3"], "error: absent/a.mp3 cannot be written"),
    ):
        whole = [f"{installed}/parlance-cli", *command]
        done = subprocess.run(whole, env=environ, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(told)


def test_the_examples_for_files_run(installed: Path, environ: dict[str, str], folder: Path) -> None:
    said = run(
        [f"{installed}/python", str(PROJECT / "examples" / "batch_of_files.py"), "."], environ=environ, cwd=folder
    )
    assert said.startswith("call.wav: ")
    assert (folder / "call.srt").read_text("utf-8").startswith("1\n")
    program = str(PROJECT / "examples" / "async_stream.py")
    assert run([f"{installed}/python", program, "call.wav"], environ=environ, cwd=folder)


def test_a_terminal_sees_the_progress(installed: Path, environ: dict[str, str], folder: Path) -> None:
    in_a_terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "-c", in_a_terminal, f"{installed}/parlance-cli", "transcribe", "call.wav"]
    shown = run(command, environ=environ | {"TERM": "xterm"}, cwd=folder)
    assert "transcribing call.wav" in shown, shown
    assert "100%" in shown


@pytest.mark.parametrize("example", ["webhook_receiver.py", "django_view.py"])
def test_a_receiver_has_twenty_lines(example: str) -> None:
    source = (PROJECT / "examples" / example).read_text("utf-8")
    body = source.split('"""', 2)[2]  # behind the docstring
    assert len([line for line in body.splitlines() if line.strip()]) <= 20


BODY = b'{"type":"transcription.deleted","timestamp":"2026-11-23T08:00:00Z","data":{"object":"transcription","id":"t"}}'


def test_the_receiver_takes_what_is_signed(installed: Path, environ: dict[str, str], folder: Path) -> None:
    port = free_port()
    more = {"PORT": str(port), "PARLANCE_WEBHOOK_SECRET": SECRET}
    command = [f"{installed}/python", str(PROJECT / "examples" / "webhook_receiver.py")]
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
