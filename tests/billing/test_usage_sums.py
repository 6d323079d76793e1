"""What usage is read from equals the ledger: before folding, folded, packed, and packed again with late usage."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from billing.checks import check
from billing.facade import fold_usage, usage_summary
from billing.models import UsageDay, UsageDelta, UsageEntry, UsageQuarter
from billing.statements.groups import groups_of, groups_of_sums
from tenants.facade import tenant_context

NOW = datetime.now(UTC)
# Days at which clocks change somewhere, an ordinary one, and the last ones, which are not packed yet.
DAYS = (
    datetime(2025, 3, 9, tzinfo=UTC), datetime(2025, 4, 5, tzinfo=UTC), datetime(2025, 4, 24, tzinfo=UTC),
    datetime(2025, 7, 1, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC), datetime(2025, 11, 2, tzinfo=UTC),
    NOW - timedelta(days=4), NOW - timedelta(days=1),
)  # fmt: skip
ZONES = (
    "UTC", "Asia/Seoul", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe", "America/Havana",
    "Africa/Cairo", "Europe/Berlin",
)  # fmt: skip
TAGS = (b"a" * 16, b"b" * 16)
BY = (("meter", "engine", "mode"), ("engine", "key"), ("meter",), ("tag", "engine"))


class Ledger:
    """A tenant's random entries, and what usage must be by reading them one by one."""

    def __init__(self, owner: Any, dice: random.Random) -> None:
        self.owner, self.dice, self.entries = owner, dice, list[UsageEntry]()
        self.keys = (owner.caller.key_id, uuid4(), None)

    def add(self, count: int) -> None:
        """In one statement, as an import does."""
        made = [self._entry() for _ in range(count)]
        with transaction.atomic(using="system"):
            UsageEntry.objects.using("system").bulk_create(made)
        self.entries += made

    def _entry(self) -> UsageEntry:
        roll, quantity = self.dice, self.dice.randint(1, 90_000)
        at = min(roll.choice(DAYS) + timedelta(minutes=roll.randint(0, 2_880), microseconds=roll.randint(0, 9)), NOW)
        kind, mode = roll.choice(["usage"] * 6 + ["reversal", "adjust", "cost"]), roll.choice(["batch", "stream"])
        sign = -1 if kind in ("reversal", "adjust") else 1
        period = at.date().replace(day=1)
        return UsageEntry(
            subject_created_at=NOW, subject_id=uuid4(), meter=roll.choice(["audio_ms", "characters"]), kind=kind,
            sequence=roll.choice([0, 1]) if mode == "stream" else 0, tenant_id=self.owner.id, livemode=True,
            api_key_id=roll.choice(self.keys), engine=roll.choice(["simulated", "pocketsphinx"]), model="", mode=mode,
            raw_quantity=quantity, billable_quantity=sign * quantity, unit_price=Decimal("0.006"), unit_size=60_000,
            amount=sign * Decimal(roll.randint(0, 10**12)).scaleb(-9), currency="USD", book_version=1, occurred_at=at,
            recorded_at=NOW, period=period, origin_period=period, feature="", on_wallet=False,
            tags=roll.sample(TAGS, roll.randint(0, 2)),
        )  # fmt: skip

    def question(self) -> dict[str, Any]:
        """A range that begins and ends anywhere, often just there where a day does."""
        start = self.dice.choice(DAYS) + timedelta(
            seconds=self.dice.choice([0, 900, self.dice.randint(-90_000, 90_000)])
        )
        end = start + timedelta(seconds=self.dice.choice([86_400, self.dice.randint(0, 31 * 86_400)]))
        return {
            "start": start, "end": end, "group": self.dice.choice(["hour", "day", None]),
            "time_zone": self.dice.choice(ZONES), "by": self.dice.choice(BY),
            "engine": self.dice.choice([None, None, "simulated"]), "tags": self.dice.choice([None, None, [TAGS[0]]]),
            "key": self.dice.choice([None, None, self.keys[1]]),
        }  # fmt: skip

    def answer(self, question: dict[str, Any]) -> dict[tuple[Any, ...], tuple[int, Decimal, int]]:
        """Lines by their local hour or date, read from the ledger alone."""
        lines: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, Decimal(0), 0])
        for entry in self.entries:
            if not _asked(entry, question):
                continue
            job = entry.kind == "usage" and (entry.mode != "stream" or entry.sequence == 0)
            local = _local(entry.occurred_at, question)
            for tag in entry.tags if "tag" in question["by"] else [b""]:
                if tag and question["tags"] and tag not in question["tags"]:
                    continue
                line = lines[local, *_dimensions(entry, question["by"], tag)]
                line[:] = line[0] + entry.billable_quantity, line[1] + entry.amount, line[2] + job
        return {key: tuple(line) for key, line in lines.items()}

    def total(self, question: dict[str, Any]) -> Decimal:
        """Each entry once, also where it has two tags."""
        return sum((entry.amount for entry in self.entries if _asked(entry, question)), Decimal(0))


def _asked(entry: UsageEntry, question: dict[str, Any]) -> bool:
    wanted_tags = question["tags"]
    return (
        entry.kind != "cost"
        and question["start"] <= entry.occurred_at < question["end"]
        and question["engine"] in (None, entry.engine)
        and question["key"] in (None, entry.api_key_id)
        and (wanted_tags is None or bool(set(wanted_tags) & set(entry.tags)))
    )


def _local(moment: datetime, question: dict[str, Any]) -> Any:
    """What a clock on the wall says; an hour that comes twice is two by its offset."""
    if question["group"] is None:
        return None
    local = moment.astimezone(ZoneInfo(question["time_zone"]))
    return local.date() if question["group"] == "day" else (local.date(), local.hour, local.utcoffset())


def _dimensions(entry: Any, by: Sequence[str], tag: bytes) -> tuple[Any, ...]:
    values = {"meter": entry.meter, "engine": entry.engine, "mode": entry.mode, "key": entry.api_key_id, "tag": tag}
    return tuple(values[name] if name in by else None for name in values)


def _read(owner: Any, question: dict[str, Any]) -> tuple[dict[tuple[Any, ...], tuple[int, Decimal, int]], Decimal]:
    with tenant_context(owner.tenant):
        summary = usage_summary(owner.id, livemode=True, **question)
    lines = {
        (
            line.bucket_start and _local(max(line.bucket_start, question["start"]), question),
            *_dimensions(line, question["by"], bytes(line.tag or b"")),
        ): (line.quantity, line.amount, line.jobs)
        for line in summary.lines
    }
    assert len(lines) == len(summary.lines)
    return lines, sum((cost.amount for cost in summary.totals), Decimal(0))


def _compare(ledger: Ledger, *, questions: int) -> None:
    for _ in range(questions):
        question = ledger.question()
        expected = ledger.answer(question), ledger.total(question)
        assert _read(ledger.owner, question) == expected, question


def _left(tenant_id: UUID) -> tuple[int, int, int]:
    """Rows not folded, quarters that should be packed by now, packed days."""
    over = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    sums = (UsageDelta.objects, UsageQuarter.objects.filter(quarter__lt=over), UsageDay.objects)
    deltas, quarters, days = (rows.using("system").filter(tenant_id=tenant_id).count() for rows in sums)
    return deltas, quarters, days


def _fold(tenant_id: UUID) -> None:
    """Until nothing is left to do: another process may be at the same rows."""
    until_s = time.monotonic() + 60
    while _left(tenant_id)[:2] != (0, 0) and time.monotonic() < until_s:
        fold_usage()
    deltas, quarters, days = _left(tenant_id)
    assert (deltas, quarters) == (0, 0)
    assert days > 0


def usage_is_the_ledgers(owner: Any, *, seed: int, entries: int, questions: int) -> None:
    """Before it is folded, packed, with later usage beside it, and packed together with that."""
    ledger = Ledger(owner, random.Random(seed))
    for _ in range(2):
        ledger.add(entries)
        _compare(ledger, questions=questions)
        _fold(owner.id)
        _compare(ledger, questions=questions)


@pytest.mark.parametrize("seed", [1, 2])
def test_usage_is_the_ledgers(alice: Any, seed: int) -> None:
    usage_is_the_ledgers(alice, seed=seed, entries=150, questions=30)
    assert [one for one in check(months=[]) if str(alice.id) in one.subject] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_usage_is_the_ledgers_in_many_cases(alice: Any, seed: int) -> None:
    usage_is_the_ledgers(alice, seed=seed, entries=300, questions=125)  # 10,000 in all


def test_spend_reads_the_same_groups_from_the_sums(alice: Any) -> None:
    ledger = Ledger(alice, random.Random(3))
    ledger.add(100)
    _fold(alice.id)
    ledger.add(20)
    for period in {entry.period for entry in ledger.entries}:
        with tenant_context(alice.tenant):
            sums = groups_of_sums(alice.id, period=period, using="default")
            own = groups_of(alice.id, period=period, using="default")
        assert sorted(sums, key=repr) == sorted(own, key=repr)


def test_a_check_finds_a_packed_day_that_was_altered(alice: Any) -> None:
    ledger = Ledger(alice, random.Random(4))
    ledger.add(30)
    _fold(alice.id)
    altered = UsageDay.objects.using("owner").filter(tenant_id=alice.id, tag=b"").first()
    assert altered is not None
    UsageDay.objects.using("owner").filter(pk=altered.pk).update(amount_to=[0] * len(altered.slots))
    try:
        found = [one.subject for one in check(months=[]) if one.what == "packed day's sums and its total"]
    finally:
        UsageDay.objects.using("owner").filter(pk=altered.pk).update(amount_to=altered.amount_to)
    assert found == [f"{altered.day} {alice.id}"]


def test_two_folders_at_once_lose_nothing(alice: Any, in_threads: Callable[..., list[Any]]) -> None:
    ledger = Ledger(alice, random.Random(5))
    for _ in range(3):
        ledger.add(60)
        assert all(isinstance(done, int) for done in in_threads([fold_usage] * 4))
    _fold(alice.id)
    _compare(ledger, questions=20)
