"""`client.statements`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from typing import Literal

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.streams import AsyncByteStream
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Statement, StatementEntry, StatementHead
from parlance._model import Model


class AsyncStatementsResourceWithRawResponse:
    def __init__(self, resource: AsyncStatementsResource) -> None:
        self.list = a_raw_page(resource.list)
        self.get = a_raw(resource.get)
        self.entries = a_raw_page(resource.entries)


class AsyncStatementsResource:
    """`client.statements`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncStatementsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncStatementsResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> AsyncPager[StatementHead]:
        """List Own Statements.

        Statements that finance has approved, the newest first. A test key has none: its jobs bill nothing.
        """
        call = Call("GET", "/v1/statements", query={"limit": limit, "cursor": cursor}, options=options)
        return AsyncPager(self._transport, call, StatementHead, Model)

    async def get(self, statement_id: str, *, options: RequestOptions | None = None) -> Statement:
        """Get Own Statement.

        One statement with every line; `formula` says how an amount came about.
        """
        call = Call("GET", f"/v1/statements/{quoted(statement_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, Statement)

    def entries(
        self,
        statement_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        line: int | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[StatementEntry]:
        """List Entries.

        The ledger's entries behind the statement, or with `line` behind one of its lines, by time.

        `line`: `ordinal` of a line; without it, all of the statement's entries.
        """
        call = Call(
            "GET",
            f"/v1/statements/{quoted(statement_id)}/entries",
            query={"limit": limit, "cursor": cursor, "line": line},
            options=options,
        )
        return AsyncPager(self._transport, call, StatementEntry, Model)

    def export(
        self,
        statement_id: str,
        *,
        format: Literal["jsonl", "csv", "pdf"] | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncByteStream:
        """Export Own Statement.

        The statement as JSON lines with prices and every entry (to compute it again), as CSV, or as PDF.

        JSON lines come piece by piece and without a length: the first one's `entries` says how many entries
        follow.
        """
        call = Call("GET", f"/v1/statements/{quoted(statement_id)}/export", query={"format": format}, options=options)
        return AsyncByteStream(self._transport, call)
