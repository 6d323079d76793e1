"""Lists that fetch their next page by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Generic

from parlance._call import Call
from parlance._page import ExtraT, ItemT, Page, page_of
from parlance._sync.transport import Transport


class Pager(Generic[ItemT, ExtraT]):
    """A list that has not been asked for yet: iterate over its things, its `pages()`, or take its `first_page()`."""

    def __init__(self, transport: Transport, call: Call, kind: type[ItemT], extra: type[ExtraT]) -> None:
        self._transport = transport
        self._call = call
        self._kind = kind
        self._extra = extra

    def first_page(self) -> Page[ItemT, ExtraT]:
        """One request: the first things, and `next_cursor` for who pages by hand."""
        return self._page(self._call)

    def pages(self) -> Iterator[Page[ItemT, ExtraT]]:
        """Page after page, each fetched when it is needed."""
        page = self.first_page()
        yield page
        while page.next_cursor is not None:
            page = self._page(replace(self._call, query={**self._call.query, "cursor": page.next_cursor}))
            yield page

    def __iter__(self) -> Iterator[ItemT]:
        for page in self.pages():
            for item in page.data:
                yield item

    def _page(self, call: Call) -> Page[ItemT, ExtraT]:
        return page_of(self._transport.send(call), self._kind, self._extra)
