"""`parlance billing …` as an operator types it, in this process's database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apikit import ids
from billing.facade import list_adjustments
from billing.models import Contract, UsageEntry, Wallet
from tests.billing.conftest import MINUTE_MS

pytestmark = pytest.mark.usefixtures("migrated")
ANN, BEN = ("--as", "ann@example.com"), ("--as", "ben@example.com")


def test_a_wallet_is_made_and_its_money_stays(alice: Any, command: Callable[..., Any], job: Callable[..., Any],
                                              inside: Callable[..., Any]) -> None:  # fmt: skip
    who = ids.show(ids.TENANT, alice.id)
    assert "wallet set TENANT" in command("wallet", "grant", who, "5", "--operation", "p1", *ANN)
    assert command("wallet", "set", who, *ANN)["currency"] == "USD"
    assert command("wallet", "grant", who, "5", "--operation", "p1", *ANN)["new"] is True
    assert command("wallet", "low-at", who, "1.5", *ANN)["low_at"] == "1.5"
    with inside(alice):
        job(alice).hold(expected=MINUTE_MS)
    command("wallet", "set", who, "--credit-limit", "2", *ANN)
    wallet = Wallet.objects.using("system").get(pk=alice.id)
    assert (wallet.balance, wallet.held, wallet.credit_limit, wallet.low_at) == (
        Decimal(5), Decimal("0.006"), Decimal(2), Decimal("1.5"),
    )  # fmt: skip
    for wrong in ("much", "NaN", "0.0000000001"):
        assert "amount" in command("wallet", "low-at", who, wrong, *ANN)


def test_terms_rates_and_corrections_need_two_people(alice: Any, command: Callable[..., Any]) -> None:
    who = ids.show(ids.TENANT, alice.id)
    command(
        "contract", "set", who, "2026-10", "--legal-name", "㈜한국", "--tax-name", "VAT", "--tax-percent", "10", *ANN
    )
    contract = Contract.objects.using("system").get(tenant_id=alice.id)
    assert (contract.legal_name, contract.tax_percent, contract.created_by) == ("㈜한국", 10, "ann@example.com")

    drafted = command("fx", "set", "1971-01-01", "--rate", "USD/ISK=137.5", "--source", "a bank", *ANN)
    assert "Another person" in command("fx", "approve", drafted["version"], *ANN)
    assert command("fx", "approve", drafted["version"], *BEN)["status"] == "approved"
    assert "USD/KRW=" in command("fx", "set", "1971-01-01", "--rate", "USD:KRW", "--source", "a bank", *ANN)

    asked = command("adjust", "propose", who, "--amount=-5", "--reason", "outage", "--text", "an hour", *ANN)["id"]
    assert "Another person" in command("adjust", "approve", asked, *ANN)
    assert command("adjust", "approve", asked, *BEN)["status"] == "approved"
    assert [(one.amount, one.status) for one in list_adjustments(tenant_id=alice.id)] == [(Decimal(-5), "approved")]
    assert "one of these reasons" in command(
        "adjust", "propose", who, "--amount", "5", "--reason", "none", "--text", "x", *ANN
    )
    assert "no invoice" in command(
        "invoice", "void", ids.show(ids.STATEMENT, alice.id), "--reason", "other", "--text", "twice", *ANN
    )


def test_a_job_is_taken_back_by_two_people(alice: Any, command: Callable[..., Any], ended: Callable[..., UUID]) -> None:
    job_id = ended("completed", minutes=1, measured_ms=MINUTE_MS)
    shown, why = ids.show(ids.TRANSCRIPTION, job_id), ("--reason", "quality", "--text", "silence")
    assert "no such job" in command("adjust", "reverse", "trn_nothing", *why, *ANN)
    assert "one of these reasons" in command("adjust", "reverse", shown, "--reason", "x", "--text", "y", *ANN)
    asked = command("adjust", "reverse", shown, *why, *ANN)["id"]
    assert "Another person" in command("adjust", "approve", asked, *ANN)
    entries = UsageEntry.objects.using("system").filter(subject_id=job_id).order_by("kind")
    assert [entry.kind for entry in entries.all()] == ["usage"]
    command("adjust", "approve", asked, *BEN)
    assert [(one.kind, one.amount) for one in entries.all()] == [
        ("reversal", Decimal("-0.006")), ("usage", Decimal("0.006")),
    ]  # fmt: skip
    (listed,) = list_adjustments(tenant_id=alice.id)
    assert (listed.kind, listed.created_by, listed.approved_by) == ("reversal", "ann@example.com", "ben@example.com")


def test_the_margin_of_a_month_is_printed_with_its_rates(
    alice: Any, command: Callable[..., Any], ended: Callable[..., UUID]
) -> None:
    ended("completed", minutes=1)
    month = f"{datetime.now(UTC):%Y-%m}"
    found = {one["engine"]: one for one in command("margin", month, "--currency", "usd", many=True)}
    (revenue,) = [one for one in found["simulated"]["revenue"] if one["currency"] == "USD"]
    assert (revenue["rate"], revenue["rate_table"]) == ("1", None)
