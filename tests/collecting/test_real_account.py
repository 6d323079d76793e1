"""The same adapter against Stripe's own sandbox. Opt-in, and not run so far: it needs a test key and the internet."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

KEY = os.environ.get("STRIPE_TEST_KEY", "")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not KEY, reason="set STRIPE_TEST_KEY=sk_test_… to ask Stripe itself"),
]


@pytest.fixture
def account() -> Iterator[Any]:
    assert KEY.startswith("sk_test_"), "never a live key"
    from billing.stripe.gateway import Gateway
    from billing.stripe.settings import StripeSettings

    real = Gateway(StripeSettings(KEY, "whsec_unused"))
    yield real
    real.close()


def test_a_real_account_makes_and_voids_an_invoice(account: Any) -> None:
    from billing.stripe.gateway import InvoiceLine

    tenant, statement, since = uuid4(), uuid4(), int(time.time()) - 60
    made = account.create_customer(tenant, name="Parlance test", key=f"test-{tenant}")
    assert account.find_customer(tenant, since=since).id == made.id
    invoice = account.create_invoice(
        made.id, statement_id=statement, period="2026-10", currency="USD", automatic=False, days_until_due=30,
        key=f"test-{statement}",
    )  # fmt: skip
    lines = [InvoiceLine("0", "usage", 1_234), InvoiceLine("wallet", "paid", -34)]
    account.add_lines(invoice.id, lines, key=f"test-lines-{statement}")
    assert account.places_of(invoice.id) == {"0": 1_234, "wallet": -34}
    assert account.find_invoice(made.id, statement_id=statement).total == 1_200
    assert account.finalize(invoice.id, key=f"test-finalize-{statement}").status == "open"
    assert account.void(invoice.id, key=f"test-void-{statement}").status == "void"
