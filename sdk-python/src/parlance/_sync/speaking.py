"""Speaks a text: short ones are answered with audio, long ones by a job whose file is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import httpx
from typing_extensions import Self

from parlance._call import Call, RequestOptions, new_key, parse
from parlance._concurrency import blocking
from parlance._errors import ConnectionFailed
from parlance._files import written
from parlance._generated.models import Speech
from parlance._sync.resources.speech import SpeechResource
from parlance._sync.results import SpokenAudio
from parlance._sync.streams import ByteStream
from parlance._sync.transport import Transport
from parlance._sync.waiting import PATIENCE, completed, ended

ID_HEADER, VOICE_HEADER = "x-parlance-speech-id", "x-parlance-voice"
AUDIO_S = httpx.Timeout(660.0, connect=5.0)  # the server itself gives up after 600 s


class SpeechStream:
    """Audio while it is spoken. `id`, `voice` and `content_type` are there once it is open."""

    def __init__(self, speaker: Speaker, call: Call) -> None:
        self._speaker = speaker
        self._call = call
        self._response: httpx.Response | None = None
        self.id = ""
        self.voice = ""
        self.content_type = ""

    def open(self) -> httpx.Response:
        """Send the request, unless it is sent."""
        if self._response is None:
            response = self._speaker.answer(self._call)
            self.id = response.headers.get(ID_HEADER, self.id)
            self.voice = response.headers.get(VOICE_HEADER, "")
            self.content_type = response.headers.get("content-type", "")
            self._response = response
        return self._response

    def __iter__(self) -> Iterator[bytes]:
        response = self.open()
        try:
            for chunk in response.iter_bytes():
                yield chunk
            self._speaker.transport.closing.check()  # a body without a length ends so too
        except httpx.TransportError as error:
            raise self._speaker.transport.cut(error) from error
        finally:
            response.close()

    def close(self) -> None:
        """Stop receiving."""
        if self._response is not None:
            self._response.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Speaker:
    """One key for each text: whatever is sent again joins the same job."""

    def __init__(self, transport: Transport, speech: SpeechResource) -> None:
        self.transport = transport
        self._speech = speech

    def stream(self, body: Mapping[str, Any], *, idempotency_key: str | None) -> SpeechStream:
        return SpeechStream(self, self._call(body, idempotency_key))

    def speak(
        self, body: Mapping[str, Any], *, to: str | Path | BinaryIO | None, idempotency_key: str | None
    ) -> SpokenAudio:
        """All of the audio. If the answer is cut, the file of the same job is fetched."""
        stream, content = SpeechStream(self, self._call(body, idempotency_key)), b""
        if to is None:
            content = self._content(stream)
        else:
            with written(to) as file:  # whether it can be is known before anything is billed
                if isinstance(to, str | Path):
                    self._write(stream, file)
                else:
                    content = self._content(stream)
                    blocking(file.write, content)
        return SpokenAudio(
            self._speech, speech_id=stream.id, content=content, content_type=stream.content_type, voice=stream.voice,
            path=Path(to) if isinstance(to, str | Path) else None,
        )  # fmt: skip

    def answer(self, call: Call) -> httpx.Response:
        """An answer whose body is the audio; waits for the job where the text is long."""
        response = self.transport.send(call, patience=PATIENCE, stream=True)
        if not response.headers.get("content-type", "").startswith("application/json"):
            return response
        response.read()
        job = self._ended(parse(response, Speech))
        found = ByteStream(self.transport, _audio(job.id)).open()
        found.headers[ID_HEADER] = job.id
        found.headers.setdefault(VOICE_HEADER, job.voice)
        return found

    def _call(self, body: Mapping[str, Any], idempotency_key: str | None) -> Call:
        key = idempotency_key or new_key()
        return Call("POST", "/v1/speech", body=body, idempotency_key=key, options={"timeout": AUDIO_S})

    def _content(self, stream: SpeechStream) -> bytes:
        stream.open()
        try:
            return b"".join([chunk for chunk in stream])
        except ConnectionFailed:
            return (self._file(stream.id)).read()

    def _write(self, stream: SpeechStream, file: BinaryIO) -> None:
        """While it is spoken; from the beginning again if that was cut."""
        stream.open()
        try:
            for chunk in stream:
                blocking(file.write, chunk)
        except ConnectionFailed:
            again = self._file(stream.id)
            file.truncate(file.seek(0))
            again.save(file)

    def _file(self, speech_id: str) -> ByteStream:
        """The file of a job whose answer was cut: the job goes on without its reader."""
        job = self._ended(self._speech.get(speech_id, options={"max_retries": PATIENCE}))
        return ByteStream(self.transport, _audio(job.id))

    def _ended(self, job: Speech) -> Speech:
        return completed(ended(job, self._get, timeout_s=None))

    def _get(self, job_id: str, wait_s: float, options: RequestOptions) -> Speech:
        return self._speech.get(job_id, wait_s=wait_s, options=options)


def _audio(speech_id: str) -> Call:
    return Call("GET", f"/v1/speech/{speech_id}/audio", options={"max_retries": PATIENCE})
