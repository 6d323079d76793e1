"""The bill computed again: from an export as the API gives it, to the last unit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from parlance import BillError, count_characters, recompute_statement

STATEMENT: dict[str, Any] = {
    "object": "statement", "format": 1, "id": "stm_1", "currency": "KRW", "period": "2026-10-01", "tax_percent": "10",
    "minimum": "100", "subtotal": "1451", "tax": "145", "total": "1596",
}  # fmt: skip
PRICE: dict[str, Any] = {
    "object": "price", "book_version": 1, "engine": "e", "model": "", "mode": "batch", "meter": "audio_ms",
    "feature": "", "unit_price": "6", "unit_size": 60_000, "included": 60_000, "tier_mode": "graduated",
    "tiers": [{"up_to": 6_000_000, "unit_price": "6"}, {"up_to": None, "unit_price": "3.5"}],
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "object": "statement_entry", "subject_id": "j", "kind": "usage", "meter": "audio_ms", "engine": "e", "model": "m",
    "mode": "batch", "feature": "", "billable_quantity": 0, "unit_price": "6", "unit_size": 60_000, "amount": "0",
    "currency": "KRW", "book_version": 1, "origin_period": "2026-10-01",
}  # fmt: skip
ENTRIES = [
    ENTRY | {"billable_quantity": 60_000},  # free
    ENTRY | {"billable_quantity": 6_000_000},  # 100 minutes at 6: 600
    ENTRY | {"billable_quantity": 12_000_000},  # 200 minutes at 3.5: 700
    ENTRY | {"billable_quantity": 1_215_000, "origin_period": "2026-09-01"},  # 20.25 minutes at 6: 121.5, so 122
    ENTRY | {"kind": "adjust", "meter": "money", "amount": "-70.5", "subject_id": "a"},  # half away from zero: -71
]


def export(*objects: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects)


@pytest.fixture
def exported() -> str:
    return export(STATEMENT, PRICE, *ENTRIES)


def test_the_statement_comes_out_to_the_last_unit(exported: str) -> None:
    found = recompute_statement(exported)
    assert (found.subtotal, found.tax, found.total) == (Decimal(1451), Decimal(145), Decimal(1596))
    assert (found.matches, found.statement_id, found.entries) == (True, "stm_1", 5)
    assert recompute_statement(exported.encode()) == recompute_statement(exported.splitlines()) == found


def test_the_order_of_entries_changes_nothing(exported: str) -> None:
    assert recompute_statement(export(STATEMENT, *reversed(ENTRIES), PRICE)) == recompute_statement(exported)


def test_an_export_that_was_cut_is_no_bill() -> None:
    with pytest.raises(BillError):
        recompute_statement(export(STATEMENT | {"entries": 5}, PRICE, *ENTRIES[1:]))


@pytest.mark.parametrize(
    ("old", "new"),
    [('"billable_quantity": 60000', '"billable_quantity": 660000'), ('"1596"', '"1597"'), ('"-70.5"', '"0"')],
)
def test_a_changed_number_is_found(exported: str, old: str, new: str) -> None:
    assert not recompute_statement(exported.replace(old, new)).matches


@pytest.mark.parametrize("mode", ["volume", "package", ""])
def test_every_way_of_pricing(mode: str) -> None:
    price = PRICE | {"included": 0, "tier_mode": mode, "tiers": PRICE["tiers"] if mode == "volume" else []}
    statement = STATEMENT | {"minimum": None, "tax_percent": "0", "tax": "0"}
    used = [ENTRY | {"billable_quantity": 90_000}, ENTRY | {"billable_quantity": 6_000_000}]
    expected = {"volume": "355", "package": "612", "": "609"}[mode]  # 101.5 minutes
    found = recompute_statement(export(statement | {"subtotal": expected, "total": expected}, price, *used))
    assert (str(found.total), found.matches) == (expected, True)


@pytest.mark.parametrize("text", ["", "{}", "[]", "nonsense", b"\xff", '{"object":"statement"}'])
def test_what_is_no_export_is_told(text: Any) -> None:
    with pytest.raises(BillError, match="no export"):
        recompute_statement(text)


def test_characters_are_code_points_of_nfc() -> None:
    assert [count_characters(text) for text in ("", " a b ", "가", "\u1100\u1161", "👨\u200d👩")] == [0, 3, 1, 1, 3]
