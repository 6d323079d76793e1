"""`with_raw_response`: the same method, with the HTTP answer beside what it returns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from typing_extensions import ParamSpec

from parlance._captured import RawResponse, captured

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
