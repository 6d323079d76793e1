"""`with_raw_response`: the same method, with the HTTP answer beside what it returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from typing_extensions import ParamSpec

from parlance._async.pages import AsyncPager
from parlance._captured import RawResponse, captured
from parlance._page import ExtraT, ItemT, Page

ArgumentsT = ParamSpec("ArgumentsT")
ResultT = TypeVar("ResultT")


def a_raw(method: Callable[ArgumentsT, Awaitable[ResultT]]) -> Callable[ArgumentsT, Awaitable[RawResponse[ResultT]]]:
    """The method, returning a `RawResponse`."""

    async def call(*arguments: ArgumentsT.args, **named: ArgumentsT.kwargs) -> RawResponse[ResultT]:
        kept = captured.set([])
        try:
            parsed = await method(*arguments, **named)
            answers = captured.get() or []
        finally:
            captured.reset(kept)
        return RawResponse(parsed, answers[-1])

    return call


def a_raw_page(
    method: Callable[ArgumentsT, AsyncPager[ItemT, ExtraT]],
) -> Callable[ArgumentsT, Awaitable[RawResponse[Page[ItemT, ExtraT]]]]:
    """The method of a list, returning a `RawResponse` of its page: the first, or that of `cursor`."""

    async def page(*arguments: ArgumentsT.args, **named: ArgumentsT.kwargs) -> Page[ItemT, ExtraT]:
        return await method(*arguments, **named).first_page()

    return a_raw(page)
