"""The page of a comparison: one file with its own style and nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, "Noto Sans KR", "Apple SD Gothic Neo", sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .7rem; border-bottom: 1px solid #8884; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
details { margin: 1rem 0 } summary { cursor: pointer }
.failed { color: #b00 } .said { opacity: .75 }
"""
_HEAD = ("engine/model", "WER %", "CER %", "p50 ms", "p95 ms", "ms per second", "cost", "clips", "failed")


def page(rows: Sequence[Any], results: Sequence[Any], *, language: str) -> str:
    """The whole document."""
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    metric = escape(rows[0]["metric"].upper()) if rows else ""
    body = "".join([
        f"<h1>Engines compared: {escape(language)}</h1>",
        f"<p>{at}. Ordered by {metric}: edits per unit said, over all clips; case, punctuation and letter composition "
        "do not count.</p>",
        _table(rows),
        *(_details(result) for result in results),
    ])  # fmt: skip
    return (
        f'<!doctype html><html lang="{escape(language, quote=True)}"><head><meta charset="utf-8">'
        f"<title>Engines compared</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _table(rows: Sequence[Any]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in _HEAD)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(_row(row) for row in rows)}</tbody></table>"


def _row(row: Any) -> str:
    name = f"{row['engine']}/{row['model']}" if row["model"] else row["engine"]
    cost = "-" if row["cost"] is None else f"{row['cost']} {row['cost_currency']}"
    cells = [
        _percent(row["wer"]), _percent(row["cer"]), row["latency_ms_p50"], row["latency_ms_p95"], row["ms_per_audio_s"],
        cost, row["clips"], row["failed"],
    ]  # fmt: skip
    numbers = "".join(f'<td class="number">{escape("-" if cell is None else str(cell))}</td>' for cell in cells)
    return f"<tr><td>{escape(name)}</td>{numbers}</tr>"


def _details(result: Any) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.clip.name)}</td><td><div class=said>{escape(one.clip.said)}</div>{_text(one)}</td>"
        f'<td class="number">{_edits(one)}</td></tr>'
        for one in result.heard
    )
    table = f"<table><tr><th>clip</th><th>said, and heard</th><th>edits (words, characters)</th></tr>{rows}</table>"
    return f"<details><summary>{escape(result.contender.name)}</summary>{table}</details>"


def _text(one: Any) -> str:
    return f'<div class="failed">{escape(one.failed)}</div>' if one.failed else f"<div>{escape(one.text)}</div>"


def _edits(one: Any) -> str:
    return "-" if one.failed else f"{one.words.edits}, {one.characters.edits}"


def _percent(rate: str | None) -> str | None:
    return None if rate is None else f"{float(rate) * 100:.2f}"
