"""The client."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import httpx
from typing_extensions import Self, Unpack

from parlance._async.resources import AsyncResources
from parlance._async.results import AsyncSpokenAudio, AsyncTranscriptionResult
from parlance._async.speaking import AsyncSpeaker, AsyncSpeechStream
from parlance._async.transport import AsyncTransport
from parlance._async.uploads import AsyncUploader
from parlance._async.waiting import PATIENCE, a_ended, a_followed, completed
from parlance._call import RequestOptions, new_key
from parlance._errors import UnexpectedAnswer, UploadFailed
from parlance._generated.models import Transcription, Upload
from parlance._generated.params import SpeechOptions, TranscriptionOptions
from parlance._logging import set_up_logging
from parlance._settings import DEFAULT_RETRIES, settings_of, timeout_of
from parlance._sources import ProgressCallback, Source, is_url, recording_of


class AsyncParlance(AsyncResources):
    """A client of one Parlance server. Make one, share it between threads or tasks, and close it, or use `with`.

    `api_key`: else PARLANCE_API_KEY. `base_url`: else PARLANCE_API_URL. `timeout`: seconds for each phase (connect
    at most 5), or an `httpx.Timeout` with one for each; 60 by default. `max_retries`: how often a call that may be
    repeated is sent again after no answer, 408, 429 or 5xx, with growing pauses and one Idempotency-Key. `proxy`: its
    URL; the usual variables (HTTPS_PROXY, NO_PROXY) are heeded too. `transport`: an httpx transport, such as one of
    `parlance.testing`. `http_client`: an httpx client of yours instead, with its own timeout; you close it.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float | httpx.Timeout | None = None,
        max_retries: int = DEFAULT_RETRIES,
        proxy: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        set_up_logging()
        timeout = timeout_of(http_client) if timeout is None else timeout
        settings = settings_of(api_key, base_url, timeout, max_retries)
        self._transport = AsyncTransport(settings, http_client=http_client, transport=transport, proxy=proxy)
        super().__init__(self._transport)
        self._uploader = AsyncUploader(self._transport, self.uploads)
        self._speaker = AsyncSpeaker(self._transport, self.speech)

    async def transcribe(
        self,
        source: Source,
        *,
        filename: str | None = None,
        on_progress: ProgressCallback | None = None,
        wait_timeout: float | None = None,
        idempotency_key: str | None = None,
        **wishes: Unpack[TranscriptionOptions],
    ) -> AsyncTranscriptionResult:
        """The text of a recording: a path, bytes, an open file, or an http(s) URL that the server fetches.

        Uploads, submits, and waits until it is done or `wait_timeout` seconds are over (`WaitTimedOut`; it goes on).
        A server that restarts meanwhile delays it, and costs nothing twice. `on_progress` is called with a `Progress`.
        `idempotency_key`: a second run of your program with this key and the same file or URL joins the first.
        Raises `JobFailed` or `JobCanceled` when there is no text, and `ApiError`, `UploadFailed`, `ConnectionFailed`.
        """
        key, calm = idempotency_key or new_key(), RequestOptions(max_retries=PATIENCE)
        if is_url(source):
            job = await self.transcriptions.create(audio_url=str(source), idempotency_key=key, options=calm, **wishes)
        else:
            sent = await self.upload(source, filename=filename, on_progress=on_progress)
            job = await self.transcriptions.create(upload_id=sent.id, idempotency_key=key, options=calm, **wishes)
        return AsyncTranscriptionResult(self.transcriptions, await self._done(job, on_progress, wait_timeout))

    async def wait(self, transcription_id: str, *, wait_timeout: float | None = None) -> AsyncTranscriptionResult:
        """The result of a transcription that was submitted before, perhaps by another process."""
        job = await self.transcriptions.get(transcription_id)
        return AsyncTranscriptionResult(self.transcriptions, await self._done(job, None, wait_timeout))

    async def upload(
        self, source: Source, *, filename: str | None = None, resume: str | None = None,
        part_size_bytes: int | None = None, on_progress: ProgressCallback | None = None,
    ) -> Upload:  # fmt: skip
        """Bring a file to the server; its `id` may be given to `transcriptions.create(upload_id=…)` once.

        Above 100 MB it goes in parts, and each that fails is sent again. `part_size_bytes`: smaller files do so too
        (at least 5 MiB). `resume`: the id of an upload that another run began with the same file; what has arrived
        is not sent again.
        """
        recording = recording_of(source, filename=filename)
        try:
            return await self._uploader.upload(
                recording, resume=resume, part_size_bytes=part_size_bytes, on_progress=on_progress, patience=PATIENCE
            )
        except OSError as error:
            raise UploadFailed(f"{recording.filename} cannot be read any more: {error.strerror}") from error
        finally:
            recording.close()

    async def speak(
        self, text: str, *, to: str | Path | BinaryIO | None = None, idempotency_key: str | None = None,
        **wishes: Unpack[SpeechOptions],
    ) -> AsyncSpokenAudio:  # fmt: skip
        """The text, spoken: `.content`, or written to `to`, a path or an open file. Of any length.

        A path's file appears when all of it is there. Raises `OutputFailed` before anything is asked for when it
        cannot be written.
        """
        return await self._speaker.speak({"text": text, **wishes}, to=to, idempotency_key=idempotency_key)

    def stream_speech(
        self, text: str, *, idempotency_key: str | None = None, **wishes: Unpack[SpeechOptions]
    ) -> AsyncSpeechStream:
        """Audio while it is spoken: iterate over the bytes. Leaving early stops it; what was sent is billed."""
        return self._speaker.stream({"text": text, **wishes}, idempotency_key=idempotency_key)

    async def aclose(self) -> None:
        """Close the connections. Calls that are on their way, in other threads or tasks, end with `ClientClosed`."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _done(
        self, job: Transcription, on_progress: ProgressCallback | None, wait_timeout: float | None
    ) -> Transcription:
        if on_progress is not None and wait_timeout is None:
            job = await a_followed(self.transcriptions, job, on_progress)
        job = completed(await a_ended(job, self._get, timeout_s=wait_timeout))
        if job.text is None:  # the answer that ended the wait may be of a list or an event, which hold no text
            job = await self.transcriptions.get(job.id, options={"max_retries": PATIENCE})
        if job.text is None:
            raise UnexpectedAnswer(f"{job.id} is completed but has no text.")
        return job

    async def _get(self, job_id: str, wait_s: float, options: RequestOptions) -> Transcription:
        return await self.transcriptions.get(job_id, wait_s=wait_s, options=options)
