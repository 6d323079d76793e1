"""Bringing the source audio to this worker: from the store, or once from the customer's URL."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from dispatch.facade import GiveUp, JobRow, RetryLater
from egress.facade import Client, EgressError, Policy, check_url, untrusted
from speech.audio.errors import MediaError
from speech.audio.heads import HEAD_BYTES, check_head
from speech.audio.media import MediaLimits
from speech.contracts import UrlRefused
from speech.models import TranscriptionRequest
from speech.objects import job_prefix, source_key
from storage.facade import ObjectMissing, store
from tenants.facade import tenant_context, tenant_ref

SOURCE_DUE = "job_source"
DOWNLOAD_S = 1800.0
MIN_BYTES_PER_S = 8_000  # slower than the slowest telephone codec: somebody is holding the line


def fetch(job: JobRow, request: TranscriptionRequest, *, folder: Path) -> Path:
    """The source as a local file. It is brought to the job's own key once, so that a second attempt finds it there."""
    path, key = folder / "source", source_key(job.tenant_id, job.id)
    try:
        store().fetch_to(key, path=path)
    except ObjectMissing:
        if request.audio_url:
            _download(request.audio_url, path=path)
            _check_is_audio(path)
            store().put_file(key, path=path, content_type="application/octet-stream")
        else:
            _take_in(request.object_key, to=key)
            store().fetch_to(key, path=path)
    return path


def keep_source(tenant_id: UUID, job_id: UUID) -> None:
    """Bring the source of a job that never fetched it to the job's own key (a due date's handler)."""
    with tenant_context(tenant_ref(tenant_id)):
        request = TranscriptionRequest.objects.filter(pk=job_id).first()
        if request is None or not request.object_key:
            return
        with suppress(ObjectMissing):
            store().copy(request.object_key, to=source_key(tenant_id, job_id))
            store().delete(request.object_key)
        # Deleted meanwhile, and its objects before the copy was there: then nobody else would remove it.
        if not TranscriptionRequest.objects.filter(pk=job_id).exists():
            store().delete_prefix(job_prefix(tenant_id, job_id))


def _take_in(incoming: str, *, to: str) -> None:
    try:
        store().copy(incoming, to=to)
    except ObjectMissing:
        raise GiveUp("audio_missing", "The audio is not in the store any more. Send it again.") from None
    store().delete(incoming)


def _check_is_audio(path: Path) -> None:
    """The same look as at files that come with their request; the decoder has the last word."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    try:
        check_head(head, size_bytes=path.stat().st_size)
    except MediaError as error:
        raise GiveUp(error.code, error.detail) from None


def check_audio_url(url: str) -> None:
    """Refuse early what would be refused at fetching; raises `UrlRefused`."""
    try:
        check_url(url, policy=policy())
    except EgressError as error:
        raise UrlRefused(error.code, f"This audio_url cannot be fetched: {error}") from None


@lru_cache(maxsize=1)
def policy() -> Policy:
    """Customers' URLs are never trusted."""
    development = settings.MODE == "development"
    return untrusted(allow=settings.EGRESS_ALLOW, development=development, proxy=settings.EGRESS_PROXY)


@lru_cache(maxsize=1)
def media_limits() -> MediaLimits:
    """The operator's limit on the length of one recording."""
    return MediaLimits(max_duration_ms=settings.MAX_AUDIO_MS, max_output_bytes=settings.MAX_AUDIO_MS * 32)


@lru_cache(maxsize=1)
def _client() -> Client:
    return Client(policy())


def _download(url: str, *, path: Path) -> None:
    try:
        _client().download(
            url, to=path, max_bytes=settings.MAX_UPLOAD_BYTES, total_timeout_s=DOWNLOAD_S,
            min_bytes_per_s=MIN_BYTES_PER_S,
        )  # fmt: skip
    except EgressError as error:
        detail = f"The audio_url could not be fetched: {error}"
        if error.retryable:
            raise RetryLater(error.code, detail) from error
        raise GiveUp(error.code, detail) from error
