"""A loopback Stripe as the configured account, and tenants with an approved statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.fakes.stripe_loopback.server import LoopbackStripe


@pytest.fixture
def at_stripe(migrated: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackStripe]:
    """The account that this process's settings name."""
    from django.conf import settings

    from billing.stripe.facade import StripeSettings
    from billing.stripe.gateway import gateway

    loopback = LoopbackStripe()
    monkeypatch.setattr(settings, "STRIPE", StripeSettings(loopback.api_key, loopback.secret, loopback.url))
    yield loopback
    gateway().close()
    loopback.close()
    _forget_calls()


def _forget_calls() -> None:
    """What one test left to be done is not done in the next, at another account."""
    from billing.stripe.models import StripeCall, StripeEvent

    StripeCall.objects.using("system").filter(state="pending").update(state="failed", error="the test is over")
    StripeEvent.objects.using("system").filter(handled_at=None).update(attempts=1_000)


@dataclass(frozen=True)
class Billed:
    """A tenant with an approved statement of one month."""

    owner: Any
    statement_id: UUID
    due: Decimal

    @property
    def statement(self) -> Any:
        from billing.facade import statement_of

        return statement_of(self.statement_id)


@pytest.fixture
def a_month(migrated: None) -> date:
    """The first of a month in which nothing counts yet: closing cannot be undone."""
    from django.db import connections

    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT least((SELECT min(period) FROM billing_period), (SELECT min(origin_period) FROM usage_entry),"
            " date '1990-01-01')"
        )
        earliest: date = cursor.fetchone()[0]
    return earliest.replace(year=earliest.year - 1, month=3)


@pytest.fixture
def billed(new_tenant: Callable[..., Any], a_month: date) -> Callable[..., Billed]:
    """Somebody who used `minutes` and whose statement two people agreed on."""

    def make(*, currency: str = "USD", minutes: int = 10, jobs: int = 1, tax: str = "10") -> Billed:
        owner = new_tenant("payer", currency=currency)
        for _ in range(jobs):
            use(owner, minutes=minutes, month=a_month, currency=currency)
        return agreed(owner, month=a_month, tax=tax)

    return make


def use(owner: Any, *, minutes: int, month: date, currency: str) -> UUID:
    """One job of so many minutes, on the month's second day."""
    from django.db import transaction

    from billing.facade import AUDIO_MS, MeasuredLine, place_hold, settle
    from tenants.facade import tenant_context

    job, moment = uuid4(), datetime(month.year, month.month, 2, 12, tzinfo=UTC)
    quantity = minutes * 60_000
    with tenant_context(owner.tenant), transaction.atomic():
        place_hold(job, tenant_id=owner.id, livemode=True, currency=currency, meter="audio_ms", engines=["simulated"],
                   expected=quantity)  # fmt: skip
        settle(
            job, tenant_id=owner.id, livemode=True, api_key_id=owner.caller.key_id, occurred_at=moment,
            subject_created_at=datetime.now(UTC) - timedelta(seconds=1),
            lines=[MeasuredLine("simulated", "", "batch", AUDIO_MS, quantity)],
        )  # fmt: skip
    return job


def agreed(owner: Any, *, month: date, tax: str = "10", collection: str = "stripe") -> Billed:
    """The month closed, rated, reviewed and approved."""
    from billing.facade import (
        approve_statement,
        close_period,
        list_statements,
        rate_month,
        review_statement,
        set_contract,
    )

    set_contract(
        owner.id, starts_on=month, actor="ann", tax_name="VAT", tax_percent=Decimal(tax), collection=collection
    )
    close_period(month)
    rate_month(month)
    (found,) = list_statements(period=month, tenant_id=owner.id)
    review_statement(found.id, actor="ann")
    approve_statement(found.id, actor="bob")
    return Billed(owner, found.id, found.totals.due)


@pytest.fixture
def saved_card(at_stripe: LoopbackStripe) -> Callable[[Billed], None]:
    """The tenant's people have saved a card on Stripe's page, and Stripe has said so."""

    def save(somebody: Billed) -> None:
        from billing.stripe.facade import collect_once
        from billing.stripe.intake import note_event
        from billing.stripe.topups import card_link
        from tests.fakes.stripe_loopback.customers import complete_session

        urls = {"success_url": "https://app.example.com", "cancel_url": "https://app.example.com"}
        session = card_link(somebody.owner.id, currency=somebody.owner.caller.currency, urls=urls)
        event = complete_session(at_stripe.account, session.id)
        note_event(event["id"], event["type"], event["data"]["object"]["id"])
        collect_once()

    return save


@pytest.fixture
def collect() -> Callable[[], None]:
    """Rounds of the collector until nothing is left to do; waiting times are over at once."""

    def until_done() -> None:
        from billing.stripe.facade import collect_once

        for _ in range(60):
            hurry()
            if not collect_once():
                return
        raise AssertionError("the collector has no end")

    return until_done


def hurry() -> None:
    from django.db.models.functions import Now

    from billing.stripe.models import StripeCall, StripeEvent

    StripeCall.objects.using("system").filter(state="pending").update(not_before=Now(), attempts=1)
    StripeEvent.objects.using("system").filter(handled_at=None).update(not_before=Now())


def credit(somebody: Billed, amount: str) -> None:
    """A credit note that ann asked for and bob approved."""
    from billing.facade import approve_adjustment
    from billing.stripe.facade import request_credit_note

    asked = request_credit_note(
        somebody.statement_id, amount=Decimal(amount), memo="late", reason="goodwill", text="late", actor="ann"
    )
    approve_adjustment(asked, actor="bob")


def send_back(session_id: str, amount: str) -> None:
    """A refund that ann asked for and bob approved."""
    from billing.facade import approve_adjustment
    from billing.stripe.facade import request_refund

    asked = request_refund(session_id, amount=Decimal(amount), reason="goodwill", text="they leave", actor="ann")
    approve_adjustment(asked, actor="bob")
