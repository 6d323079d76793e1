"""Pieces of source text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

HEADER = (
    '"""{title}\n\nGenerated from openapi.json by `make sdk`: do not edit.\n"""\n\n'
    "from __future__ import annotations\n\n"
)
WIDTH = 110


def docstring(text: str, *, indent: str, notes: Sequence[str] = ()) -> str:
    """A docstring of these paragraphs, wrapped, with a line for each note; tables become running text."""
    paragraphs = [_clean(part) for part in text.split("\n\n") if part.strip()]
    wrapped = ["\n".join(textwrap.wrap(part, WIDTH - len(indent), break_on_hyphens=False)) for part in paragraphs]
    lines = [
        line for note in notes for line in textwrap.wrap(_clean(note), WIDTH - len(indent), subsequent_indent="  ")
    ]
    body = "\n\n".join([*wrapped, *(["\n".join(lines)] if lines else [])])
    end = "\n" if "\n" in body else ""
    return textwrap.indent(f'"""{body}{end}"""', indent, lambda line: bool(line.strip())) + "\n"


def _clean(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace('"""', "'''").split())


def sentence(text: str) -> str:
    """
    >>> sentence("Get a delivery")
    'Get a delivery.'
    """
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."
