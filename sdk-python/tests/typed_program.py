"""A customer's program, as strict type checkers see it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from parlance import AsyncParlance, JobFailed, Parlance, ParlanceError, Progress, recompute_statement, webhooks
from parlance.models import Segment, Transcription, Word
from parlance.testing import FakeParlance


def tell(progress: Progress) -> None:
    print(progress.phase, progress.percent)


def program(client: Parlance) -> str:
    result = client.transcribe(
        Path("call.wav"), language="ko-KR", tags=["a"], routing={"local_only": True}, on_progress=tell
    )
    words: list[Word] = result.words
    price: Decimal | None = result.cost.amount if result.cost else None
    print(words, price, result.to_srt(max_lines=1))
    found: Transcription = client.transcriptions.get(result.id, wait_s=30, options={"timeout": 5})
    if found.status == "completed" and found.text is not None:
        print(found.created.year)
    for one in client.transcriptions.list(status="failed"):
        print(one.error.code if one.error else None)
    for event in client.transcriptions.stream(result.id):
        if isinstance(event.data, Segment):
            print(event.data.text)
    srt: str = client.transcriptions.transcript(result.id, format="srt")
    text: str = client.transcriptions.transcript(result.id).text
    page = client.events.list(after=0).first_page()
    after: int | None = page.extra.next_after
    print(after, page.data[0].type, [engine.id for engine in client.engines.list().first_page().extra.speaking])
    count: int = client.webhook_endpoints.recover("whe_1", since="2026-11-01T00:00:00Z", dry_run=True).count
    print(count, client.webhook_endpoints.replay("whe_1", from_="2026-11-01", to="2026-11-02").state)
    raw = client.transcriptions.with_raw_response.get(result.id)
    parsed: Transcription = raw.parsed
    print([one.id for one in client.transcriptions.with_raw_response.list(limit=1).parsed.data])
    client.webhook_endpoints.update("whe_1", rate_per_s=None)
    audio: bytes = client.speak("hello", format="wav", to=Path("a.wav")).content
    print(audio, srt, parsed.id, recompute_statement("").matches)
    try:
        client.upload(b"")
    except JobFailed as error:
        print(error.code, error.retryable)
    except ParlanceError as error:
        print(error.retry_after, [wrong.field for wrong in error.errors])
    return text


def hook(body: bytes, headers: dict[str, str]) -> str:
    event = webhooks.unwrap(body, headers, secret=["whsec_a", "whsec_b"], tolerance_s=60)
    if isinstance(event, webhooks.TranscriptionCompletedEvent):
        return f"{event.data.id} without {event.data.omitted}"
    if isinstance(event, webhooks.TranscriptionDeletedEvent):
        return f"{event.data.reason} {event.data.deleted_at.isoformat()}"
    return event.type


async def later() -> None:
    async with AsyncParlance(timeout=10, max_retries=2) as client:
        result = await client.transcribe("https://example.com/a.wav")
        print(await result.to_vtt(), [one.id async for one in client.voices.list()])
        async with client.stream_speech("hello") as stream:
            print(sum([len(chunk) async for chunk in stream]))


if __name__ == "__main__":
    program(FakeParlance().client())
    asyncio.run(later())
