"""Speaks a text: short ones are answered with audio, long ones by a job whose file is fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import httpx
from typing_extensions import Self

from parlance._async.resources.speech import AsyncSpeechResource
from parlance._async.results import AsyncSpokenAudio
from parlance._async.streams import AsyncByteStream
from parlance._async.transport import AsyncTransport
from parlance._async.waiting import PATIENCE, a_ended, completed
from parlance._call import Call, RequestOptions, new_key, parse
from parlance._concurrency import a_blocking
from parlance._errors import ConnectionFailed
from parlance._files import written
from parlance._generated.models import Speech

ID_HEADER, VOICE_HEADER = "x-parlance-speech-id", "x-parlance-voice"
AUDIO_S = httpx.Timeout(660.0, connect=5.0)  # the server itself gives up after 600 s


class AsyncSpeechStream:
    """Audio while it is spoken. `id`, `voice` and `content_type` are there once it is open."""

    def __init__(self, speaker: AsyncSpeaker, call: Call) -> None:
        self._speaker = speaker
        self._call = call
        self._response: httpx.Response | None = None
        self.id = ""
        self.voice = ""
        self.content_type = ""

    async def open(self) -> httpx.Response:
        """Send the request, unless it is sent."""
        if self._response is None:
            response = await self._speaker.answer(self._call)
            self.id = response.headers.get(ID_HEADER, self.id)
            self.voice = response.headers.get(VOICE_HEADER, "")
            self.content_type = response.headers.get("content-type", "")
            self._response = response
        return self._response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response = await self.open()
        try:
            async for chunk in response.aiter_bytes():
                yield chunk
            self._speaker.transport.closing.check()  # a body without a length ends so too
        except httpx.TransportError as error:
            raise self._speaker.transport.cut(error) from error
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Stop receiving."""
        if self._response is not None:
            await self._response.aclose()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class AsyncSpeaker:
    """One key for each text: whatever is sent again joins the same job."""

    def __init__(self, transport: AsyncTransport, speech: AsyncSpeechResource) -> None:
        self.transport = transport
        self._speech = speech

    def stream(self, body: Mapping[str, Any], *, idempotency_key: str | None) -> AsyncSpeechStream:
        return AsyncSpeechStream(self, self._call(body, idempotency_key))

    async def speak(
        self, body: Mapping[str, Any], *, to: str | Path | BinaryIO | None, idempotency_key: str | None
    ) -> AsyncSpokenAudio:
        """All of the audio. If the answer is cut, the file of the same job is fetched."""
        stream, content = AsyncSpeechStream(self, self._call(body, idempotency_key)), b""
        if to is None:
            content = await self._content(stream)
        else:
            with written(to) as file:  # whether it can be is known before anything is billed
                if isinstance(to, str | Path):
                    await self._write(stream, file)
                else:
                    content = await self._content(stream)
                    await a_blocking(file.write, content)
        return AsyncSpokenAudio(
            self._speech, speech_id=stream.id, content=content, content_type=stream.content_type, voice=stream.voice,
            path=Path(to) if isinstance(to, str | Path) else None,
        )  # fmt: skip

    async def answer(self, call: Call) -> httpx.Response:
        """An answer whose body is the audio; waits for the job where the text is long."""
        response = await self.transport.send(call, patience=PATIENCE, stream=True)
        if not response.headers.get("content-type", "").startswith("application/json"):
            return response
        await response.aread()
        job = await self._ended(parse(response, Speech))
        found = await AsyncByteStream(self.transport, _audio(job.id)).open()
        found.headers[ID_HEADER] = job.id
        found.headers.setdefault(VOICE_HEADER, job.voice)
        return found

    def _call(self, body: Mapping[str, Any], idempotency_key: str | None) -> Call:
        key = idempotency_key or new_key()
        return Call("POST", "/v1/speech", body=body, idempotency_key=key, options={"timeout": AUDIO_S})

    async def _content(self, stream: AsyncSpeechStream) -> bytes:
        await stream.open()
        try:
            return b"".join([chunk async for chunk in stream])
        except ConnectionFailed:
            return await (await self._file(stream.id)).read()

    async def _write(self, stream: AsyncSpeechStream, file: BinaryIO) -> None:
        """While it is spoken; from the beginning again if that was cut."""
        await stream.open()
        try:
            async for chunk in stream:
                await a_blocking(file.write, chunk)
        except ConnectionFailed:
            again = await self._file(stream.id)
            file.truncate(file.seek(0))
            await again.save(file)

    async def _file(self, speech_id: str) -> AsyncByteStream:
        """The file of a job whose answer was cut: the job goes on without its reader."""
        job = await self._ended(await self._speech.get(speech_id, options={"max_retries": PATIENCE}))
        return AsyncByteStream(self.transport, _audio(job.id))

    async def _ended(self, job: Speech) -> Speech:
        return completed(await a_ended(job, self._get, timeout_s=None))

    async def _get(self, job_id: str, wait_s: float, options: RequestOptions) -> Speech:
        return await self._speech.get(job_id, wait_s=wait_s, options=options)


def _audio(speech_id: str) -> Call:
    return Call("GET", f"/v1/speech/{speech_id}/audio", options={"max_retries": PATIENCE})
