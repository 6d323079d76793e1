"""A tenant reads its statement, and its own script computes it again from the export."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ninja.testing import TestClient
from parlance import Parlance, recompute_statement

from apikit import ids
from billing.facade import (
    approve_adjustment,
    approve_book,
    approve_statement,
    close_period,
    draft_book,
    forget_books,
    list_statements,
    rate_month,
    request_adjustment,
    request_reversal,
    review_statement,
    set_budget,
    set_contract,
    set_wallet,
)
from config.api import api
from tenants.facade import tenant_context

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("migrated")


@pytest.fixture
def get() -> Callable[..., Any]:
    """GET as someone's live key."""
    client = TestClient(api)
    return lambda someone, path, **query: client.get(
        path, query_params=query, scope={"parlance.caller": someone.caller}
    )


def own_prices(someone: Any) -> None:
    """Prices with tiers, an included quantity and a minimum, for one tenant alone."""
    prices = [
        {"engine": "simulated", "mode": "batch", "meter": "audio_ms", "unit_price": "0.006", "unit_size": 60_000,
         "included": 90_000, "tier_mode": "graduated",
         "tiers": [{"up_to": 200_000, "unit_price": "0.006"}, {"unit_price": "0.0047"}]},
    ]  # fmt: skip
    version = draft_book(
        {"currency": "USD", "tenant_id": str(someone.id), "base_version": 1, "minimum_commit": "3.5",
         "effective_from": "1800-01-01T00:00:00Z", "prices": prices}, actor="ann",
    )  # fmt: skip
    approve_book(version, actor="ben", retroactive=True)
    forget_books()


@pytest.fixture
def billed(alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any],
           unused_month: date) -> Any:  # fmt: skip
    """Alice with an approved statement: tiers, a reversal, a credit, late usage, a minimum and tax."""
    month = unused_month.replace(month=2)
    own_prices(alice)
    set_contract(alice.id, starts_on=month, actor="ann", legal_name="㈜한국", address="서울특별시",
                 registration_number="120-81-47521", tax_name="VAT", tax_percent=Decimal(10))  # fmt: skip
    close_period(unused_month)
    jobs = [
        (1, month, "simulated"),
        (7, month, "simulated"),
        (2, month, "pocketsphinx"),
        (3, unused_month, "simulated"),
    ]
    for minutes, at, engine in jobs:
        done = job(alice)
        with inside(alice):
            done.hold(expected=minutes * 60_000)
            done.settle(line(minutes, engine=engine), occurred_at=datetime(at.year, at.month, 15, tzinfo=UTC))
    reversal = request_reversal(alice.id, subject_id=done.id, subject_created_at=done.created_at, currency="USD",
                                reason="quality", text="silence", actor="ann")  # fmt: skip
    approve_adjustment(reversal, actor="ben")
    close_period(month)
    rate_month(month)
    (found,) = list_statements(period=month, tenant_id=alice.id)
    review_statement(found.id, actor="ann")
    approve_statement(found.id, actor="ben")
    return alice


def one(get: Callable[..., Any], someone: Any, tail: str = "", **query: Any) -> Any:
    (found,) = get(someone, "/statements").json()["data"]
    return get(someone, f"/statements/{found['id']}{tail}", **query)


def test_a_statement_shows_its_lines_and_the_entries_behind_each(billed: Any, get: Callable[..., Any]) -> None:
    found = one(get, billed).json()
    kinds = [(line["kind"], line["amount"], line["entries"]) for line in found["lines"]]
    assert (found["legal_name"], found["status"], found["tax"]) == ("㈜한국", "approved", "0.35")
    assert [kind for kind, _, _ in kinds] == ["usage", "included", "usage", "usage", "late", "minimum", "tax"]
    assert sum(Decimal(amount) for _, amount, _ in kinds) == Decimal(found["total"])
    for line in found["lines"]:
        if line["entries"]:
            behind = one(get, billed, "/entries", line=line["ordinal"]).json()["data"]
            assert len(behind) == line["entries"]


def test_entries_come_in_pages(billed: Any, get: Callable[..., Any]) -> None:
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = one(get, billed, "/entries", **query).json()
        seen += [(entry["subject_id"], entry["kind"]) for entry in answer["data"]]
        cursor = answer["next_cursor"]
        if not answer["has_more"]:
            break
    assert len(seen) == len(set(seen)) == one(get, billed).json()["entries"] == 5


def shown_id(get: Callable[..., Any], someone: Any) -> str:
    (found,) = get(someone, "/statements").json()["data"]
    return str(found["id"])


def test_the_customer_computes_it_again_to_the_last_unit(
    billed: Any, get: Callable[..., Any], server: str, tmp_path: Path
) -> None:
    with Parlance(api_key=billed.secret, base_url=server) as client:
        exported = client.statements.export(shown_id(get, billed), format="jsonl").read().decode()
    found = recompute_statement(exported)
    assert (found.matches, found.entries, str(found.total)) == (True, 5, "3.85")
    file = tmp_path / "statement.jsonl"

    def run(text: str) -> tuple[int, str]:
        file.write_text(text, "utf-8")
        script = [sys.executable, "-I", str(ROOT / "docs" / "billing" / "recompute.py"), str(file)]
        done = subprocess.run(script, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    assert run(exported) == (0, "3.85 USD: the same\n")
    changed = exported.replace('"billable_quantity":120000', '"billable_quantity":98765432100')
    assert run(changed)[0] == 1
    assert not recompute_statement(changed).matches
    assert run(exported.rpartition("\n{")[0]) == (1, "The export was cut: fetch it again.\n")


def test_the_export_comes_in_pieces(
    billed: Any, get: Callable[..., Any], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.statements import entries, stream

    monkeypatch.setattr(entries, "PAGE", 2)
    monkeypatch.setattr(stream, "PAGE", 2)
    statement_id = ids.parse(ids.STATEMENT, shown_id(get, billed))

    async def read() -> list[bytes]:
        with tenant_context(billed.tenant):
            return [piece async for piece in stream.statement_stream(billed.caller, statement_id, {})]

    pieces = asyncio.run(read())
    assert {piece.count(b"\n") for piece in pieces[:-1]} == {2}
    objects = [json.loads(line)["object"] for line in b"".join(pieces).splitlines()]
    assert objects.count("statement_entry") == 5
    assert len(objects) == len(set(b"".join(pieces).splitlines()))


def test_a_csv_is_safe_to_open(billed: Any, get: Callable[..., Any]) -> None:
    answer = one(get, billed, "/export", format="csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert {len(row) for row in rows} == {18}
    assert (rows[-1][1], rows[-1][2], rows[-1][-2]) == ("total", "㈜한국", "3.85")


def test_a_pdf_has_its_own_font_with_hangul(billed: Any, get: Callable[..., Any]) -> None:
    from pypdf import PdfReader

    page = PdfReader(io.BytesIO(one(get, billed, "/export", format="pdf").content)).pages[0]
    text = page.extract_text()
    assert "㈜한국" in text
    assert "서울특별시" in text
    assert "$3.85" in text
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert any("ParlanceGothic" in font["/BaseFont"] and "/FontFile2" in font["/FontDescriptor"] for font in fonts)


def test_the_font_has_what_a_korean_bill_needs() -> None:
    from pypdf import PdfReader
    from reportlab.pdfgen.canvas import Canvas

    from billing.statements import paper

    paper._register()
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.setFont(paper.FONT, 12)
    canvas.drawString(50, 700, f"㈜한국 {paper.money(Decimal(1_234_567), 'KRW')}")
    canvas.save()
    assert "㈜한국 ₩1,234,567" in PdfReader(io.BytesIO(out.getvalue())).pages[0].extract_text()
    from reportlab.pdfbase import pdfmetrics

    glyphs = pdfmetrics.getFont(paper.FONT).face.charToGlyph
    assert all(glyphs.get(code) for code in [0x321C, 0x20A9, *range(0xAC00, 0xD7A4)])


def test_charlie_sees_no_statement_and_a_test_key_none_either(
    billed: Any, charlie: Any, get: Callable[..., Any]
) -> None:
    (found,) = get(billed, "/statements").json()["data"]
    assert get(charlie, "/statements").json()["data"] == []
    for tail in ("", "/entries", "/export"):
        assert get(charlie, f"/statements/{found['id']}{tail}").status_code == 404


def test_spend_is_what_a_statement_would_say(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], line: Callable[..., Any], get: Callable[..., Any]
) -> None:
    done = job(alice)
    with inside(alice):
        done.hold(expected=600 * 60_000)
        done.settle(line(600))
    answer = get(alice, "/spend").json()
    assert (answer["amount"], answer["currency"]) == ("3.6", "USD")
    assert Decimal(answer["forecast"]) >= Decimal("3.6")
    assert [entry["formula"] for entry in answer["lines"]] == ["36000000 * 0.006 / 60000"]


def test_limits_show_wallet_and_budgets(
    alice: Any, job: Callable[..., Any], inside: Callable[..., Any], get: Callable[..., Any]
) -> None:
    assert get(alice, "/limits").json() == {
        "object": "limits",
        "currency": "USD",
        "wallet": None,
        "budgets": [],
        "rates": [],
        "concurrency": [],
    }
    set_wallet(alice.id, currency="USD", balance=Decimal(5))
    set_budget(alice.id, name="month", amount=Decimal(2))
    with inside(alice):
        job(alice).hold()
    answer = get(alice, "/limits").json()
    assert answer["wallet"]["spendable"] == "4.994"
    assert [(one["name"], one["held"], one["left"]) for one in answer["budgets"]] == [("month", "0.006", "1.994")]


def test_a_credit_needs_two_people_and_is_a_line(alice: Any, get: Callable[..., Any]) -> None:
    from billing.facade import SamePerson

    with pytest.raises(ValueError, match="billed in USD"):
        request_adjustment(alice.id, amount=Decimal(-1), currency="KRW", reason="outage", text="down", actor="ann")
    asked = request_adjustment(
        alice.id, amount=Decimal("-1.25"), currency="USD", reason="outage", text="down for an hour", actor="ann"
    )
    with pytest.raises(SamePerson):
        approve_adjustment(asked, actor="ann")
    approve_adjustment(asked, actor="ben")
    answer = get(alice, "/spend").json()
    assert [(line["kind"], line["amount"]) for line in answer["lines"]] == [("adjust", "-1.25")]
