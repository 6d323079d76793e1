"""News of a transcription as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

The id of an event is the number of segments sent so far, so a reader that comes back is told what it lacks and nothing
twice, by whatever process and also after the end.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID

from apikit.threads import in_request_thread
from speech import resources, retention
from speech.captions.render import segment_value
from speech.queries import Found
from speech.streaming import News, follow
from tenants.facade import Caller

MEDIA_TYPE = "text/event-stream"
END_ID = "end"
RECONNECT = b"retry: 2000\n\n"  # milliseconds
HEARTBEAT = b": keep-alive\n\n"
MAX_ID_DIGITS = 9


def seen_of(last_event_id: str) -> int:
    """How many segments a reader has; what is no id of ours reads from the beginning.

    >>> seen_of("17"), seen_of("end"), seen_of("-1"), seen_of("")
    (17, 0, 0, 0)
    """
    is_ours = last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= MAX_ID_DIGITS
    return int(last_event_id) if is_ours else 0


async def event_stream(caller: Caller, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    """The body of the stream; `seen` in the query is how many segments the reader has already."""
    seen, told = int(query.get("seen", "0")), News("")
    yield RECONNECT
    async with aclosing(follow(caller, job_id, seen=seen)) as following:
        async for news in following:
            if news.heartbeat:
                yield HEARTBEAT
                continue
            yield await _encoded(news, job_id, seen=seen, told=told)
            seen, told = seen + len(news.segments), News(news.state, news.progress)
    await retention.sent(job_id, query)


async def _encoded(news: News, job_id: UUID, *, seen: int, told: News) -> bytes:
    """The events of these news; those of a whole result are put together away from the event loop."""
    encode = partial(_encode, news, job_id, seen=seen, told=told)
    return await in_request_thread(encode) if news.final else encode()


def _encode(news: News, job_id: UUID, *, seen: int, told: News) -> bytes:
    return b"".join(_events(news, job_id, seen=seen, told=told))


def _events(news: News, job_id: UUID, *, seen: int, told: News) -> Iterator[bytes]:
    if news.found is None:
        yield _event("deleted", resources.deleted(job_id), event_id=END_ID)
        return
    if news.state != told.state and news.final is None:
        yield _event("status", _shown(news.found), event_id=str(seen))
    for segment in news.segments:
        seen += 1
        yield _event("segment", segment_value(segment), event_id=str(seen))
    if news.final is None and news.progress != told.progress:
        yield _event("progress", dict(news.progress or {}), event_id=str(seen))
    if news.final is not None:
        yield _event(news.state, _shown(news.final, with_text=True), event_id=END_ID)


def _shown(found: Found, *, with_text: bool = False) -> dict[str, Any]:
    transcript = found.transcript if with_text else None
    return resources.transcription(found.job, found.request, cost=found.cost, transcript=transcript)


def _event(name: str, data: dict[str, Any], *, event_id: str) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))  # one line: JSON escapes line ends
    return f"event: {name}\nid: {event_id}\ndata: {text}\n\n".encode()
