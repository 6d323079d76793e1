"""`with_raw_response`: the same method, with the HTTP answer beside what it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from typing_extensions import ParamSpec

from parlance._captured import RawResponse, captured
from parlance._page import ExtraT, ItemT, Page
from parlance._sync.pages import Pager

ArgumentsT = ParamSpec("ArgumentsT")
ResultT = TypeVar("ResultT")


def raw(method: Callable[ArgumentsT, ResultT]) -> Callable[ArgumentsT, RawResponse[ResultT]]:
    """The method, returning a `RawResponse`."""

    def call(*arguments: ArgumentsT.args, **named: ArgumentsT.kwargs) -> RawResponse[ResultT]:
        kept = captured.set([])
        try:
            parsed = method(*arguments, **named)
            answers = captured.get() or []
        finally:
            captured.reset(kept)
        return RawResponse(parsed, answers[-1])

    return call


def raw_page(
    method: Callable[ArgumentsT, Pager[ItemT, ExtraT]],
) -> Callable[ArgumentsT, RawResponse[Page[ItemT, ExtraT]]]:
    """The method of a list, returning a `RawResponse` of its page: the first, or that of `cursor`."""

    def page(*arguments: ArgumentsT.args, **named: ArgumentsT.kwargs) -> Page[ItemT, ExtraT]:
        return method(*arguments, **named).first_page()

    return raw(page)
