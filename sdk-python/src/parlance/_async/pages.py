"""Lists that fetch their next page by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Generic

from parlance._async.transport import AsyncTransport
from parlance._call import Call
from parlance._page import ExtraT, ItemT, Page, page_of


class AsyncPager(Generic[ItemT, ExtraT]):
    """A list that has not been asked for yet: iterate over its things, its `pages()`, or take its `first_page()`."""

    def __init__(self, transport: AsyncTransport, call: Call, kind: type[ItemT], extra: type[ExtraT]) -> None:
        self._transport = transport
        self._call = call
        self._kind = kind
        self._extra = extra

    async def first_page(self) -> Page[ItemT, ExtraT]:
        """One request: the first things, and `next_cursor` for who pages by hand."""
        return await self._page(self._call)

    async def pages(self) -> AsyncIterator[Page[ItemT, ExtraT]]:
        """Page after page, each fetched when it is needed."""
        page = await self.first_page()
        yield page
        while page.next_cursor is not None:
            page = await self._page(replace(self._call, query={**self._call.query, "cursor": page.next_cursor}))
            yield page

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        async for page in self.pages():
            for item in page.data:
                yield item

    async def _page(self, call: Call) -> Page[ItemT, ExtraT]:
        return page_of(await self._transport.send(call), self._kind, self._extra)
