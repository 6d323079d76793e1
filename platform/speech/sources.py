"""Where an order's audio is, checked as far as can be told before it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from egress.facade import EgressError
from speech import fetching
from speech.audio.errors import MediaError
from speech.audio.heads import HEAD_BYTES, check_head
from speech.contracts import NotAudio, TranscriptionOrder, UploadUnusable, UrlRefused
from speech.models import Upload
from speech.objects import incoming_key
from speech.uploads import check_complete, used
from storage.facade import ObjectMissing, store
from tenants.facade import Caller
from webhooks.facade import check_job_url


@dataclass(frozen=True, slots=True)
class Source:
    """Where the audio is: already under an internal key, or still behind the customer's URL."""

    object_key: str
    audio_url: str
    filename: str
    size_bytes: int | None
    sha256: str = ""


def source_of(caller: Caller, order: TranscriptionOrder) -> Source:
    """Where the audio is. `prepare` moves it to the job; if no job comes to exist, it goes with its hour."""
    if order.audio_url is not None:
        fetching.check_audio_url(order.audio_url)
        return Source(object_key="", audio_url=order.audio_url, filename="", size_bytes=None)
    if order.file is not None:
        file = order.file
        check_is_audio(file.head, size_bytes=file.size_bytes, field="file")
        return Source(
            object_key=file.object_key, audio_url="", filename=file.filename, size_bytes=file.size_bytes,
            sha256=file.sha256,
        )  # fmt: skip
    assert order.upload_id is not None
    return _from_upload(caller, order.upload_id)


def _from_upload(caller: Caller, upload_id: UUID) -> Source:
    """Copied to a key that no signed URL reaches: what was checked is what will be heard."""
    row = Upload.objects.filter(pk=upload_id, livemode=caller.livemode).first()
    if row is None:
        raise UploadUnusable("not_found", "There is no such upload. Check upload_id, and the mode of the key.")
    check_complete(caller, row)
    key = incoming_key(caller.tenant_id)
    try:
        head = b"".join(store().open_range(row.object_key, start=0, end=min(HEAD_BYTES, row.size_bytes)))
        check_is_audio(head, size_bytes=row.size_bytes, field="upload_id")
        store().copy(row.object_key, to=key)
    except ObjectMissing:
        raise used() from None  # by another request, since the lines above
    return Source(object_key=key, audio_url="", filename=row.filename, size_bytes=row.size_bytes, sha256=row.sha256)


def check_is_audio(head: bytes, *, size_bytes: int, field: str) -> None:
    """Raises `NotAudio` for what its first bytes show to be something else; the decoder has the last word."""
    try:
        check_head(head, size_bytes=size_bytes)
    except MediaError as error:
        raise NotAudio(error.code, error.detail, field=field) from None


def check_webhook_url(caller: Caller, url: str) -> None:
    """Refuse early a URL that no event may be sent to; raises `UrlRefused`. It may look up the host's name."""
    try:
        check_job_url(caller, url)
    except EgressError as error:
        raise UrlRefused(
            error.code, f"Events cannot be sent to this webhook_url: {error}", field="webhook_url"
        ) from None
