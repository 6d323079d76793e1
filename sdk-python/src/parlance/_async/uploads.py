"""Brings a recording to the signed URLs of an upload: whole, or in parts when the server wants it so."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import httpx

from parlance._async.resources.uploads import AsyncUploadsResource
from parlance._async.transport import AsyncTransport, connection_error
from parlance._concurrency import a_blocking, a_tell
from parlance._errors import Conflict, UploadFailed, api_error
from parlance._generated.models import Upload
from parlance._logging import log
from parlance._pieces import Piece, pieces_of
from parlance._retry import delay_s
from parlance._settings import DEFAULT_RETRIES
from parlance._sources import Progress, ProgressCallback, Recording

CHUNK_BYTES = 262_144
GONE = frozenset({403, 404, 410})  # the signed URL's time is over
JOIN_S = 600.0  # a server joins and checks gigabytes before it answers
Tell = Callable[[int], Awaitable[None]]


class AsyncUploader:
    """One upload for each recording; a piece that fails is sent again, also across a restart of the server."""

    def __init__(self, transport: AsyncTransport, uploads: AsyncUploadsResource) -> None:
        self._transport = transport
        self._uploads = uploads

    async def upload(
        self, recording: Recording, *, resume: str | None = None, part_size_bytes: int | None = None,
        on_progress: ProgressCallback | None = None, patience: int = DEFAULT_RETRIES,
    ) -> Upload:  # fmt: skip
        """The upload whose file has arrived; raises `UploadFailed` or an `ApiError`."""
        if resume is None:
            ticket = await self._created(recording, part_size_bytes, patience)
        else:
            ticket = await self._resumed(resume, patience)
        if ticket.size_bytes != recording.size_bytes:
            raise UploadFailed(f"{recording.filename} has not the size of {ticket.id}: it is another file.")
        for piece in pieces_of(ticket):
            await self._send(ticket, piece, recording, _telling(on_progress, recording), patience)
        if ticket.parts is None:
            return ticket
        return await self._uploads.complete(ticket.id, options={"max_retries": patience, "timeout": JOIN_S})

    async def _created(self, recording: Recording, part_size_bytes: int | None, patience: int) -> Upload:
        return await self._uploads.create(
            filename=recording.filename, content_type=recording.content_type, size_bytes=recording.size_bytes,
            sha256=await a_blocking(recording.sha256), part_size_bytes=part_size_bytes,
            options={"max_retries": patience},
        )  # fmt: skip

    async def _resumed(self, upload_id: str, patience: int) -> Upload:
        """The upload with requests for what is missing; without any when nothing is."""
        try:
            return await self._uploads.resume(upload_id, options={"max_retries": patience})
        except Conflict as told:
            if told.code != "upload_already_complete":
                raise
        return await self._uploads.get(upload_id, options={"max_retries": patience})

    async def _send(self, ticket: Upload, piece: Piece, recording: Recording, tell: Tell, patience: int) -> None:
        """One piece, until it is there."""
        attempt = 0
        while piece.request is not None:
            problem = await self._put(ticket.id, piece, recording, tell)
            if problem is None:
                return
            pause = delay_s(attempt, retry_after=None)
            if attempt >= patience or pause is None or _is_final(problem):
                failed = UploadFailed(f"{recording.filename} did not arrive: {_told(problem)}")
                raise failed from (problem if isinstance(problem, Exception) else None)
            await self._transport.closing.pause(pause)
            attempt += 1
            # It may be there although the answer was lost; if not, there is a fresh URL for it.
            piece = pieces_of(await self._resumed(ticket.id, patience))[piece.place]
        await tell(piece.start + piece.size_bytes)

    async def _put(
        self, upload_id: str, piece: Piece, recording: Recording, tell: Tell
    ) -> httpx.Response | httpx.TransportError | None:
        """One PUT of a piece, as its request says; None when it was taken."""
        signed = piece.request
        assert signed is not None
        async with aclosing(_chunks(recording, piece, tell)) as body:
            try:
                answer = await self._transport.put(signed, size_bytes=piece.size_bytes, content=body)
            except httpx.TransportError as error:
                log.debug("PUT of %s, piece %d, failed: %s", upload_id, piece.place, type(error).__name__)
                return error
        log.debug("PUT of %s, piece %d → %d", upload_id, piece.place, answer.status_code)
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


def _telling(on_progress: ProgressCallback | None, recording: Recording) -> Tell:
    async def told(sent: int) -> None:
        if on_progress is not None:
            await a_tell(on_progress, Progress("uploading", sent, recording.size_bytes))

    return told


async def _chunks(recording: Recording, piece: Piece, tell: Tell) -> AsyncGenerator[bytes, None]:
    """The piece from its beginning, read while it is sent."""
    file = await a_blocking(recording.open, piece.start)
    sent = 0
    try:
        while chunk := await a_blocking(file.read, min(CHUNK_BYTES, piece.size_bytes - sent)):
            yield chunk
            sent += len(chunk)
            await tell(piece.start + sent)
        if sent < piece.size_bytes:
            raise UploadFailed(f"{recording.filename} became shorter while it was sent.")
    finally:
        file.close()  # at once, since a canceled task may not wait
