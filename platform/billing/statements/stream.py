"""The export as JSON lines piece by piece: a statement with a million entries takes no more memory than one page."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from itertools import islice
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from apikit.facade import not_found
from apikit.threads import in_request_thread
from billing.statements.contracts import Statement
from billing.statements.entries import PAGE
from billing.statements.export import json_lines
from billing.statements.reading import statement_of
from tenants.facade import Caller

KIND = "statement"
SHOWN = ("approved", "pushed", "closed")  # before that, finance may still find it wrong


def own_statement(caller: Caller, statement_id: UUID | None) -> Statement:
    """The caller's statement that finance has approved; raises a 404 `Problem`. A test key has none."""
    try:
        found = statement_of(statement_id, using=DEFAULT_DB_ALIAS) if statement_id and caller.livemode else None
    except LookupError:
        found = None
    if found is None or found.terms.tenant_id != caller.tenant_id or found.status not in SHOWN:
        raise not_found("statement")
    return found


async def statement_stream(caller: Caller, statement_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """The body of the stream kind `statement`; while a client reads slowly no connection and no thread is held.

    The month is closed, so its pages belong together without one snapshot. Whoever is cut off sees it from `entries`.
    """
    lines = json_lines(await in_request_thread(own_statement, caller, statement_id), using=DEFAULT_DB_ALIAS)
    while block := await in_request_thread(_block, lines):
        yield block


def _block(lines: Iterator[str]) -> bytes:
    return "".join(islice(lines, PAGE)).encode()
