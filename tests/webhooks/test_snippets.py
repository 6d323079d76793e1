"""The verification snippets of the documentation, run as they stand in each language that is here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from webhooks import signing

DOCS = Path(__file__).parents[2] / "docs"
SNIPPETS = DOCS / "webhooks"
# What the file needs to run; a file in docs/webhooks without a row fails below.
PROGRAMS = {
    "verify.py": sys.executable, "verify.js": "node", "verify.go": "go", "verify.rb": "ruby", "verify.php": "php",
    "verify.sh": "bash", "verify_v1a.js": "node", "send.sh": "bash", "receiver.py": sys.executable,
}  # fmt: skip
VERIFIERS = [name for name in PROGRAMS if name.startswith("verify.")]
RUN_S = 60
SECRET, OLD, OTHER = signing.new_secret(), signing.new_secret(), signing.new_secret()
# A zero byte, bytes that are no UTF-8 and line ends: whatever reads the body as text fails.
BODY = '{"type":"transcription.completed","data":{"name":"회의"}}'.encode() + b"\0\xff\r\n\n"
Verify = Callable[["Message"], bool]


@dataclass(frozen=True)
class Message:
    """A request as it reaches a receiver, and the secrets that the receiver knows."""

    body: bytes
    id: str
    timestamp: str
    signature: str
    secrets: str = SECRET


def signed(*, body: bytes = BODY, age_s: int = 0, by: tuple[str, ...] = (SECRET,)) -> Message:
    """What a sender sends who knows these secrets."""
    moment = int(time.time()) - age_s
    signatures = [signing.sign(body, message_id="evt_1", timestamp=moment, secret=secret) for secret in by]
    return Message(body, "evt_1", str(moment), " ".join(signatures))


GOOD: dict[str, Callable[[], Message]] = {
    "as it was sent": signed,
    "an empty body": lambda: signed(body=b""),
    "four minutes late": lambda: signed(age_s=240),
    "four minutes early": lambda: signed(age_s=-240),
    "new and old signed, the old one is known": lambda: replace(signed(by=(SECRET, OLD)), secrets=OLD),
    "new and old signed, the new one is known": lambda: signed(by=(SECRET, OLD)),
    "old signed, both are known": lambda: replace(signed(by=(OLD,)), secrets=f"{SECRET} {OLD}"),
    "an unknown kind of signature before ours": lambda: prefixed(signed(), "v1a,bm90IG91cnM= v2,"),
}
BAD: dict[str, Callable[[], Message]] = {
    "another body": lambda: replace(signed(), body=BODY.replace(b"completed", b"failed")),
    "a shorter body": lambda: replace(signed(), body=BODY[:-1]),
    "another id": lambda: replace(signed(), id="evt_2"),
    "another time": lambda: replace(signed(), timestamp=str(int(time.time()) - 7)),
    "ten minutes late": lambda: signed(age_s=600),
    "ten minutes early": lambda: signed(age_s=-600),
    "a foreign secret": lambda: signed(by=(OTHER,)),
    "id and time in another order": lambda: reordered(signed()),
    "the signature of another message": lambda: replace(signed(), signature=signed(body=b"{}").signature),
    "another version of signature": lambda: replaced(signed(), "v1,", "v2,"),
    "a signature without version": lambda: replaced(signed(), "v1,", ""),
    "a signature cut short": lambda: replace(signed(), signature=signed().signature[:-4]),
    "no signature": lambda: replace(signed(), signature=""),
    "no time": lambda: replace(signed(), timestamp=""),
    "a time that is no number": lambda: replace(signed(), timestamp="now"),
    "a time of many digits": lambda: replace(signed(), timestamp="9" * 5000),
    "a sum for a time": lambda: replace(signed(), timestamp=signed().timestamp + "+0"),
    "no secret known": lambda: replace(forged_with_nothing(), secrets=""),
    "an empty secret known": lambda: replace(forged_with_nothing(), secrets="whsec_"),
}


def prefixed(message: Message, text: str) -> Message:
    return replace(message, signature=f"{text} {message.signature}")


def replaced(message: Message, old: str, new: str) -> Message:
    return replace(message, signature=message.signature.replace(old, new))


def reordered(message: Message) -> Message:
    """Signed as time, id and body: the same parts, not the agreed order."""
    swapped = signing.sign(message.body, message_id=message.timestamp, timestamp=message.id, secret=SECRET)  # type: ignore[arg-type]  # the point
    return replace(message, signature=swapped)


def forged_with_nothing() -> Message:
    """What anybody can sign: with the empty key."""
    return replace(signed(by=("whsec_",)))


@pytest.fixture(scope="module", params=VERIFIERS)
def verify(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """One snippet as a function; skipped with a reason where its language is not installed."""
    command = runnable(request.param, folder=tmp_path_factory.mktemp("snippet"))
    return lambda message: accepts(command, message, WEBHOOK_SECRETS=message.secrets)


@pytest.fixture
def verify_v1a(tmp_path: Path) -> Callable[[Message, list[str]], bool]:
    """The snippet for ed25519 as a function of a message and the public keys that the receiver has fetched."""
    command = runnable("verify_v1a.js", folder=tmp_path)

    def run(message: Message, public_keys: list[str]) -> bool:
        return accepts(command, message, WEBHOOK_KEYS=json.dumps({"keys": list(map(signing.jwk, public_keys))}))

    return run


def accepts(command: list[str], message: Message, **environ: str) -> bool:
    """Run a snippet as a CGI script: it says that a message is verified, or ends with an error."""
    headers = {"id": message.id, "timestamp": message.timestamp, "signature": message.signature}
    named = {f"HTTP_WEBHOOK_{name.upper()}": value for name, value in headers.items()}
    done = call(command, stdin=message.body, environ=named | environ)
    assert (done.returncode == 0) == (done.stdout == b"verified\n"), done.stderr
    return done.returncode == 0


def runnable(name: str, *, folder: Path) -> list[str]:
    """The argv of a snippet; Go is built once."""
    program = shutil.which(PROGRAMS[name])
    if program is None:
        pytest.skip(f"{name} was not run: {PROGRAMS[name]} is not installed")
    if not name.endswith(".go"):
        return [program, str(SNIPPETS / name)]
    built = folder / "verify"
    environ = {"GOCACHE": str(folder / "cache"), "GO111MODULE": "off"}
    done = call([program, "build", "-o", str(built), str(SNIPPETS / name)], environ=environ)
    assert done.returncode == 0, done.stderr
    return [str(built)]


def call(
    command: list[str], *, stdin: bytes = b"", environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, input=stdin, env=os.environ | dict(environ or {}), capture_output=True, timeout=RUN_S, check=False
    )


def test_it_accepts_what_is_ours(verify: Verify) -> None:
    refused = [name for name, message in GOOD.items() if not verify(message())]
    assert refused == []


def test_it_refuses_everything_else(verify: Verify) -> None:
    accepted = [name for name, message in BAD.items() if verify(message())]
    assert accepted == []


def test_asymmetric_signatures_verify_with_the_public_keys_alone(
    verify_v1a: Callable[[Message, list[str]], bool],
) -> None:
    ours, older, foreign = (signing.new_signing_key() for _ in range(3))

    def made(body: bytes = BODY, *, age_s: int = 0, by: tuple[str, ...] = (ours,)) -> Message:
        now = int(time.time()) - age_s
        sent = signing.headers(body, message_id="evt_1", timestamp=now, secrets=[SECRET], signing_keys=by)
        return Message(body, "evt_1", str(now), sent["webhook-signature"])

    known = [signing.public_key(ours)]
    rotating = [signing.public_key(older), *known]
    good = [(made(), known), (made(by=(ours, older)), known), (made(by=(older,)), rotating)]
    assert [verify_v1a(message, keys) for message, keys in good] == [True] * 3
    changed = [replace(made(), body=b"{}"), replace(made(), id="evt_2"), made(age_s=600), made(age_s=-600)]
    bad = [*changed, made(by=(foreign,)), made(by=()), replaced(made(), "v1a,", "v1,"), replace(made(), signature="")]
    assert [verify_v1a(message, known) for message in bad] == [False] * len(bad)
    assert not verify_v1a(made(), [])


def test_the_sample_sent_by_curl_verifies(receiver: Any, tmp_path: Path) -> None:
    if shutil.which("curl") is None or shutil.which("openssl") is None:
        pytest.skip("send.sh was not run: curl or openssl is not installed")
    done = call([*runnable("send.sh", folder=tmp_path), receiver.url], environ={"WEBHOOK_SECRET": SECRET})
    assert (done.returncode, done.stdout) == (0, b"200\n"), done.stderr
    [got] = receiver.got
    assert Webhook(SECRET).verify(got.body, got.headers)["type"] == "webhook_endpoint.test"


def test_the_page_shows_each_file_as_it_is() -> None:
    files = {path.name: path.read_text("utf-8") for path in SNIPPETS.iterdir() if path.is_file()}
    assert files.keys() == PROGRAMS.keys()
    blocks = re.findall(r"^```\w+\n(.*?)^```$", (DOCS / "webhooks.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert [name for name, text in files.items() if text not in blocks] == []
