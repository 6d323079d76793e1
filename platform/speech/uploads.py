"""Uploads: a ticket for one file, whole or in parts, used once, gone after a day."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from apikit import ids
from dispatch.facade import add_due_date
from events.facade import forget_events, publish
from speech import resources
from speech.contracts import UploadUnusable
from speech.models import Upload
from speech.objects import upload_key
from speech.parts import part_bytes_of, sizes_of
from speech.upload_states import UploadState, arrived_parts, state_of, status_of, with_tickets
from storage.facade import ObjectMissing, PartsMissing, store
from tenants.facade import Caller, all_upload_origins, check_may_start, tenant_context, tenant_ref

UPLOAD_LIFE = timedelta(hours=24)
UPLOAD_DUE = "upload"


def create_upload(
    caller: Caller, *, filename: str, content_type: str, size_bytes: int, sha256: str, part_bytes: int | None = None
) -> UploadState:
    """A ticket to send exactly this file, once, within a day; in parts when it is large or `part_bytes` is given."""
    check_may_start(caller)
    upload_id = ids.new_id()
    row = Upload(
        id=upload_id, livemode=caller.livemode, object_key=upload_key(caller.tenant_id, upload_id), filename=filename,
        content_type=content_type, size_bytes=size_bytes, sha256=sha256, expires_at=datetime.now(UTC) + UPLOAD_LIFE,
        part_bytes=part_bytes_of(size_bytes, wished=part_bytes),
    )  # fmt: skip
    if row.part_bytes:
        row.parts_id = store().start_parts(row.object_key, content_type=content_type)
    with transaction.atomic():
        row.save(force_insert=True)
        add_due_date(UPLOAD_DUE, tenant_id=caller.tenant_id, subject_id=upload_id, due_at=row.expires_at)
    return with_tickets(row)


def resume_upload(row: Upload) -> UploadState:
    """The same upload with requests for what has not arrived; raises `UploadUnusable`."""
    check_usable(row)
    if status_of(row) == "completed":
        raise UploadUnusable("upload_already_complete", "The file has arrived. Use it, or create a new upload.")
    return with_tickets(row, arrived=arrived_parts(row) if row.part_bytes else ())


def complete_upload(caller: Caller, row: Upload) -> UploadState:
    """Join the parts, compare size, type and SHA-256, and tell of it; a second call finds it done.

    Raises `UploadUnusable`; what is not the announced file is removed, and may be sent again.
    """
    check_usable(row)
    if row.completed_at is None:
        _join(row)
        _check(row)
        row.completed_at = datetime.now(UTC)
        with transaction.atomic():
            if Upload.objects.filter(pk=row.id, completed_at=None).update(completed_at=row.completed_at):
                _tell(caller.tenant_id, row, "completed")
    return state_of(row)


def check_complete(caller: Caller, row: Upload) -> None:
    """The file is here and the one that was announced; raises `UploadUnusable`. Parts are joined by the way."""
    if row.part_bytes and row.completed_at is None:
        complete_upload(caller, row)
        return
    check_usable(row)
    if row.completed_at is None or store().stat(row.object_key) is None:
        _check(row)


def use_upload(caller: Caller, upload_id: UUID) -> None:
    """Single use. The ticket's URL may still be valid, so what it could bring again goes with the due date."""
    taken = Upload.objects.filter(pk=upload_id, used_at=None).update(used_at=datetime.now(UTC))
    if not taken:
        raise used()
    # Robust: the job is accepted by then, whatever becomes of the upload.
    transaction.on_commit(lambda: store().delete(upload_key(caller.tenant_id, upload_id)), robust=True)


def content_of(caller: Caller, upload_id: UUID) -> str:
    """What an upload brings, by the SHA-256 that was announced; without one, only itself: then each is another file."""
    announced = Upload.objects.filter(pk=upload_id, livemode=caller.livemode).values_list("sha256", flat=True).first()
    return announced or str(upload_id)


def forget_upload(caller: Caller, upload_id: UUID) -> None:
    """The same file has been brought, and used, by another upload before: this one is not needed."""
    unused = Upload.objects.filter(pk=upload_id, livemode=caller.livemode, used_at=None)
    if unused.update(used_at=datetime.now(UTC)):
        store().delete(upload_key(caller.tenant_id, upload_id))


def expire_upload(tenant_id: UUID, upload_id: UUID) -> None:
    """An upload's day is over (a due date's handler): file, parts and row go."""
    key = upload_key(tenant_id, upload_id)
    with tenant_context(tenant_ref(tenant_id)):
        row = Upload.objects.filter(pk=upload_id).first()
        if row is not None and row.parts_id:
            store().drop_parts(key, parts_id=row.parts_id)
        with transaction.atomic():
            if row is not None and row.used_at is None:
                _tell(tenant_id, row, "expired")
            Upload.objects.filter(pk=upload_id).delete()
    if row is not None and row.used_at is not None:
        forget_events(upload_id, using="system")  # how the file was called
    store().delete(key)


def tell_store_of_origins(_tenant_id: UUID, _subject_id: UUID) -> None:
    """A tenant changed its origins (a due date's handler): a bucket has to know those of all tenants."""
    store().allow_origins(all_upload_origins())


def used() -> UploadUnusable:
    return UploadUnusable("upload_used", "This upload was transcribed already. Create a new one.")


def check_usable(row: Upload) -> None:
    """Raises `UploadUnusable` for one that is used or whose day is over."""
    if row.used_at is not None:
        raise used()
    if row.expires_at <= datetime.now(UTC):
        raise UploadUnusable("upload_expired", "This upload has expired. Create a new one.")


def _join(row: Upload) -> None:
    if row.part_bytes is None:
        return
    sizes = sizes_of(row.size_bytes, row.part_bytes)
    try:
        store().join_parts(row.object_key, parts_id=row.parts_id, content_type=row.content_type, sizes=sizes)
    except PartsMissing as error:
        missing = ", ".join(map(str, error.numbers[:10])) + (" …" if len(error.numbers) > 10 else "")
        detail = f"Parts have not arrived: {missing}. PUT them; POST /v1/uploads/{{id}}/resume gives their URLs anew."
        raise UploadUnusable("upload_incomplete", detail) from None
    except ObjectMissing:
        raise UploadUnusable("upload_expired", "The parts of this upload are gone. Create a new one.") from None


def _check(row: Upload) -> None:
    """The store has compared what it could when the bytes came; this holds for every store."""
    arrived = store().stat(row.object_key)
    if arrived is None:
        if not Upload.objects.filter(pk=row.id, used_at=None).exists():
            raise used()  # by another request, since the row was read
        raise UploadUnusable("upload_incomplete", "The file has not arrived. PUT it to the upload's URL first.")
    if arrived.size_bytes != row.size_bytes:
        raise UploadUnusable("upload_incomplete", "The file's size differs from size_bytes. Create a new upload.")
    if row.sha256 and _sha256_of(row.object_key) != row.sha256:
        _start_over(row)
        detail = "The file does not have the announced SHA-256 and was removed. Resume the upload and send it again."
        raise UploadUnusable("checksum_mismatch", detail)


def _sha256_of(key: str) -> str:
    digest = hashlib.sha256()
    try:
        for chunk in store().open_range(key):
            digest.update(chunk)
    except ObjectMissing:
        raise used() from None  # by another request, in this moment
    return digest.hexdigest()


def _start_over(row: Upload) -> None:
    store().delete(row.object_key)
    if row.part_bytes:
        row.parts_id = store().start_parts(row.object_key, content_type=row.content_type)
        row.save(update_fields=["parts_id"])


def _tell(tenant_id: UUID, row: Upload, status: str) -> None:
    publish(
        f"upload.{status}", tenant_id=tenant_id, livemode=row.livemode, subject_id=row.id,
        sequence=1 if status == "completed" else 2, data=resources.upload(UploadState(row, status)),
    )  # fmt: skip
