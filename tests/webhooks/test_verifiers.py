"""What our sender sends, before the official verifiers: each accepts it, also in a rotation, and refuses the rest."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from webhooks import signing
from webhooks.facade import deliver_due, dispatch_events

NPM_PACKAGE = "standardwebhooks@1.1.1"
INSTALL_S, RUN_S = 60, 30
ENDPOINTS = "/v1/webhook-endpoints"
NODE_PROGRAM = """
const { Webhook, WebhookVerificationError } = require("standardwebhooks");
const cases = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
console.log(JSON.stringify(cases.map(({ body, headers, secret }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
})));
"""


@dataclass(frozen=True)
class Case:
    """A request as it reached a receiver, and the one secret that the receiver knows."""

    body: bytes
    headers: Mapping[str, str]
    secret: str

    def with_headers(self, **changed: str) -> Case:
        named = {f"webhook-{name}": value for name, value in changed.items()}
        return replace(self, headers={**self.headers, **named})


Verify = Callable[[list[Case]], list[bool]]


def by_standardwebhooks(cases: list[Case]) -> list[bool]:
    def accepts(case: Case) -> bool:
        try:
            Webhook(case.secret).verify(case.body, dict(case.headers))
        except WebhookVerificationError:
            return False
        return True

    return [accepts(case) for case in cases]


def by_openai(cases: list[Case]) -> list[bool]:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")

    def accepts(client: Any, case: Case) -> bool:
        try:
            client.webhooks.verify_signature(case.body, case.headers, secret=case.secret)
        except openai.InvalidWebhookSignatureError:
            return False
        return True

    with openai.OpenAI(api_key="unused") as client:
        return [accepts(client, case) for case in cases]


@pytest.fixture(scope="session")
def by_npm(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """The npm package in a folder of its own; skipped with a reason where node or the registry is out of reach."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("npm standardwebhooks was not run: node or npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    _install(npm, folder=folder)

    def verify(cases: list[Case]) -> list[bool]:
        rows = [{"body": case.body.decode(), "headers": case.headers, "secret": case.secret} for case in cases]
        text = json.dumps(rows)
        done = subprocess.run(
            [node, "-e", NODE_PROGRAM],
            input=text,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=True,
        )
        found: list[bool] = json.loads(done.stdout)
        return found

    return verify


def _install(npm: str, *, folder: Path) -> None:
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0", "--prefix", str(folder))
    try:
        done = subprocess.run(
            [npm, "install", *quiet, NPM_PACKAGE], capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm standardwebhooks was not run: no package within {INSTALL_S} s")
    if done.returncode:
        pytest.skip(f"npm standardwebhooks was not run: {NPM_PACKAGE} could not be installed")


@pytest.fixture(params=["standardwebhooks", "openai", "npm"])
def verify(request: pytest.FixtureRequest) -> Verify:
    """One official verifier after the other."""
    if request.param == "npm":
        found: Verify = request.getfixturevalue("by_npm")
        return found
    return {"standardwebhooks": by_standardwebhooks, "openai": by_openai}[request.param]


@pytest.fixture
def deliver(alice: Any, endpoint: Any, publish: Any, receiver: Any) -> Callable[[], Any]:
    """Sends one event through the real sender and returns what its receiver got."""

    def send() -> Any:
        publish()
        dispatch_events()
        deliver_due()
        return receiver.got[-1]

    return send


@pytest.fixture
def sent(deliver: Callable[[], Any], endpoint: Any) -> Case:
    got = deliver()
    return Case(got.body, got.headers, endpoint.secret)


@pytest.fixture
def rotated(alice: Any, http: Any, deliver: Callable[[], Any], endpoint: Any) -> tuple[Case, Case]:
    """The same delivery during an overlap, for a receiver with the new and for one with the old secret."""
    shown = http(alice, "GET", ENDPOINTS)[1]["data"][0]["id"]
    status, after = http(alice, "POST", f"{ENDPOINTS}/{shown}/rotate-secret", {"overlap_hours": 1})
    assert status == 200
    got = deliver()
    return Case(got.body, got.headers, after["secret"]), Case(got.body, got.headers, endpoint.secret)


def test_a_delivery_is_accepted(verify: Verify, sent: Case) -> None:
    assert verify([sent]) == [True]


def test_both_secrets_are_accepted_while_a_rotation_overlaps(verify: Verify, rotated: tuple[Case, Case]) -> None:
    new, old = rotated
    assert new.secret != old.secret
    assert verify([new, old]) == [True, True]
    backwards = " ".join(reversed(new.headers["webhook-signature"].split(" ")))
    assert verify([new.with_headers(signature=backwards), old.with_headers(signature=backwards)]) == [True, True]
    assert verify([replace(new, secret=signing.new_secret())]) == [False]


def test_an_asymmetric_signature_beside_ours_does_no_harm(
    verify: Verify, alice: Any, http: Any, deliver: Callable[[], Any], endpoint: Any
) -> None:
    path = f"{ENDPOINTS}/{http(alice, 'GET', ENDPOINTS)[1]['data'][0]['id']}"
    assert http(alice, "PATCH", path, {"signature": "v1+v1a"})[0] == 200
    _, after = http(alice, "POST", f"{path}/rotate-secret", {"overlap_hours": 1})
    got = deliver()
    kinds = [each.partition(",")[0] for each in got.headers["webhook-signature"].split(" ")]
    assert sorted(kinds) == ["v1", "v1", "v1a", "v1a"]
    assert verify([Case(got.body, got.headers, secret) for secret in (after["secret"], endpoint.secret)]) == [
        True,
        True,
    ]
    assert verify([Case(got.body, got.headers, signing.new_secret())]) == [False]


def test_what_was_changed_on_the_way_is_refused(verify: Verify, sent: Case, deliver: Callable[[], Any]) -> None:
    other = deliver()
    changed = [
        replace(sent, body=sent.body.replace(b"completed", b"failed")),
        replace(sent, body=sent.body + b" "),
        sent.with_headers(id="evt_1"),
        sent.with_headers(timestamp=str(int(sent.headers["webhook-timestamp"]) - 1)),
        sent.with_headers(signature="v1,AAAA"),
        replace(sent, secret=signing.new_secret()),
    ]
    assert verify(changed) == [False] * len(changed)
    # Another message of the same endpoint, part by part: nothing of it may be put in the place of ours.
    names = ("webhook-id", "webhook-signature")
    mixed = [replace(sent, headers={**sent.headers, name: other.headers[name]}) for name in names]
    assert verify([*mixed, replace(sent, body=other.body), sent]) == [False, False, False, True]


def test_an_old_a_future_and_a_reordered_message_are_refused(verify: Verify, sent: Case) -> None:
    def signed_at(moment: int) -> Case:
        made = signing.sign(sent.body, message_id="evt_1", timestamp=moment, secret=sent.secret)
        return sent.with_headers(id="evt_1", timestamp=str(moment), signature=made)

    now = int(time.time())
    swapped = signing.sign(sent.body, message_id=str(now), timestamp="evt_1", secret=sent.secret)  # type: ignore[arg-type]  # the parts in another order
    reordered = sent.with_headers(id="evt_1", timestamp=str(now), signature=swapped)
    cases = [signed_at(now), signed_at(now - 600), signed_at(now + 600), reordered]
    assert verify(cases) == [True, False, False, False]
