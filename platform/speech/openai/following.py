"""A running job as OpenAI's events: the body that the front layer sends for the stream kind `openai`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from uuid import UUID

from apikit.threads import in_request_thread
from speech import ending
from speech.contracts import NotCancelable
from speech.openai.streaming import events
from speech.retention import sent
from speech.streaming import follow
from tenants.facade import Caller, tenant_context


async def openai_stream(caller: Caller, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """The events of the caller's job; leaving early cancels it."""

    async def abandon() -> None:
        await in_request_thread(_cancel, caller, job_id)

    told = events(follow(caller, job_id), abandon=abandon)
    async with aclosing(told):
        async for chunk in told:
            yield chunk
    await sent(job_id, query)


def _cancel(caller: Caller, job_id: UUID) -> None:
    """What was sent is billed. A job that has ended meanwhile is billed as a whole, and its text can be read."""
    with tenant_context(caller.tenant):
        try:
            ending.ENDS.cancel(job_id)
        except NotCancelable:
            return
