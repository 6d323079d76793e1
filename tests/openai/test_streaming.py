"""`stream=true`: events by hand-made news, and the whole way through OpenAI's SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from stack import Tenant

from dispatch.facade import JobRow
from speech.models import TranscriptionRequest
from speech.openai.streaming import Narrator, events, whole
from speech.queries import Found
from speech.transcript import Segment, Transcript, assemble

SDK = Callable[..., OpenAI]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SAID = ("Good morning.", "Good morning to you.", "좋은 아침입니다.")
SEGMENTS = tuple(
    Segment(number, number * 1_000, number * 1_000 + 900, text, speaker="AB"[number % 2])
    for number, text in enumerate(SAID)
)


@dataclass(frozen=True)
class News:
    """What `speech.streaming.follow` brings."""

    state: str = "running"
    progress: dict[str, int] | None = None
    segments: tuple[Segment, ...] = ()
    final: Found | None = None
    heartbeat: bool = False
    found: Found | None = None


def _job(state: str) -> JobRow:
    nobody = UUID(int=1)
    return JobRow(
        id=nobody, tenant_id=nobody, livemode=True, kind="transcription", state=state, service_class="interactive",
        api_key_id=nobody, created_at=NOW, started_at=NOW, finished_at=NOW, measured_ms=3_000, engine="simulated",
        price_version=1, segments_total=3, segments_left=0, done_ms=3_000, readable_ms=0, event_sequence=1,
        error_code=None, traceparent="",
    )  # fmt: skip


def _found(state: str = "completed", *, error: dict[str, str] | None = None, **presentation: Any) -> Found:
    request = TranscriptionRequest(
        job_id=UUID(int=1), error=error, presentation={"api": "openai", "response_format": "json"} | presentation
    )
    transcript = assemble(SEGMENTS, language="en", duration_ms=3_000) if state == "completed" else None
    return Found(_job(state), request, None, transcript)


def _run(news: Sequence[News | Exception], *, leave_after: int | None = None) -> tuple[list[Any], int]:
    """The events, and how often the job was abandoned."""
    abandoned = 0

    async def follow() -> AsyncGenerator[News, None]:
        for item in news:
            if isinstance(item, Exception):
                raise item
            yield item

    async def abandon() -> None:
        nonlocal abandoned
        await asyncio.sleep(0)
        abandoned += 1

    async def read() -> list[bytes]:
        told = events(follow(), abandon=abandon)
        taken = []
        async for chunk in told:
            taken.append(chunk)
            if len(taken) == leave_after:
                break
        await told.aclose()
        return taken

    return [_parsed(chunk) for chunk in asyncio.run(read())], abandoned


def _parsed(chunk: bytes) -> Any:
    assert chunk.endswith(b"\n\n")
    text = chunk.decode().strip()
    if not text.startswith("data: "):
        return text
    return text if text == "data: [DONE]" else json.loads(text.removeprefix("data: "))


def _types(told: Sequence[Any]) -> list[str]:
    return [event["type"].rpartition(".")[2] if isinstance(event, dict) else event for event in told]


def test_the_deltas_joined_are_the_text() -> None:
    told, abandoned = _run([News(segments=SEGMENTS[:1]), News(segments=SEGMENTS[1:]), News(final=_found())])
    assert _types(told) == ["delta", "delta", "delta", "done", "data: [DONE]"]
    assert "".join(event["delta"] for event in told[:3]) == told[3]["text"] == " ".join(SAID)
    assert told[3]["usage"] == {"type": "duration", "seconds": 3.0}
    assert abandoned == 0


def test_chinese_and_japanese_are_joined_without_spaces() -> None:
    parts = [Segment(0, 0, 1, "今日は"), Segment(1, 1, 2, "いい天気です。")]
    narrator = Narrator(language="ja")
    told = [_parsed(event) for part in parts for event in narrator.tell(part)]
    assert "".join(event["delta"] for event in told) == "今日はいい天気です。"


def test_a_diarized_stream_tells_each_segment_and_its_speaker() -> None:
    asked = _found("running", response_format="diarized_json", names=["Ada"])
    news = [News(found=asked), *(News(segments=(part,), found=asked) for part in SEGMENTS), News(final=_found())]
    told, _ = _run(news)
    assert _types(told) == ["delta", "segment"] * 3 + ["done", "data: [DONE]"]
    assert [event["segment_id"] for event in told[0:6:2]] == [event["id"] for event in told[1:6:2]]
    assert [event["speaker"] for event in told[1:6:2]] == ["Ada", "B", "Ada"]
    assert [(event["start"], event["end"]) for event in told[1:6:2]] == [(0.0, 0.9), (1.0, 1.9), (2.0, 2.9)]


def test_silence_is_filled_with_heartbeats() -> None:
    told, _ = _run([News(heartbeat=True), News(segments=SEGMENTS[:1]), News(final=_found())])
    assert _types(told) == [": keep-alive", "delta", "done", "data: [DONE]"]


@pytest.mark.parametrize(
    ("final", "code"),
    [
        (_found("failed", error={"code": "media_truncated", "detail": "The file is cut."}), "media_truncated"),
        (_found("failed", error={"code": "insufficient_funds", "detail": "Top up."}), "insufficient_quota"),
        (_found("canceled"), "canceled"),
    ],
)
def test_a_failure_in_the_middle_is_an_error_event_and_no_end(final: Found, code: str) -> None:
    told, abandoned = _run([News(segments=SEGMENTS[:1]), News(final=final)])
    assert told[1].keys() == {"error"}
    assert told[1]["error"].keys() == {"message", "type", "param", "code"}
    assert told[1]["error"]["code"] == code
    assert (len(told), abandoned) == (2, 0)


def test_a_job_deleted_in_the_middle_is_an_error_event() -> None:
    told, abandoned = _run([News(segments=SEGMENTS[:1]), News(state="deleted")])
    assert (told[-1]["error"]["code"], abandoned) == ("not_found", 0)


@pytest.mark.parametrize("leave_after", [1, 2, 3])
def test_whoever_leaves_early_abandons_the_job_once(leave_after: int) -> None:
    news = [News(segments=(part,)) for part in SEGMENTS] + [News(final=_found())]
    told, abandoned = _run(news, leave_after=leave_after)
    assert (len(told), abandoned) == (leave_after, 1)


def test_whoever_leaves_at_the_last_word_abandons_nothing() -> None:
    told, abandoned = _run([News(segments=SEGMENTS), News(final=_found())], leave_after=4)
    assert (_types(told)[-1], abandoned) == ("done", 0)


def test_a_canceled_reader_abandons_the_job() -> None:
    abandoned = asyncio.Event()

    async def follow() -> AsyncGenerator[News, None]:
        yield News(segments=SEGMENTS[:1])
        await asyncio.Event().wait()

    async def abandon() -> None:
        abandoned.set()

    async def read(told: AsyncGenerator[bytes, None], first: asyncio.Event) -> None:
        async for _ in told:
            first.set()

    async def main() -> None:
        first = asyncio.Event()
        told = events(follow(), abandon=abandon)
        reading = asyncio.create_task(read(told, first))
        await first.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await told.aclose()
        assert abandoned.is_set()

    asyncio.run(main())


def test_a_crash_of_ours_is_told_and_the_job_is_abandoned() -> None:
    told, abandoned = _run([News(segments=SEGMENTS[:1]), RuntimeError("a secret")])
    assert (told[-1]["error"]["code"], abandoned) == ("internal_error", 1)
    assert "secret" not in json.dumps(told)


def test_a_job_that_has_ended_is_told_all_at_once() -> None:
    found = _found(response_format="diarized_json", names=["Ada", "Bob"])
    told = [_parsed(chunk + b"\n\n") for chunk in whole(found).split(b"\n\n")[:-1]]
    assert _types(told) == ["delta", "segment"] * 3 + ["done", "data: [DONE]"]
    assert [event["speaker"] for event in told[1:6:2]] == ["Ada", "Bob", "Ada"]


def test_an_empty_recording_has_an_end_only() -> None:
    silent = replace(_found(), transcript=Transcript("", "en", 3_000, (), ()))
    assert _types([_parsed(chunk + b"\n\n") for chunk in whole(silent).split(b"\n\n")[:-1]]) == ["done", "data: [DONE]"]


@pytest.mark.parametrize("model", ["simulated", "pocketsphinx"])
def test_the_sdk_reads_a_stream(sdk: SDK, anna: Tenant, spoken: bytes, model: str) -> None:
    client = sdk(anna.api_key)
    told = list(client.audio.transcriptions.create(file=("a.wav", spoken), model=model, stream=True))
    assert _ends(told[:-1]) <= {"delta"}
    assert told[-1].type == "transcript.text.done"
    assert "".join(event.delta for event in told[:-1]) == told[-1].text != ""  # type: ignore[union-attr]


def test_the_asynchronous_sdk_reads_a_stream(
    async_sdk: Callable[..., AsyncOpenAI], anna: Tenant, spoken: bytes
) -> None:
    async def read() -> list[Any]:
        async with async_sdk(anna.test_api_key) as client:
            stream = await client.audio.transcriptions.create(
                file=("a.wav", spoken), model="gpt-4o-transcribe-diarize", response_format="diarized_json", stream=True
            )
            return [event async for event in stream]

    told = asyncio.run(read())
    assert _ends(told) == {"delta", "segment", "done"}
    segments = [event for event in told if event.type == "transcript.text.segment"]
    assert [segment.speaker for segment in segments] == ["A", "B"]


def test_a_stream_of_a_bad_file_fails_as_an_error(sdk: SDK, anna: Tenant) -> None:
    client = sdk(anna.test_api_key)
    with pytest.raises(openai.BadRequestError) as caught:
        client.audio.transcriptions.create(file=("a.wav", b""), model="whisper-1", stream=True)
    assert caught.value.code == "media_empty"


def test_a_stream_of_a_failing_job_raises_an_api_error(sdk: SDK, anna: Tenant, clip: bytes) -> None:
    client = sdk(anna.test_api_key)
    with pytest.raises(openai.APIError) as caught:
        list(
            client.audio.transcriptions.create(
                file=("a.wav", clip), model="whisper-1", stream=True, extra_body={"simulate": "permanent_error"}
            )
        )
    assert caught.value.code == "simulated_permanent_error"


def _ends(told: Sequence[Any]) -> set[str]:
    return {event.type.rpartition(".")[2] for event in told}
