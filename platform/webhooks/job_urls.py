"""URLs that jobs name themselves (`webhook_url`): hidden endpoints on the same machinery as all others.

Each different URL of a tenant and mode is one `webhook_endpoint` row of kind `job` with its own health, log and limits;
`job_webhook` says which of them gets a job's events. A URL that no job has named for 30 days is forgotten by its due
date. All of them sign with one secret per mode (`job_secrets`).

A broken URL never keeps a job from being accepted: when its endpoint is switched off, by its failures, by a 410 or by
the tenant, jobs that name it are taken and run as ever, and their events wait at /v1/events instead of being sent.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, connections, transaction
from django.db.models.functions import Now

from apikit.ids import new_id
from dispatch.facade import add_due_date
from egress.facade import check_url
from tenants.facade import Caller, tenant_context, tenant_ref
from webhooks.destinations import check_destination, policy
from webhooks.endpoints.models import WebhookTarget
from webhooks.errors import TooManyJobUrls, WebhookUrlRefused
from webhooks.fanout import SYSTEM
from webhooks.models import JobWebhook, WebhookEndpoint

MAX_JOB_URLS = 1000  # per tenant and mode: enough for every service of a customer, too few to be a queue per job
KEEP_DAYS = 30  # as long as events and deliveries
FORGET_DUE = "webhook_job_url"
DELETE_AT_ONCE = 10_000

# One statement for nearly every job: the URL is known, and was named within the last day.
_KNOWN = """SELECT t.endpoint_id, e.last_named_at > now() - interval '1 day' FROM webhook_target t
 JOIN public.webhook_endpoint e ON e.id = t.endpoint_id WHERE t.job_livemode = %s AND t.url_digest = %s"""
_LINK = "INSERT INTO public.job_webhook (subject_id, tenant_id, endpoint_id) VALUES (%s, %s, %s)"
_RENEW = "UPDATE public.webhook_endpoint SET last_named_at = now() WHERE id = %s AND deleted_at IS NULL"
_FORGET_LINKS = """DELETE FROM job_webhook WHERE subject_id IN (SELECT subject_id FROM job_webhook
 WHERE created_at < now() - %s * interval '1 day' ORDER BY created_at LIMIT %s)"""


def check_job_url(caller: Caller, url: str) -> None:
    """Raises `WebhookUrlRefused` when the tenant's policy forbids the URL, `UrlBlocked` when nothing may be sent there.

    To be called before the transaction that accepts the job: it looks up the host's name.
    """
    hosts = caller.policies.webhook_hosts
    if hosts is not None and check_url(url, policy=policy()).host not in hosts:
        raise WebhookUrlRefused(hosts)
    check_destination(url, allowed=policy(), resolve=True)


def send_job_events_to(url: str, *, tenant_id: UUID, livemode: bool, subject_id: UUID) -> None:
    """Have the events of a job sent to the URL; part of the transaction that accepts the job, in its tenant's context.

    It gets every type but the quiet ones (queued, running). Raises `TooManyJobUrls` for one different URL too many.
    """
    digest = hashlib.sha256(url.encode()).digest()
    endpoint_id, is_fresh = _known(digest, livemode=livemode) or (None, False)
    if endpoint_id is None or not (is_fresh or _renew(endpoint_id, tenant_id=tenant_id)):
        endpoint_id = _add(url, digest, tenant_id=tenant_id, livemode=livemode)
    with connection.cursor() as cursor:
        cursor.execute(_LINK, [subject_id, tenant_id, endpoint_id])


def forget_job_url(tenant_id: UUID, endpoint_id: UUID) -> None:
    """A due date's handler: erase the URL and close its endpoint, unless a job has named it since."""
    with tenant_context(tenant_ref(tenant_id)), transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, deleted_at__isnull=True).first()
        if row is None:
            return
        oldest = datetime.now(UTC) - timedelta(days=KEEP_DAYS)
        if row.last_named_at is not None and row.last_named_at > oldest:
            _set_due(tenant_id, endpoint_id, last_named_at=row.last_named_at)
            return
        WebhookTarget.objects.filter(pk=endpoint_id).delete()
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(
            enabled=False, disabled_reason="unused", deleted_at=datetime.now(UTC), next_due_at=datetime.now(UTC)
        )
        JobWebhook.objects.filter(endpoint_id=endpoint_id).delete()


def forget_old_links() -> int:
    """Delete which job named which URL, as old as events are kept; returns how many. The sweeper calls it hourly."""
    gone = 0
    with connections[SYSTEM].cursor() as cursor:
        while True:
            cursor.execute(_FORGET_LINKS, [KEEP_DAYS + 1, DELETE_AT_ONCE])
            gone += int(cursor.rowcount)
            if cursor.rowcount < DELETE_AT_ONCE:
                return gone


def _known(digest: bytes, *, livemode: bool) -> tuple[UUID, bool] | None:
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [livemode, digest])
        row: tuple[UUID, bool] | None = cursor.fetchone()
    return row


def _renew(endpoint_id: UUID, *, tenant_id: UUID) -> bool:
    """Note that the URL is still named; False when it has just been forgotten."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [endpoint_id])
        living = bool(cursor.rowcount == 1)
    if living:
        _set_due(tenant_id, endpoint_id, last_named_at=datetime.now(UTC))
    return living


def _add(url: str, digest: bytes, *, tenant_id: UUID, livemode: bool) -> UUID:
    """A new hidden endpoint. Of two jobs that name a new URL at once, the second waits and finds it."""
    with connection.cursor() as cursor:
        key = f"webhook_job_url|{tenant_id}|{livemode}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    found = _known(digest, livemode=livemode)
    if found is not None:
        return found[0]
    living = WebhookEndpoint.objects.filter(
        tenant_id=tenant_id, livemode=livemode, kind=WebhookEndpoint.Kind.JOB, deleted_at__isnull=True
    )
    if living.count() >= MAX_JOB_URLS:
        raise TooManyJobUrls(MAX_JOB_URLS)
    row_id = new_id()
    WebhookEndpoint.objects.create(
        id=row_id, tenant_id=tenant_id, livemode=livemode, kind=WebhookEndpoint.Kind.JOB, event_types=[],
        last_named_at=Now(),
    )  # fmt: skip
    WebhookTarget.objects.create(endpoint_id=row_id, url=url, secret=b"", job_livemode=livemode, url_digest=digest)
    _set_due(tenant_id, row_id, last_named_at=datetime.now(UTC))
    return row_id


def _set_due(tenant_id: UUID, endpoint_id: UUID, *, last_named_at: datetime) -> None:
    # A day later than needed, because the time of naming is kept to the day.
    due_at = last_named_at + timedelta(days=KEEP_DAYS + 1)
    add_due_date(FORGET_DUE, tenant_id=tenant_id, subject_id=endpoint_id, due_at=due_at)
