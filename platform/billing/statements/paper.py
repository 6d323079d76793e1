"""A statement as PDF, with a font of our own inside: Hangul and ₩ look the same everywhere.

The font is NanumGothic without hanja and hinting, under another name as its licence asks (`fonts/OFL.txt`).
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from apikit.currencies import exponent
from billing.statements.contracts import Statement

FONT = "ParlanceGothic"
FILE = Path(__file__).parent / "fonts" / "ParlanceGothic.ttf"
SIGNS = {"KRW": "₩", "USD": "$", "EUR": "€", "JPY": "¥", "GBP": "£"}
HEAD = ("", "quantity", "unit price", "amount")


def money(amount: object, currency: str) -> str:
    """An amount for people, in the currency's own digits.

    >>> from decimal import Decimal
    >>> money(Decimal("1234567"), "KRW"), money(Decimal("-1234.5"), "USD"), money(Decimal("1.5"), "KWD")
    ('₩1,234,567', '-$1,234.50', 'KWD 1.500')
    """
    text = f"{amount:,.{exponent(currency)}f}"
    minus, number = ("-", text[1:]) if text.startswith("-") else ("", text)
    return f"{minus}{SIGNS.get(currency, currency + ' ')}{number}"


def statement_pdf(statement: Statement) -> bytes:
    """The document; the same statement gives the same bytes."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    _register()
    out = io.BytesIO()
    title = f"{statement.terms.legal_name} {statement.terms.period:%Y-%m}"
    document = SimpleDocTemplate(out, pagesize=A4, title=title, author="Parlance", invariant=1)
    document.build(_story(statement))
    return out.getvalue()


@lru_cache(maxsize=1)
def _register() -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    pdfmetrics.registerFont(TTFont(FONT, FILE))


def _story(statement: Statement) -> list[object]:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, Spacer

    plain = ParagraphStyle("plain", fontName=FONT, fontSize=9, leading=13, wordWrap="CJK")
    head = ParagraphStyle("head", parent=plain, fontSize=16, leading=22)
    terms = statement.terms
    about = [terms.legal_name, *terms.address.splitlines(), terms.registration_number]
    about += [f"{terms.starts_at:%Y-%m-%d %H:%M} - {terms.ends_at:%Y-%m-%d %H:%M} UTC, {terms.time_zone}"]
    about += [f"{statement.status}, SHA-256 {statement.content_hash}"]
    return [
        Paragraph(f"Statement {terms.period:%Y-%m}", head),
        *(Paragraph(escape(text), plain) for text in about if text),
        Spacer(1, 12),
        _table(statement, plain),
    ]


def _table(statement: Statement, plain: object) -> object:
    from reportlab.lib import colors
    from reportlab.platypus import Paragraph, Table

    currency, totals = statement.terms.currency, statement.totals
    rows: list[list[object]] = [list(HEAD)]
    for line in statement.lines:
        price = "" if line.unit_price is None else f"{line.unit_price.normalize():f} / {line.unit_size:,}"
        quantity = f"{line.quantity:,}" if line.quantity else ""
        rows.append([Paragraph(escape(line.description), plain), quantity, price, money(line.amount, currency)])
    rows += [
        [name, "", "", money(amount, currency)]
        for name, amount in (("Total", totals.total), ("Paid from wallet", totals.from_wallet), ("Due", totals.due))
    ]
    style = [
        ("FONT", (0, 0), (-1, -1), FONT, 9), ("ALIGN", (1, 0), (-1, -1), "RIGHT"), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 1, colors.grey), ("LINEABOVE", (0, -3), (-1, -3), 1, colors.grey),
    ]  # fmt: skip
    return Table(rows, colWidths=[230, 80, 100, 80], style=style, repeatRows=1)
