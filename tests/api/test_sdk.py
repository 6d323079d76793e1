"""A customer's whole journey with the Python SDK against the running server, sync and async."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import parlance
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parlance import AsyncParlance, Parlance, Progress
from stack import Stack, Tenant

from speech.synthesis.errors import TextUnusable
from speech.synthesis.text import spoken_text
from tests.api.conftest import FileServer
from tests.api.media import tone

SIMULATED = "simulated"


@pytest.fixture(scope="module")
def tenant(stack: Stack) -> Tenant:
    return stack.tenant("sdk")


@pytest.fixture
def client(stack: Stack, tenant: Tenant) -> Iterator[Parlance]:
    with Parlance(api_key=tenant.api_key, base_url=stack.url) as made:
        yield made


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    path = tmp_path / "call.wav"
    path.write_bytes(tone(2_000))
    return path


def test_from_a_recording_to_text_captions_and_price(client: Parlance, wav: Path) -> None:
    told: list[Progress] = []
    result = client.transcribe(wav, engine=SIMULATED, tags=["first"], on_progress=told.append)
    assert result.text
    assert result.text.split() == [word.text for word in result.words]
    assert (result.engine, result.duration_ms) == (SIMULATED, 2_000)
    assert result.cost is not None
    assert isinstance(result.cost.amount, Decimal)
    assert result.routing["reasons"]
    assert result.to_srt().startswith("1\n00:00:00,000 --> ")
    assert result.to_vtt(max_lines=1).startswith("WEBVTT")
    assert {one.phase for one in told} == {"uploading", "transcribing"}
    assert (told[-1].phase, told[-1].percent) == ("transcribing", 100)
    assert [one.id for one in client.transcriptions.list(tag="first")] == [result.id]


class Pipe(io.RawIOBase):
    """Something that can be read once."""

    def __init__(self, data: bytes) -> None:
        self._rest = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        return self._rest.readinto(buffer)


@pytest.mark.parametrize("kind", ["str", "bytes", "file", "pipe"])
def test_from_whatever_holds_a_recording(client: Parlance, wav: Path, kind: str) -> None:
    data = wav.read_bytes()
    later = io.BytesIO(b"before it" + data)
    later.seek(9)
    sources: dict[str, str | bytes | BinaryIO] = {
        "str": str(wav), "bytes": data, "file": later, "pipe": io.BufferedReader(Pipe(data)),
    }  # fmt: skip
    assert client.transcribe(sources[kind], engine=SIMULATED).duration_ms == 2_000


def test_a_file_in_parts_is_resumed_and_heard(client: Parlance, tmp_path: Path) -> None:
    path, told = tmp_path / "long.wav", list[Progress]()
    path.write_bytes(tone(200_000))
    size = path.stat().st_size
    begun = client.uploads.create(filename="long.wav", size_bytes=size, part_size_bytes=5 * 1_048_576)
    assert begun.parts is not None
    sent = client.upload(path, resume=begun.id, on_progress=told.append)
    assert (sent.id, sent.status, told[-1].done) == (begun.id, "completed", size)
    job = client.transcriptions.create(upload_id=sent.id, engine=SIMULATED)
    assert client.wait(job.id).duration_ms == 200_000


def test_a_key_and_the_same_file_are_one_job(client: Parlance, wav: Path) -> None:
    first = client.transcribe(wav, engine=SIMULATED, idempotency_key="nightly-run-1")
    again = client.transcribe(wav.read_bytes(), engine=SIMULATED, idempotency_key="nightly-run-1")
    assert again.id == first.id
    with pytest.raises(parlance.InvalidRequest) as refused:
        client.transcribe(tone(1_000), engine=SIMULATED, idempotency_key="nightly-run-1")
    assert refused.value.code == "idempotency_key_reused"


def test_a_url_is_fetched_by_the_server(client: Parlance, file_server: FileServer) -> None:
    url = file_server.serve("/call.wav", tone(2_000))
    assert client.transcribe(url, engine=SIMULATED).duration_ms == 2_000
    with pytest.raises(parlance.InvalidRequest) as caught:
        client.transcribe("http://127.0.0.1:1/private.wav", engine=SIMULATED)
    assert caught.value.code == "url_blocked"


def test_failures_are_raised_with_the_job_and_its_code(client: Parlance, wav: Path) -> None:
    with pytest.raises(parlance.JobFailed) as caught:
        client.transcribe(wav, engine=SIMULATED, simulate="permanent_error")
    assert caught.value.code == "simulated_permanent_error"
    assert caught.value.job.status == "failed"
    assert caught.value.docs_url is not None
    assert caught.value.docs_url.endswith("/problems/simulated_permanent_error")
    with pytest.raises(parlance.UploadFailed, match="No such file"):
        client.transcribe(wav.parent / "absent.wav")
    with pytest.raises(parlance.InvalidRequest) as refused:
        client.transcribe(wav, engine="unheard-of")
    assert refused.value.request_id


def test_a_wait_may_end_before_the_job(client: Parlance, wav: Path) -> None:
    with pytest.raises(parlance.WaitTimedOut) as caught:
        client.transcribe(wav, engine=SIMULATED, simulate="slow:2500", wait_timeout=0.5)
    assert client.wait(caught.value.job_id).text


def test_speech_comes_as_bytes_stream_and_file(client: Parlance, tmp_path: Path) -> None:
    audio = client.speak("Good morning to you.", format="wav", engine=SIMULATED)
    assert audio.content.startswith(b"RIFF")
    assert audio.details().characters == parlance.count_characters("Good morning to you.")
    kept = client.speak("Good morning to you.", to=tmp_path / "a.mp3", engine=SIMULATED)
    assert len(bytes(kept)) == (tmp_path / "a.mp3").stat().st_size > 1_000
    with client.stream_speech("안녕하세요, 반갑습니다.", engine=SIMULATED) as stream:
        assert sum(map(len, stream)) > 1_000
    assert stream.id.startswith("spc_")


def test_long_text_is_spoken_by_a_job(client: Parlance, tmp_path: Path) -> None:
    audio = client.speak("Good morning to you. " * 250, engine=SIMULATED)
    assert audio.content == client.speech.audio(audio.id).read()
    assert client.speech.audio(audio.id).save(tmp_path / "long.mp3") == len(audio.content)


@given(st.text() | st.text("가각힣ᄀ\u1161\u11a8é e\u0301👨\u200d👩 \u00a0\u3000"))
def test_characters_are_counted_as_the_platform_counts_them(text: str) -> None:
    try:
        said = spoken_text(text)
    except TextUnusable:
        return
    assert parlance.count_characters(text) == len(said)


def test_events_come_while_it_is_heard(client: Parlance, wav: Path) -> None:
    job = client.transcriptions.create(upload_id=client.upload(wav).id, engine=SIMULATED, simulate="slow:300")
    seen = [(event.name, type(event.data).__name__) for event in client.transcriptions.stream(job.id)]
    assert ("segment", "Segment") in seen
    assert seen[-1] == ("completed", "Transcription")


def test_the_same_journey_async(stack: Stack, tenant: Tenant, wav: Path) -> None:
    async def journey() -> None:
        async with AsyncParlance(api_key=tenant.api_key, base_url=stack.url) as client:
            result = await client.transcribe(wav, engine=SIMULATED, on_progress=lambda _: None)
            assert (await result.to_srt()).startswith("1\n")
            assert result.id in [one.id async for one in client.transcriptions.list(limit=1)]
            assert [event.name async for event in client.transcriptions.stream(result.id)][-1] == "completed"
            assert (await client.speak("Good morning.", engine=SIMULATED)).content
            async with client.stream_speech("Good evening.", engine=SIMULATED) as stream:
                assert b"".join([chunk async for chunk in stream])
            raw = await client.transcriptions.with_raw_response.get(result.id)
            assert raw.request_id == raw.headers["request-id"]
            await result.delete()
            with pytest.raises(parlance.NotFound):
                await client.transcriptions.get("trn_00000000000000000000000000")

    asyncio.run(journey())


def test_a_real_webhook_is_unwrapped(stack: Stack, file_server: FileServer) -> None:
    client = Parlance(api_key=stack.tenant("sdk-hooks").api_key, base_url=stack.url)
    arrived = threading.Event()

    def take(_: bytes) -> tuple[int, bytes]:
        arrived.set()
        return 204, b""

    endpoint = client.webhook_endpoints.create(
        url=file_server.reply("/sdk-hook", take), event_types=["transcription.completed"], signature="v1+v1a"
    )
    result = client.transcribe(tone(500), engine=SIMULATED)
    assert arrived.wait(20)
    body, headers = next((body, headers) for path, headers, body in file_server.posted if path == "/sdk-hook")
    for secret in (endpoint.secret, endpoint.public_key):
        assert secret is not None
        event = parlance.webhooks.unwrap(body, headers, secret=secret)
        assert isinstance(event, parlance.webhooks.TranscriptionCompletedEvent)
        assert event.data.id == result.id
    assert client.events.get(event.id).type == event.type
    client.close()
