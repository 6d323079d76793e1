"""`parlance billing …` as an operator types it, in this process's database."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from apikit import ids
from billing.facade import list_adjustments
from billing.models import Contract, Wallet
from tests.billing.conftest import MINUTE_MS

pytestmark = pytest.mark.usefixtures("migrated")
ANN, BEN = ("--as", "ann@example.com"), ("--as", "ben@example.com")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs it; the answer, or the error's text. Django is set up here already."""
    for module in ("billing", "billing_money", "billing_wallets"):
        monkeypatch.setattr(f"workers.cli.{module}.set_up", lambda _: None)
    from workers.cli.billing import app

    def run(*arguments: object) -> Any:
        done = CliRunner().invoke(app, [*map(str, arguments), "--json"], env={"COLUMNS": "300"})
        assert done.exit_code in (0, 2), done.output
        return json.loads(done.stdout) if done.exit_code == 0 else done.output

    return run


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
    assert "no invoice" in command("invoice", "void", ids.show(ids.STATEMENT, alice.id), *ANN)
