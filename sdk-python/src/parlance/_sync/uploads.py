"""Brings a recording to the signed URL of an upload."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing

import httpx

from parlance._concurrency import blocking, sleep
from parlance._errors import UploadFailed, api_error
from parlance._generated.models import Upload
from parlance._retry import delay_s
from parlance._settings import DEFAULT_RETRIES
from parlance._sources import Progress, ProgressCallback, Recording
from parlance._sync.resources.uploads import UploadsResource
from parlance._sync.transport import Transport, connection_error

log = logging.getLogger("parlance")
CHUNK_BYTES = 262_144
ARRIVED = frozenset({"completed", "used"})
GONE = frozenset({403, 404, 410})  # the signed URL's time is over


class Uploader:
    """A new upload for each recording; what fails on the way is sent again, also across a restart of the server."""

    def __init__(self, transport: Transport, uploads: UploadsResource) -> None:
        self._transport = transport
        self._uploads = uploads

    def upload(
        self, recording: Recording, *, on_progress: ProgressCallback | None = None, patience: int = DEFAULT_RETRIES
    ) -> Upload:
        """The upload whose file has arrived; raises `UploadFailed` or an `ApiError`."""
        attempt = 0
        ticket = self._ticket(recording, patience)
        while True:
            problem = self._put_whole(ticket, recording, on_progress)
            if problem is None or self._has_arrived(ticket, patience):
                return ticket
            pause = delay_s(attempt, retry_after=None)
            if attempt >= patience or pause is None or _is_final(problem):
                failed = UploadFailed(f"{recording.filename} did not arrive: {_told(problem)}")
                raise failed from (problem if isinstance(problem, Exception) else None)
            sleep(pause)
            attempt += 1
            if isinstance(problem, httpx.Response) and problem.status_code in GONE:
                ticket = self._ticket(recording, patience)

    def _ticket(self, recording: Recording, patience: int) -> Upload:
        return self._uploads.create(
            filename=recording.filename, content_type=recording.content_type, size_bytes=recording.size_bytes,
            options={"max_retries": patience},
        )  # fmt: skip

    def _has_arrived(self, ticket: Upload, patience: int) -> bool:
        """Whether it is there although the answer was lost."""
        return (self._uploads.get(ticket.id, options={"max_retries": patience})).status in ARRIVED

    def _put_whole(
        self, ticket: Upload, recording: Recording, on_progress: ProgressCallback | None
    ) -> httpx.Response | httpx.TransportError | None:
        """One PUT of the whole file, as the ticket says; None when it was taken."""
        signed = ticket.upload
        if signed is None:
            raise UploadFailed("The server gave no URL for the upload.")
        headers = {**signed.headers, "Content-Length": str(recording.size_bytes)}
        with closing(_chunks(recording, on_progress)) as body:
            try:
                answer = self._transport.http.request(signed.method, signed.url, headers=headers, content=body)
            except httpx.TransportError as error:
                log.debug("PUT of %s failed: %s", ticket.id, type(error).__name__)
                return error
        log.debug("PUT of %s → %d", ticket.id, answer.status_code)
        return None if answer.is_success else answer


def _is_final(problem: httpx.Response | httpx.TransportError) -> bool:
    """Whether sending the same again cannot help."""
    if not isinstance(problem, httpx.Response):
        return False
    return 400 <= problem.status_code < 500 and problem.status_code not in {408, 409, 429, *GONE}


def _told(problem: httpx.Response | httpx.TransportError) -> str:
    if isinstance(problem, httpx.Response):
        return str(api_error(problem.status_code, problem.content, problem.headers))
    return str(connection_error(problem))


def _chunks(recording: Recording, on_progress: ProgressCallback | None) -> Generator[bytes, None, None]:
    """The file from its beginning, read while it is sent."""
    file = blocking(recording.open)
    sent = 0
    try:
        while chunk := blocking(file.read, min(CHUNK_BYTES, recording.size_bytes - sent)):
            yield chunk
            sent += len(chunk)
            if on_progress is not None:
                on_progress(Progress("uploading", sent, recording.size_bytes))
    finally:
        blocking(file.close)
