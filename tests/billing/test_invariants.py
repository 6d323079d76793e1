"""What holds whatever happens: wallets under racing workers, closed months, every engine's unit. Small here, and with
ten thousand cases in the long run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from parlance import recompute_statement

from billing import rating
from billing.books import book_in_force
from billing.contracts import Price
from billing.facade import (
    ImportedEntry,
    InsufficientFunds,
    MeasuredLine,
    approve_book,
    close_period,
    draft_book,
    expire_grants,
    forget_books,
    grant,
    import_entries,
    json_lines,
    list_statements,
    place_hold,
    raise_hold,
    rate_month,
    release,
    set_contract,
    set_wallet,
    settle,
    statement_of,
)
from billing.models import Hold, UsageEntry, Wallet
from billing.periods import content_of
from billing.seeds import BOOKS
from billing.statements.canonical import content_hash
from billing.statements.drafting import preview
from billing.statements.groups import groups_of
from billing.statements.terms import terms_of
from tenants.facade import tenant_context

pytestmark = pytest.mark.usefixtures("migrated")
MINUTE_MS, WORKERS = 60_000, 3


def for_all(cases: int, work: Callable[..., None], *strategies: Any) -> None:
    """`work` with so many drawn cases, all of one tenant."""

    @settings(max_examples=cases)
    @given(st.tuples(*strategies))
    def play(case: tuple[Any, ...]) -> None:
        work(*case)

    play()


# ── wallets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Step:
    """What a worker does with one job: what it expects, what it measures, and how it ends."""

    expected_ms: int | None
    measured_ms: int
    end: str


LENGTHS = st.integers(1, 3 * MINUTE_MS)
STEPS = st.builds(Step, st.none() | LENGTHS, LENGTHS, st.sampled_from(["settle", "settle", "release", "crash"]))
RACES = (
    st.integers(0, 40).map(lambda milli: Decimal(milli) / 1000),  # a minute is 0.006
    st.integers(0, 10).map(lambda milli: Decimal(milli) / 1000),
    st.lists(st.lists(STEPS, min_size=1, max_size=3), min_size=WORKERS, max_size=WORKERS),
    st.none() | st.integers(1, 20).map(lambda milli: Decimal(milli) / 1000),
)


class Racers:
    """Workers with a connection each, who use the wallet of one tenant, and look at it inside every transaction."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        self._threads = ThreadPoolExecutor(WORKERS + 1)

    def close(self) -> None:
        together = Barrier(WORKERS + 1)  # each thread closes its own

        def leave() -> None:
            together.wait(timeout=30)
            connections.close_all()

        for left in [self._threads.submit(leave) for _ in range(WORKERS + 1)]:
            left.result()
        self._threads.shutdown()

    def race(self, balance: Decimal, credit: Decimal, scripts: Sequence[Sequence[Step]], gift: Decimal | None) -> None:
        set_wallet(self.owner.id, currency="USD", balance=balance, credit_limit=credit)
        begun = datetime.now(UTC)
        work = [self._threads.submit(self._work, script) for script in scripts]
        given = self._threads.submit(self._give, gift)
        left = [job_id for done in work for job_id in done.result()]
        given.result()
        self._check_the_end(balance, begun, left)

    def _work(self, script: Sequence[Step]) -> list[UUID]:
        """The jobs that were left with a hold, as by a worker that was killed."""
        return [job_id for job_id in map(self._one_job, script) if job_id is not None]

    def _one_job(self, step: Step) -> UUID | None:
        job_id, created_at = uuid4(), datetime.now(UTC)
        job = {"tenant_id": self.owner.id, "livemode": True}
        if not self._try(partial(place_hold, job_id, **job, currency="USD", meter="audio_ms", engines=["simulated"],
                                 expected=step.expected_ms)):  # fmt: skip
            return None
        raised = self._try(partial(raise_hold, job_id, engine="simulated", meter="audio_ms", quantity=step.measured_ms))
        if step.end == "crash":
            return job_id
        if step.end == "release" or not raised:
            self._try(partial(release, job_id))
        else:
            line = MeasuredLine("simulated", "", "batch", "audio_ms", step.measured_ms)
            self._try(partial(settle, job_id, **job, api_key_id=self.owner.caller.key_id,
                              subject_created_at=created_at, lines=[line]))  # fmt: skip
        return None

    def _try(self, work: Callable[[], Any]) -> bool:
        try:
            with tenant_context(self.owner.tenant), transaction.atomic():
                work()
                self._look()
        except InsufficientFunds:
            return False
        return True

    def _give(self, gift: Decimal | None) -> None:
        """Money that comes and, with what is left of it, goes at once."""
        if gift is not None:
            grant(self.owner.id, amount=gift, operation=uuid4().hex, actor="test", expires_at=datetime.now(UTC))
            expire_grants()

    def _look(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT balance + credit_limit - held FROM wallet WHERE tenant_id = %s", [self.owner.id])
            assert cursor.fetchone()[0] >= 0

    def _check_the_end(self, balance: Decimal, begun: datetime, left: Sequence[UUID]) -> None:
        wallet = Wallet.objects.using("system").get(pk=self.owner.id)
        held = rating.total(
            Hold.objects.using("system").filter(tenant_id=self.owner.id).values_list("amount", flat=True)
        )
        billed = rating.total(
            UsageEntry.objects.using("system")
            .filter(tenant_id=self.owner.id, subject_created_at__gte=begun)
            .values_list("amount", flat=True)
        )
        with connections["system"].cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(amount), 0) FROM wallet_entry WHERE tenant_id = %s AND kind <> 'set'"
                " AND created_at >= %s", [self.owner.id, begun],
            )  # fmt: skip
            moved = cursor.fetchone()[0]
        assert wallet.held == held
        assert wallet.balance == balance + moved - billed
        assert wallet.balance + wallet.credit_limit - wallet.held >= 0
        for job_id in left:
            release(job_id, using="system")


@pytest.fixture
def racers(alice: Any) -> Iterator[Racers]:
    made = Racers(alice)
    set_wallet(alice.id, currency="USD", balance=Decimal(0))
    yield made
    made.close()


def test_a_wallet_is_never_overdrawn_by_racing_workers(racers: Racers) -> None:
    for_all(40, racers.race, *RACES)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_ten_thousand_races_for_a_wallet(racers: Racers) -> None:
    for_all(10_000, racers.race, *RACES)


# ── closed months ────────────────────────────────────────────────────────────────────────────────────────────────────

PRICES = [
    {"engine": "simulated", "mode": "batch", "unit_price": "0.006", "included": 90_000, "tier_mode": "graduated",
     "tiers": [{"up_to": 400_000, "unit_price": "0.006"}, {"unit_price": "0.0047"}]},
    {"engine": "simulated", "mode": "sync", "unit_price": "0.0123", "tier_mode": "volume",
     "tiers": [{"up_to": 100_000, "unit_price": "0.0123"}, {"unit_price": "0.000000001"}]},
    {"engine": "simulated", "mode": "stream", "unit_price": "7", "tier_mode": "package", "included": 1},
    {"engine": "simulated", "mode": "cache", "unit_price": "0.0006"},
]  # fmt: skip
USES = st.lists(
    st.tuples(
        st.sampled_from(["batch", "sync", "stream", "cache"]), st.integers(1, 900_000), st.integers(-30, 27),
        st.booleans(),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


class Month:
    """One past month, used, closed and rated again and again: nothing of it is kept."""

    def __init__(self, owner: Any, before: date) -> None:
        self.owner, self.before, self.month = owner, before, before.replace(month=2)
        prices = [{"meter": "audio_ms", "unit_size": MINUTE_MS, **price} for price in PRICES]
        self.currency = owner.caller.currency
        document = {"currency": self.currency, "tenant_id": str(owner.id), "minimum_commit": "3.5",
                    "effective_from": "1800-01-01T00:00:00Z", "prices": prices}  # fmt: skip
        approve_book(draft_book(document, actor="ann"), actor="ben", retroactive=True)
        forget_books()
        set_contract(
            owner.id, starts_on=before, actor="ann", legal_name="㈜한국", tax_name="VAT", tax_percent=Decimal("7.25")
        )
        book = book_in_force(self.currency, tenant_id=owner.id, using="system")
        assert book is not None
        self.book = book

    def play(self, uses: Sequence[tuple[str, int, int, bool]]) -> None:
        with transaction.atomic(using="system"):
            self._play(uses)
            transaction.set_rollback(True, using="system")

    def _play(self, uses: Sequence[tuple[str, int, int, bool]]) -> None:
        close_period(self.before)  # what is of that month is late now
        entries = [self._entry(number, *use) for number, use in enumerate(uses)]
        assert import_entries(entries, using="system") == len(entries)
        assert import_entries(reversed(entries), using="system") == 0
        closed = close_period(self.month)
        rate_month(self.month)
        (found,) = list_statements(period=self.month, tenant_id=self.owner.id)
        statement = statement_of(found.id)

        with connections["system"].cursor() as cursor:
            assert content_of(cursor, self.month) == (closed.entries, closed.content_hash) == (
                len(entries), closed.content_hash,
            )  # fmt: skip
        terms = terms_of([self.owner.id], period=self.month, using="system")[self.owner.id]
        groups = groups_of(self.owner.id, period=self.month, using="system")
        lines, totals = preview(terms, groups, minimum=self.book.minimum_commit, using="system")
        assert content_hash(terms, lines) == statement.content_hash == content_hash(statement.terms, statement.lines)
        assert totals == statement.totals
        assert rating.total(line.amount for line in statement.lines) == statement.totals.total
        assert sum(line.entries for line in statement.lines) == statement.entries == len(entries)
        exported = "".join(json_lines(statement, using="system"))
        assert recompute_statement(exported).matches

    def _entry(self, number: int, mode: str, quantity: int, day: int, with_model: bool) -> ImportedEntry:
        line = MeasuredLine("simulated", "m" if with_model else "", mode, "audio_ms", quantity)
        price = rating.price_for(self.book, line)
        at = datetime(self.month.year, self.month.month, 1, tzinfo=UTC) + timedelta(days=day, hours=number)
        return ImportedEntry(
            datetime.now(UTC), uuid4(), "audio_ms", 0, self.owner.id, None, line.engine, line.model, mode, quantity,
            quantity, price.unit_price, price.unit_size, rating.amount_of(price, quantity), self.currency,
            self.book.version, at,
        )  # fmt: skip


@pytest.fixture(params=["USD", "KRW", "KWD"])
def month(request: pytest.FixtureRequest, new_tenant: Callable[..., Any], unused_month: date) -> Month:
    return Month(new_tenant("billed", currency=request.param), unused_month)


def test_a_closed_month_is_reproduced_by_us_and_by_the_customer(month: Month) -> None:
    for_all(15, month.play, USES)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_ten_thousand_closed_months(month: Month) -> None:
    for_all(3_334, month.play, USES)


# ── engines and units ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_engine_and_unit_yields_something_and_the_ledger_says_so(
    alice: Any, inside: Callable[..., Any], new_tenant: Callable[..., Any]
) -> None:
    """One unit of each price of the example books, held and settled like a job."""
    payers = {"USD": alice, "KRW": new_tenant("won", currency="KRW")}
    wanted: dict[UUID, Decimal] = {}
    for book in BOOKS:
        payer = payers[book.currency]
        with inside(payer):
            for price in book.prices:
                job_id = uuid4()
                wanted[job_id] = _settled(payer, job_id, price, currency=book.currency)
    ids = [payer.id for payer in payers.values()]
    entries = UsageEntry.objects.using("system").filter(tenant_id__in=ids).values_list("subject_id", "amount")
    assert dict(entries) == wanted
    assert all(amount > 0 for amount in wanted.values())


def _settled(payer: Any, job_id: UUID, price: Price, *, currency: str) -> Decimal:
    common = {"tenant_id": payer.id, "livemode": True}
    place_hold(job_id, **common, currency=currency, meter=price.meter, engines=[price.engine], expected=price.unit_size)
    line = MeasuredLine(price.engine, "m", price.mode, price.meter, price.unit_size)
    cost = settle(
        job_id, **common, api_key_id=payer.caller.key_id, subject_created_at=datetime.now(UTC), lines=[line]
    )  # fmt: skip
    assert cost.amount == rating.amount_of(price, price.unit_size) == price.unit_price
    return Decimal(cost.amount)
