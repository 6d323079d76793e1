"""Money is set aside before work starts, and racing jobs never take more than there is."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing.facade import InsufficientFunds, NoPrice, place_hold, raise_hold, release, set_wallet
from billing.models import Hold
from tenants.facade import tenant_context

ONE_MINUTE = Decimal("0.006")  # simulated engine, USD, seeded book
MINUTE_MS = 60_000


def wallet(someone: Any, balance: str, *, credit: str = "0", currency: str = "USD") -> None:
    set_wallet(someone.id, currency=currency, balance=Decimal(balance), credit_limit=Decimal(credit))


def test_a_hold_takes_the_expected_price_and_keeps_the_book_version(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    wallet(alice, "1")
    new = job(alice)
    with inside(alice):
        assert new.hold(expected=2 * MINUTE_MS) == 1
    assert wallet_of(alice) == (Decimal(1), 2 * ONE_MINUTE)


def test_an_unknown_length_holds_the_dearest_engines_minimum(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any]
) -> None:
    new = job(alice)
    with inside(alice):
        place_hold(
            new.id, tenant_id=alice.id, livemode=True, currency="USD", meter="audio_ms",
            engines=["pocketsphinx", "simulated"], expected=None,
        )  # fmt: skip
        assert Hold.objects.get(pk=new.id).amount == Decimal("0.000000100")


def test_without_a_wallet_the_job_is_postpaid(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    billed, given_up = job(alice), job(alice)
    with inside(alice):
        billed.hold(expected=10**12)
        given_up.hold()
    wallet(alice, "1")
    with inside(alice):
        assert raise_hold(billed.id, engine="simulated", meter="audio_ms", quantity=10**13)
        billed.settle()
        release(given_up.id)
    assert wallet_of(alice) == (Decimal(1), Decimal(0))


def test_a_test_keys_job_holds_nothing(alice: Any, job: Callable[..., Any], inside: Callable[..., Any]) -> None:
    wallet(alice, "0")
    new = job(alice)
    with inside(alice):
        assert new.hold(livemode=False) == 1
        assert not Hold.objects.filter(pk=new.id).exists()
        assert not raise_hold(new.id, engine="simulated", meter="audio_ms", quantity=1)


@pytest.mark.parametrize(("balance", "credit", "covered"), [
    ("0.006", "0", True), ("0.005999999", "0", False), ("0", "0.006", True), ("-1", "1.005999999", False),
])  # fmt: skip
def test_a_hold_is_covered_by_balance_and_credit_to_the_last_billionth(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any], balance: str,
    credit: str, covered: bool,
) -> None:  # fmt: skip
    wallet(alice, balance, credit=credit)
    new = job(alice)
    if covered:
        with inside(alice):
            new.hold()
    else:
        with pytest.raises(InsufficientFunds, match="Top it up"), inside(alice):
            new.hold()
    assert wallet_of(alice)[1] == (ONE_MINUTE if covered else 0)


def test_a_refused_hold_leaves_the_transaction_usable(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    wallet(alice, "0.006")
    refused, accepted = job(alice), job(alice)
    with inside(alice):
        with pytest.raises(InsufficientFunds):
            refused.hold(expected=MINUTE_MS + 1)
        accepted.hold()
        assert list(Hold.objects.values_list("job_id", flat=True)) == [accepted.id]
    assert wallet_of(alice)[1] == ONE_MINUTE


def test_a_wallet_of_another_currency_does_not_pay(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any]
) -> None:
    wallet(alice, "1000000", currency="KRW")
    with pytest.raises(InsufficientFunds), inside(alice):
        job(alice).hold()


def test_sixteen_racing_jobs_never_overspend(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], in_threads: Callable[..., Any],
    wallet_of: Callable[..., Any],
) -> None:  # fmt: skip
    wallet(alice, str(20 * ONE_MINUTE + ONE_MINUTE / 2))

    def accept_four() -> int:
        done = 0
        for _ in range(4):
            try:
                with inside(alice):
                    job(alice).hold()
                done += 1
            except InsufficientFunds:
                pass
        return done

    results = in_threads([accept_four] * 16)
    taken = wallet_of(alice)[1]

    assert sum(results) == 20
    assert taken == 20 * ONE_MINUTE
    with tenant_context(alice.tenant):
        assert Hold.objects.count() == 20


def test_a_hundred_long_jobs_on_a_wallet_of_one_unit_start_no_engine(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], in_threads: Callable[..., Any],
    wallet_of: Callable[..., Any],
) -> None:  # fmt: skip
    wallet(alice, "1")
    jobs = [job(alice) for _ in range(100)]
    with inside(alice):
        for new in jobs:
            new.hold(expected=None)
    small = wallet_of(alice)[1]

    def measure(some: list[Any]) -> int:
        refused = 0
        for new in some:
            with inside(alice):
                try:
                    raise_hold(new.id, engine="simulated", meter="audio_ms", quantity=10 * 60 * MINUTE_MS)
                except InsufficientFunds:
                    refused += 1
        return refused

    refused = in_threads([lambda part=part: measure(jobs[part::8]) for part in range(8)])

    assert sum(refused) == 100
    assert wallet_of(alice) == (Decimal(1), small)


def test_raising_moves_the_hold_to_the_measured_price_and_back(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    wallet(alice, "0.06")
    new = job(alice)
    with inside(alice):
        new.hold(expected=None)
    for quantity in (10 * MINUTE_MS, 3 * MINUTE_MS):
        with inside(alice):
            assert raise_hold(new.id, engine="simulated", meter="audio_ms", quantity=quantity)
        assert wallet_of(alice)[1] == ONE_MINUTE * quantity / MINUTE_MS
    with inside(alice), pytest.raises(InsufficientFunds):
        raise_hold(new.id, engine="simulated", meter="audio_ms", quantity=11 * MINUTE_MS)
    assert wallet_of(alice)[1] == 3 * ONE_MINUTE


def test_releasing_gives_back_once(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any],
    entries_of: Callable[..., Any],
) -> None:  # fmt: skip
    wallet(alice, "1")
    kept, gone = job(alice), job(alice)
    with inside(alice):
        kept.hold()
        gone.hold()
    for _ in range(2):
        with inside(alice):
            release(gone.id)
        assert wallet_of(alice) == (Decimal(1), ONE_MINUTE)
    assert entries_of(gone) == []


def test_the_system_may_release_what_it_gave_up_on(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], wallet_of: Callable[..., Any]
) -> None:
    wallet(alice, "1")
    stuck = job(alice)
    with inside(alice):
        stuck.hold()
    release(stuck.id, using="system")
    assert wallet_of(alice) == (Decimal(1), Decimal(0))


@pytest.mark.parametrize(("engine", "currency"), [("unheard-of", "USD"), ("simulated", "EUR")])
def test_it_refuses_an_engine_without_a_price(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], engine: str, currency: str
) -> None:
    with pytest.raises(NoPrice, match=f"{engine} .* {currency}"), inside(alice):
        place_hold(
            job(alice).id, tenant_id=alice.id, livemode=True, currency=currency, meter="audio_ms",
            engines=["simulated", engine], expected=1,
        )  # fmt: skip


def test_a_hold_costs_one_statement(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], statements: Callable[[], Any]
) -> None:
    wallet(alice, "1")
    with inside(alice):
        job(alice).hold()
        with statements() as warm:
            job(alice).hold()
        new = job(alice)
        new.hold()
        with statements() as raising:
            raise_hold(new.id, engine="simulated", meter="audio_ms", quantity=5)
        with statements() as settling:
            new.settle()
        with statements() as again:
            new.settle()
    assert [len(warm), len(raising), len(settling), len(again)] == [1, 2, 2, 2]
