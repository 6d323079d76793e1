"""Usage that was metered elsewhere: added once, and refused before the ledger, which forgets nothing, has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from apikit import ids
from billing.facade import ImportedEntry, WrongEntry, check, import_entries
from billing.models import UsageEntry
from tests.billing.conftest import MINUTE_MS

pytestmark = pytest.mark.usefixtures("migrated")
PRICE = Decimal("0.006")


def imported(someone: Any, number: int = 0) -> ImportedEntry:
    at, quantity = datetime.now(UTC).replace(microsecond=0), 1_000 * (1 + number)
    return ImportedEntry(at, uuid4(), "audio_ms", 0, someone.id, None, "imported", "", "batch", quantity, quantity,
                         PRICE, MINUTE_MS, PRICE * quantity / MINUTE_MS, "USD", 0, at)  # fmt: skip


def entries_of(someone: Any) -> Any:
    return UsageEntry.objects.using("system").filter(tenant_id=someone.id)


def test_an_import_with_duplicates_adds_each_entry_once(alice: Any) -> None:
    entries = [imported(alice, number) for number in range(300)]
    assert import_entries([*entries[:200], *entries[100:]]) == 300
    assert import_entries(entries) == 0
    assert import_entries([replace(entries[0], sequence=1)]) == 1
    assert entries_of(alice).count() == 301
    assert [one for one in check() if str(alice.id) in one.subject] == []


@pytest.mark.parametrize(("change", "told"), [
    ({"tenant_id": uuid4()}, "there is no tenant"),
    ({"currency": "KRW"}, "it is in KRW, and its tenant is billed in USD"),
    ({"amount": Decimal("0.0002")}, "quantity and price make 0.0001"),
    ({"billable_quantity": -1_000}, "at least 0"),
    ({"unit_price": Decimal("0.0060000001")}, "more than 9 decimals"),
    ({"occurred_at": datetime.now(UTC) + timedelta(days=1)}, "a time to come"),
    ({"subject_created_at": datetime(1990, 1, 1, tzinfo=UTC)}, "older than 10 years"),
])  # fmt: skip
def test_what_could_never_be_on_a_statement_is_refused_with_its_batch(
    alice: Any, change: dict[str, Any], told: str
) -> None:
    good = imported(alice)
    with pytest.raises(WrongEntry, match=told):
        import_entries([good, replace(imported(alice), **change)])
    assert entries_of(alice).count() == 0
    assert import_entries([good]) == 1


def test_months_of_long_ago_get_their_partitions(alice: Any) -> None:
    past = datetime.now(UTC) - timedelta(days=800)
    assert import_entries([replace(imported(alice), subject_created_at=past, occurred_at=past)]) == 1


def test_a_file_is_imported_by_the_command_once(alice: Any, command: Callable[..., Any], tmp_path: Path) -> None:
    file, at = tmp_path / "usage.jsonl", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
    shape = {
        "id": str(uuid4()), "tenant": ids.show(ids.TENANT, alice.id), "created_at": at, "engine": "old",
        "mode": "batch", "meter": "audio_ms", "quantity": 90_000, "unit_price": "0.006", "unit_size": 60_000,
    }  # fmt: skip

    def run(*shapes: dict[str, Any]) -> Any:
        file.write_text("".join(json.dumps(one) + "\n" for one in shapes), "utf-8")
        return command("import", file, "--as", "ann@example.com")

    other = {**shape, "id": str(uuid4()), "billable_quantity": 120_000}
    assert run(shape, other, shape) == {"entries": 3, "added": 2, "known": 1}
    assert run(shape, other) == {"entries": 2, "added": 0, "known": 2}
    assert sorted(entry.amount for entry in entries_of(alice)) == [Decimal("0.009"), Decimal("0.012")]
    for wrong, told in (
        ({"tenant": "nobody of this name"}, "line 2: no tenant"), ({"quantity": 1.5}, "not a whole number"),
        ({"unit_price": "cheap"}, "line 2"), ({"created_at": "2026-10-01"}, "needs its offset"),
        ({"colour": 1}, "unknown: colour"), ({"meter": "words"}, "meter is one of"),
    ):  # fmt: skip
        assert told in run(shape, {**shape, "id": str(uuid4()), **wrong})
    assert entries_of(alice).count() == 2
