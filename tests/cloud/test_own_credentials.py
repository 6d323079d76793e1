"""Tenants' own credentials: tried, sealed, used in place of the operator's, and failing for their tenant alone."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import connections

from billing.facade import BYOK
from dispatch.facade import JobRow
from events.facade import AuditWanted, audit_rows
from speech import breakers, calling, providers
from speech.engines.errors import EngineError
from speech.engines.ports import EngineRequest
from speech.engines.providers import DeepgramSettings, Providers
from speech.engines.registry import hearers_with
from speech.models import ProviderCredential
from speech.options import Options
from speech.own_credentials import contracts, engines, own_engine, services, telling
from speech.own_credentials.errors import CredentialError
from speech.own_credentials.services import NewCredential
from speech.routing import region_of
from tenants.facade import tenant_context
from tests.fakes.deepgram import FakeDeepgram
from tests.fakes.hearers import tone

OPERATORS = "operators-key-of-deepgram-0000"


@pytest.fixture
def deepgram() -> Iterator[FakeDeepgram]:
    """A provider on loopback that knows one key."""
    fake = FakeDeepgram()
    fake.KEY = "dg-0123456789abcdef"
    yield fake
    fake.close()


@pytest.fixture(autouse=True)
def _installed(deepgram: FakeDeepgram, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The operator's own account there, whose key is not good; nothing is remembered from other tests."""
    # A region of its own: what breaks in one test is whole in the next.
    there = Providers(deepgram=DeepgramSettings(OPERATORS, region=f"r{uuid4().hex[:8]}", base_url=deepgram.url))
    monkeypatch.setattr(providers, "installed", lambda: there)
    engines._known.clear()
    providers.hearers_of_the_operator.cache_clear()
    yield
    made = [
        *providers.hearers_of_the_operator().values(),
        *(e for k in engines._known.values() for e in k.engines.values()),
    ]
    for engine in made:
        engine.close()
    engines._known.clear()
    providers.hearers_of_the_operator.cache_clear()


@contextmanager
def acting(person: Any) -> Iterator[Any]:
    with tenant_context(person.tenant):
        yield person.caller


def bring(person: Any, secret: str) -> ProviderCredential:
    with acting(person) as caller:
        return services.create(caller, NewCredential("deepgram", secret))


def hear(person: Any, pcm: Any) -> Any:
    """As a job of the person's does it."""
    with acting(person):
        cloud, job = providers.hearers()["deepgram"], cast(JobRow, SimpleNamespace(tenant_id=person.id, livemode=True))
        with calling.call_of(cloud.capabilities, job, operation=breakers.TRANSCRIBE, audio_ms=pcm.duration_ms):
            return cloud.submit(pcm, request=EngineRequest(Options(language="en")))


def events(person: Any) -> list[str]:
    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT convert_from(body, 'utf8') FROM outbox_event WHERE tenant_id = %s AND type = %s",
            [person.id, telling.FAILING],
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.parametrize("module", [contracts, own_engine, breakers])
def test_examples_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def test_good_ones_are_kept_sealed_and_never_shown(alice: Any, deepgram: FakeDeepgram) -> None:
    row = bring(alice, deepgram.KEY)
    shown = telling.shown(row)
    assert (shown["last4"], shown["status"]) == (deepgram.KEY[-4:], "working")
    assert deepgram.KEY not in str(shown)
    with connections["owner"].cursor() as cursor:
        cursor.execute(f'SELECT t::text, secret FROM "{alice.tenant.schema_name}".provider_credential t')
        stored, secret = cursor.fetchone()
    assert deepgram.KEY not in stored
    assert deepgram.KEY.encode() not in bytes(secret)


def test_bad_ones_are_refused_and_nothing_is_kept(alice: Any) -> None:
    with pytest.raises(CredentialError) as refused:
        bring(alice, "no-such-key-anywhere")
    assert (refused.value.code, refused.value.field) == ("provider_credential_refused", "secret")
    assert "no-such-key-anywhere" not in refused.value.detail
    with acting(alice) as caller:
        assert services.list_all(caller) == []


def test_a_second_one_for_the_same_provider_is_refused(alice: Any, deepgram: FakeDeepgram) -> None:
    bring(alice, deepgram.KEY)
    with pytest.raises(CredentialError, match="provider_credential_exists"):
        bring(alice, deepgram.KEY)


def test_a_test_key_brings_none(alice: Any, deepgram: FakeDeepgram) -> None:
    with acting(alice) as caller, pytest.raises(CredentialError, match="live_key_required"):
        services.create(replace(caller, livemode=False), NewCredential("deepgram", deepgram.KEY))


@pytest.mark.parametrize(("provider", "region"), [("deepgram", "eu"), ("assemblyai", "kr"), ("azure", "")])
def test_a_region_that_is_none_is_refused_before_anybody_is_called(alice: Any, provider: str, region: str) -> None:
    with acting(alice) as caller, pytest.raises(CredentialError, match="invalid_region"):
        services.create(caller, NewCredential(provider, "some-secret-or-other", region))


def test_its_jobs_go_on_its_own_account_and_others_on_the_operators(
    alice: Any, charlie: Any, deepgram: FakeDeepgram, pcm: Any
) -> None:
    bring(alice, deepgram.KEY)
    assert hear(alice, pcm).transcript.text
    with pytest.raises(EngineError, match="provider_credentials_refused"):  # the operator's key is no good here
        hear(charlie, pcm)
    with acting(alice):
        able = providers.hearers()["deepgram"].capabilities
        assert (able.executor, able.region[:1], providers.hearer("deepgram", own=True) is None) == (
            "cloud:deepgram:own",
            "r",
            False,
        )
        assert region_of(able) == able.region
    with acting(charlie):
        assert providers.hearer("deepgram", own=True) is None


def test_credentials_that_fail_later_open_their_tenants_circuit_alone_and_it_is_told_once(
    alice: Any, charlie: Any, deepgram: FakeDeepgram, pcm: Any
) -> None:
    bring(alice, deepgram.KEY)
    bring(charlie, deepgram.KEY)
    with acting(alice) as caller:
        row = services.list_all(caller)[0]
        ProviderCredential.objects.filter(pk=row.pk).update(
            secret=services.sealing.sealed("revoked-since-then-00", tenant_id=alice.id, row_id=row.id),
            updated_at=datetime.now(UTC),
        )
    engines.forget(alice.id)
    with pytest.raises(EngineError, match="provider_credentials_refused"):
        hear(alice, pcm)
    for _ in range(2):
        with pytest.raises(calling.NotMade, match="circuit_open"):
            hear(alice, pcm)
    assert hear(charlie, pcm).transcript.text
    assert len(events(alice)) == 1
    assert '"failing_code":"provider_credentials_refused"' in events(alice)[0].replace(" ", "")
    assert events(charlie) == []
    with acting(alice) as caller:
        assert telling.shown(services.list_all(caller)[0])["status"] == "failing"


def test_an_account_without_money_stops_its_tenants_calls_alone(
    alice: Any, charlie: Any, deepgram: FakeDeepgram, pcm: Any
) -> None:
    for person in (alice, charlie):
        bring(person, deepgram.KEY)
    deepgram.faults.append("no_quota")
    with pytest.raises(EngineError, match="provider_quota"):
        hear(alice, pcm)
    with pytest.raises(calling.NotMade, match="circuit_open"):
        hear(alice, pcm)
    assert hear(charlie, pcm).transcript.text
    assert [json.loads(told)["data"]["failing_code"] for told in events(alice)] == ["provider_quota"]
    assert events(charlie) == []


def test_a_rotated_secret_is_used_and_a_bad_one_leaves_the_old(alice: Any, deepgram: FakeDeepgram, pcm: Any) -> None:
    row = bring(alice, deepgram.KEY)
    with acting(alice) as caller:
        with pytest.raises(CredentialError, match="provider_credential_refused"):
            services.rotate(caller, row, secret="wrong-one-this-time")
        assert services.rotate(caller, row, secret=deepgram.KEY).rotated_at is not None
    assert hear(alice, pcm).transcript.text


def test_deleted_ones_are_used_no_more(alice: Any, deepgram: FakeDeepgram) -> None:
    row = bring(alice, deepgram.KEY)
    with acting(alice) as caller:
        services.delete(caller, row)
        assert providers.hearer("deepgram", own=True) is None


def test_every_change_is_in_the_audit_log(alice: Any, deepgram: FakeDeepgram) -> None:
    row = bring(alice, deepgram.KEY)
    with acting(alice) as caller:
        services.rotate(caller, row, secret=deepgram.KEY)
        services.check(caller, row)
        services.delete(caller, row)
        told = list(audit_rows(AuditWanted(alice.id, livemode=True, action="provider_credential.*"), limit=9))[::-1]
    assert [(one.action, one.before is not None, one.after is not None) for one in told] == [
        ("provider_credential.created", False, True), ("provider_credential.rotated", True, True),
        ("provider_credential.checked", True, True), ("provider_credential.deleted", True, False),
    ]  # fmt: skip
    assert deepgram.KEY not in str(told)
    assert {one.actor for one in told} == {str(alice.caller.key_id)}


def test_a_secret_moved_to_another_tenant_opens_nothing(alice: Any, charlie: Any, deepgram: FakeDeepgram) -> None:
    row = bring(alice, deepgram.KEY)
    with acting(charlie):
        ProviderCredential.objects.create(
            id=row.id, livemode=True, provider="deepgram", secret=row.secret, checked_at=row.checked_at
        )
        assert providers.hearer("deepgram", own=True) is None  # unreadable: the operator's engine stays in its place
        assert providers.hearers()["deepgram"].capabilities.executor != "cloud:deepgram:own"


def test_every_provider_that_takes_credentials_makes_an_engine() -> None:
    for provider in contracts.KINDS:
        made = engines.made_with(contracts.OwnCredential(provider, "{}", "eu"), installed=Providers())
        assert list(made) == [provider]
        assert own_engine.as_own(made[provider].capabilities).executor in engines.executors()
    assert set(hearers_with(Providers())) == {"simulated-cloud"}


def test_seeds_price_what_runs_on_own_accounts(alice: Any) -> None:
    from billing.facade import hourly_rates

    assert hourly_rates("USD", tenant_id=None, mode=BYOK).keys() >= contracts.KINDS.keys()


@pytest.fixture
def pcm(tmp_path: Any) -> Any:
    """A second of something."""
    return tone(tmp_path / "a.pcm", duration_ms=1_000)
