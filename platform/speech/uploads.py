"""Uploads: a ticket for one file, used once, gone after a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction

from apikit import ids
from dispatch.facade import add_due_date
from speech.contracts import UploadUnusable
from speech.models import Upload
from speech.objects import upload_key
from storage.facade import SignedRequest, store
from tenants.facade import Caller, check_may_start, tenant_context, tenant_ref

UPLOAD_LIFE = timedelta(hours=24)
UPLOAD_DUE = "upload"


def create_upload(
    caller: Caller, *, filename: str, content_type: str, size_bytes: int, sha256: str
) -> tuple[Upload, SignedRequest]:
    """A ticket to PUT exactly this file, once, within a day."""
    check_may_start(caller)
    upload_id = ids.new_id()
    row = Upload(
        id=upload_id, livemode=caller.livemode, object_key=upload_key(caller.tenant_id, upload_id), filename=filename,
        content_type=content_type, size_bytes=size_bytes, sha256=sha256, expires_at=datetime.now(UTC) + UPLOAD_LIFE,
    )  # fmt: skip
    ticket = store().presign_put(
        row.object_key, size_bytes=size_bytes, content_type=content_type, sha256_hex=sha256 or None,
        expires_s=int(UPLOAD_LIFE.total_seconds()),
    )  # fmt: skip
    with transaction.atomic():
        row.save(force_insert=True)
        add_due_date(UPLOAD_DUE, tenant_id=caller.tenant_id, subject_id=upload_id, due_at=row.expires_at)
    return row, ticket


def use_upload(caller: Caller, upload_id: UUID) -> None:
    """Single use. The ticket's URL may still be valid, so what it could bring again goes with the due date."""
    taken = Upload.objects.filter(pk=upload_id, used_at=None).update(used_at=datetime.now(UTC))
    if not taken:
        raise used()
    # Robust: the job is accepted by then, whatever becomes of the upload.
    transaction.on_commit(lambda: store().delete(upload_key(caller.tenant_id, upload_id)), robust=True)


def expire_upload(tenant_id: UUID, upload_id: UUID) -> None:
    """An upload's day is over (a due date's handler): file and row go."""

    with tenant_context(tenant_ref(tenant_id)):
        Upload.objects.filter(pk=upload_id).delete()
    store().delete(upload_key(tenant_id, upload_id))


def used() -> UploadUnusable:
    return UploadUnusable("upload_used", "This upload was transcribed already. Create a new one.")
