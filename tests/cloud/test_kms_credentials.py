"""Own credentials whose master key is in AWS KMS (a double of it): sealed by it, and waited for while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

import speech.facade
from apikit.front import REQUEST_ID
from config.callbacks import take_callback
from dispatch.facade import Attempt
from speech.callbacks import callback_of
from speech.own_credentials import engines, services
from tenants.facade import VaultUnavailable
from tenants.models import DataKey
from tests.cloud.conftest import Hands
from tests.cloud.test_own_credentials import _installed, acting, bring, deepgram
from tests.fakes import kms
from tests.fakes.deepgram import FakeDeepgram
from tests.fakes.moto import moto

__all__ = ["_installed", "deepgram"]  # fixtures
OWN = "cloud:deepgram:own"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A double of KMS."""
    with moto() as url:
        yield url


@pytest.fixture
def dora(endpoint: str, new_tenant: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A tenant whose data key KMS has made."""
    with kms.master_key_in_kms(endpoint, monkeypatch):
        yield new_tenant("dora")
        kms.forget()


def started_anew() -> None:
    """What a process that has just started knows of keys and credentials."""
    kms.forget()
    engines._known.clear()


def test_a_job_runs_on_credentials_that_kms_opens(dora: Any, deepgram: FakeDeepgram) -> None:
    bring(dora, deepgram.KEY)
    started_anew()
    hands = Hands(dora)
    job = hands.submit("", engine="deepgram", language="en")
    hands.work(OWN, "media")
    assert (job.row()["status"], job.row()["routing"]["own"]) == ("completed", ["deepgram"])
    assert job.entries("cost") == []  # it is not the operator's account
    [row] = DataKey.objects.using("owner").filter(tenant_id=dora.id)
    assert row.master_version.startswith("aws-kms://")


def test_a_job_waits_for_kms_and_uses_up_no_attempts(
    dora: Any, deepgram: FakeDeepgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(dora, deepgram.KEY)
    hands = Hands(dora)
    job, asked = hands.submit("", engine="deepgram", language="en"), len(deepgram.asked)
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL_KMS", kms.NOWHERE)
        for _ in range(7):  # more often than a step may fail
            started_anew()
            hands.work(OWN, most=1)
            assert job.items() == [("transcribe", "waiting")]
            hands.sweep()
    assert (job.row()["status"], job.attempts(), len(deepgram.asked)) == ("running", [], asked)
    started_anew()
    hands.work(OWN, "media")
    assert job.row()["status"] == "completed"
    assert len(job.entries("usage")) == 1


def test_credentials_are_not_half_kept_while_kms_is_away(
    dora: Any, deepgram: FakeDeepgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    kms.forget()
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL_KMS", kms.NOWHERE)
        with pytest.raises(VaultUnavailable):  # which routes answer with 503
            bring(dora, deepgram.KEY)
    with acting(dora) as caller:
        assert services.list_all(caller) == []


def test_a_callback_that_kms_keeps_from_being_read_is_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise VaultUnavailable("KMS does not answer")

    monkeypatch.setattr(speech.facade, "deliver", away)
    path = callback_of(uuid4(), Attempt(uuid4(), 1, "assemblyai")).url.partition("//")[2].partition("/")[2]
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/{path}", "headers": [], REQUEST_ID: "req_1"}
    asyncio.run(take_callback(scope, receive, send))
    assert sent[0]["status"] == 503
