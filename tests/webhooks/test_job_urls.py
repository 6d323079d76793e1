"""URLs that jobs name themselves: the same guard, signature, schedule and log, and nobody else's events."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook, WebhookVerificationError

from apikit import ids
from egress.facade import UrlBlocked
from events.facade import publish as publish_event
from tenants.facade import Policies, tenant_context
from tests.webhooks.steps import claim
from webhooks import job_urls
from webhooks.errors import TooManyJobUrls, WebhookUrlRefused
from webhooks.facade import (
    check_job_url,
    deliver_due,
    dispatch_events,
    forget_job_url,
    forget_old_links,
    send_job_events_to,
)
from webhooks.parcels import DestinationBook

ENDPOINTS = "/v1/webhook-endpoints"


@pytest.fixture(autouse=True)
def _no_links(migrated: None) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("TRUNCATE job_webhook")
        cursor.execute("DELETE FROM due_date WHERE kind = %s", [job_urls.FORGET_DUE])


@pytest.fixture
def accept(alice: Any) -> Callable[..., UUID]:
    """Accepts a job that names a URL, as far as webhooks see of it."""

    def do(url: str, *, by: Any = alice, livemode: bool = True, job_id: UUID | None = None) -> UUID:
        job_id = job_id or ids.new_id()
        with tenant_context(by.tenant), transaction.atomic():
            send_job_events_to(url, tenant_id=by.id, livemode=livemode, subject_id=job_id)
        return job_id

    return do


def tell(person: Any, job_id: UUID, kind: str = "transcription.completed", *, livemode: bool = True) -> UUID:
    with tenant_context(person.tenant):
        return publish_event(
            kind, tenant_id=person.id, livemode=livemode, subject_id=job_id, sequence=1, data={"object": "x"}
        )


def send() -> None:
    dispatch_events()
    deliver_due()


def secret_of(http: Any, person: Any) -> str:
    status, body = http(person, "GET", f"{ENDPOINTS}/job-secret")
    assert status == 200
    return str(body["secret"])


def test_a_job_tells_its_own_url_and_no_other(alice: Any, receivers: Any, accept: Any, http: Any) -> None:
    mine, other = receivers(), receivers()
    first, second = accept(mine.url), accept(other.url)
    tell(alice, ids.new_id())
    told = [tell(alice, first), tell(alice, first, "transcription.deleted")]
    tell(alice, second, "transcription.failed")
    send()
    assert sorted(got.id for got in mine.got) == sorted(ids.show(ids.EVENT, each) for each in told)
    assert len(other.got) == 1
    Webhook(secret_of(http, alice)).verify(mine.got[0].body, mine.got[0].headers)


def test_quiet_types_are_not_sent_to_a_jobs_url(alice: Any, receiver: Any, accept: Any) -> None:
    job_id = accept(receiver.url)
    for kind in ("transcription.queued", "transcription.running", "transcription.canceled"):
        tell(alice, job_id, kind)
    send()
    assert [b'"transcription.canceled"' in got.body for got in receiver.got] == [True]


def test_an_endpoint_and_a_jobs_url_both_get_the_event(
    alice: Any, endpoint: Any, receiver: Any, receivers: Any, accept: Any, http: Any
) -> None:
    other = receivers()
    tell(alice, accept(other.url))
    send()
    assert [got.id for got in receiver.got] == [got.id for got in other.got]
    Webhook(endpoint.secret).verify(receiver.got[0].body, receiver.got[0].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(other.got[0].body, other.got[0].headers)


def test_jobs_of_one_url_share_one_hidden_endpoint(alice: Any, receiver: Any, accept: Any, http: Any) -> None:
    for _ in range(3):
        accept(receiver.url)
    assert http(alice, "GET", ENDPOINTS)[1]["data"] == []
    [hidden] = http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]
    assert (hidden["kind"], hidden["url"], hidden["event_types"]) == ("job", receiver.url, [])
    assert http(alice, "GET", f"{ENDPOINTS}/{hidden['id']}")[1]["secret"] == secret_of(http, alice)
    accept(receiver.url + "&n=2")
    assert len(http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]) == 2


def test_tenants_and_modes_share_neither_endpoint_nor_secret(
    alice: Any, charlie: Any, receiver: Any, accept: Any, http: Any
) -> None:
    job_id = accept(receiver.url)
    accept(receiver.url, livemode=False)
    accept(receiver.url, by=charlie)
    test_mode = dataclasses.replace(alice.caller, livemode=False)
    people = (alice, charlie, test_mode)
    listed = [http(person, "GET", f"{ENDPOINTS}?kind=job")[1]["data"] for person in people]
    assert [len(rows) for rows in listed] == [1, 1, 1]
    assert len({rows[0]["id"] for rows in listed}) == 3
    assert len({secret_of(http, person) for person in people}) == 3
    for stranger in (charlie, test_mode):
        assert http(stranger, "GET", f"{ENDPOINTS}/{listed[0][0]['id']}")[0] == 404
    tell(charlie, job_id)
    tell(alice, job_id, livemode=False)
    send()
    assert receiver.got == []


def test_the_shared_secret_rotates_with_overlap(alice: Any, receiver: Any, accept: Any, http: Any) -> None:
    job_id, old = accept(receiver.url), secret_of(http, alice)
    tell(alice, job_id)
    send()
    status, rotated = http(alice, "POST", f"{ENDPOINTS}/job-secret/rotate", {"overlap_hours": 2})
    assert (status, rotated["secret"] != old) == (200, True)
    assert rotated["previous_secret_expires_at"] is not None
    tell(alice, job_id)
    send()
    for secret in (old, rotated["secret"]):
        Webhook(secret).verify(receiver.got[1].body, receiver.got[1].headers)
    status, problem = http(alice, "POST", f"{ENDPOINTS}/job-secret/rotate", {"overlap_hours": 2})
    assert (status, problem["code"]) == (409, "rotation_running")
    last = http(alice, "POST", f"{ENDPOINTS}/job-secret/rotate", {"overlap_hours": 0})[1]
    tell(alice, job_id)
    send()
    Webhook(last["secret"]).verify(receiver.got[2].body, receiver.got[2].headers)
    assert len(receiver.got[2].headers["webhook-signature"].split()) == 1


def test_a_sender_that_runs_on_notices_a_rotation(alice: Any, receiver: Any, accept: Any, http: Any) -> None:
    book, job_id = DestinationBook(), accept(receiver.url)

    def secrets() -> tuple[str, ...]:
        tell(alice, job_id)
        dispatch_events()
        [destination] = book.find(claim()).values()
        return destination.secrets_at(datetime.now(UTC))

    [old] = secrets()
    new = http(alice, "POST", f"{ENDPOINTS}/job-secret/rotate", {"overlap_hours": 2})[1]["secret"]
    assert secrets() == (new, old)


def test_the_shared_secret_asks_for_its_scope(alice: Any, http: Any) -> None:
    poor = dataclasses.replace(alice.caller, scopes=alice.caller.scopes - {"webhooks:manage"})
    assert http(poor, "GET", f"{ENDPOINTS}/job-secret")[0] == 403
    assert http(poor, "POST", f"{ENDPOINTS}/job-secret/rotate", {"overlap_hours": 0})[0] == 403


def test_a_jobs_url_can_be_slowed_and_switched_off_but_not_turned_into_an_endpoint(
    alice: Any, receiver: Any, accept: Any, http: Any
) -> None:
    job_id = accept(receiver.url)
    [hidden] = http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]
    path = f"{ENDPOINTS}/{hidden['id']}"
    for change in ({"url": receiver.url}, {"event_types": ["*"]}, {"headers": {"X-A": "1"}}, {"include": ["text"]},
                   {"signature": "v1+v1a"}, {"metadata": {}}):  # fmt: skip
        status, problem = http(alice, "PATCH", path, change)
        assert (status, problem["code"]) == (409, "job_url_fixed")
    assert http(alice, "POST", f"{path}/rotate-secret", {"overlap_hours": 0})[1]["code"] == "job_url_fixed"
    changed = http(alice, "PATCH", path, {"schedule": [0, 5], "rate_per_s": 9, "max_in_flight": 1})[1]
    assert (changed["schedule"], changed["rate_per_s"], changed["max_in_flight"]) == ([0, 5], 9.0, 1)
    http(alice, "PATCH", path, {"enabled": False})
    tell(alice, job_id)
    send()
    assert receiver.got == []


def test_a_switched_off_url_keeps_no_job_from_being_accepted(
    alice: Any, receiver: Any, accept: Any, http: Any, rows: Any
) -> None:
    receiver.reply.status = 410
    tell(alice, accept(receiver.url))
    send()
    [hidden] = http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]
    assert hidden["enabled"] is False
    again = accept(receiver.url)
    tell(alice, again)
    dispatch_events()
    assert len(rows("SELECT * FROM delivery WHERE state <> 'failed'")) == 0
    assert len(http(alice, "GET", "/v1/events")[1]["data"]) >= 2


def test_a_deleted_url_starts_anew_with_the_next_job(alice: Any, receiver: Any, accept: Any, http: Any) -> None:
    accept(receiver.url)
    [old] = http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]
    assert http(alice, "DELETE", f"{ENDPOINTS}/{old['id']}")[0] == 200
    tell(alice, accept(receiver.url))
    [new] = http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]
    assert new["id"] != old["id"]
    send()
    assert len(receiver.got) == 1


def test_hidden_endpoints_do_not_count_as_endpoints(
    alice: Any, receiver: Any, accept: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(21):
        accept(f"{receiver.url}&n={number}")
    assert http(alice, "POST", ENDPOINTS, {"url": receiver.url, "event_types": ["*"]})[0] == 201
    assert len(http(alice, "GET", f"{ENDPOINTS}?kind=job&limit=100")[1]["data"]) == 21


def test_different_urls_are_bounded_per_tenant_and_mode(
    alice: Any, charlie: Any, receiver: Any, accept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_urls, "MAX_JOB_URLS", 2)
    for number in range(2):
        accept(f"{receiver.url}&n={number}")
    with pytest.raises(TooManyJobUrls, match="Use one URL for many jobs"):
        accept(f"{receiver.url}&n=2")
    accept(f"{receiver.url}&n=1")
    accept(f"{receiver.url}&n=2", livemode=False)
    accept(f"{receiver.url}&n=2", by=charlie)


def test_jobs_that_name_a_new_url_at_once_make_one_endpoint(
    alice: Any, receiver: Any, accept: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = threading.Barrier(6)

    def name() -> None:
        ready.wait(10)
        accept(receiver.url)
        connections.close_all()

    threads = [threading.Thread(target=name) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows("SELECT * FROM webhook_endpoint")) == 1
    assert len(rows("SELECT * FROM job_webhook")) == 6


def test_naming_a_known_url_costs_two_statements(alice: Any, receiver: Any, accept: Any) -> None:
    accept(receiver.url)
    with tenant_context(alice.tenant), transaction.atomic(), CaptureQueriesContext(connection) as queries:
        send_job_events_to(receiver.url, tenant_id=alice.id, livemode=True, subject_id=ids.new_id())
    assert len(queries) == 2


def test_a_job_that_is_not_accepted_leaves_nothing(alice: Any, receiver: Any, rows: Any) -> None:
    with tenant_context(alice.tenant), transaction.atomic():
        send_job_events_to(receiver.url, tenant_id=alice.id, livemode=True, subject_id=ids.new_id())
        transaction.set_rollback(True)
    assert rows("SELECT 1 FROM webhook_endpoint UNION ALL SELECT 1 FROM job_webhook") == []


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "https://10.0.0.1/x", "ftp://a.example",
                                 "https://u:p@a.example/", "x"])  # fmt: skip
def test_a_url_that_leads_inside_is_refused(alice: Any, receiver: Any, url: str) -> None:
    check_job_url(alice.caller, receiver.url)
    with pytest.raises(UrlBlocked):
        check_job_url(alice.caller, url)


def test_a_policy_narrows_the_hosts_or_forbids_all(alice: Any, receiver: Any) -> None:
    def under(*hosts: str) -> Any:
        return dataclasses.replace(alice.caller, policies=Policies(webhook_hosts=hosts))

    check_job_url(under("127.0.0.1", "a.example"), receiver.url)
    for caller in (under("a.example"), under()):
        with pytest.raises(WebhookUrlRefused, match="is not allowed for your account"):
            check_job_url(caller, receiver.url)
    # Those that cannot be read one way only are no URLs at all; the others are judged before anything is looked up.
    for trick in ("https://a.example@8.8.8.8/", "https://a.example.8.8.8.8/"):
        with pytest.raises(UrlBlocked):
            check_job_url(under("a.example"), trick)
    for trick in ("https://8.8.8.8/?a.example", "https://8.8.8.8/#a.example", "https://xa.example/",
                  "https://b.a.example/"):  # fmt: skip
        with pytest.raises(WebhookUrlRefused):
            check_job_url(under("a.example"), trick)


def due_dates(rows: Any) -> Any:
    return rows("SELECT * FROM due_date WHERE kind = %s", [job_urls.FORGET_DUE])


def named_days_ago(days: float) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE webhook_endpoint SET last_named_at = now() - %s * interval '1 day'", [days])


def test_an_unused_url_is_forgotten_by_its_due_date(
    alice: Any, receiver: Any, accept: Any, rows: Any, http: Any
) -> None:
    accept(receiver.url)
    [due] = due_dates(rows)
    assert timedelta(days=30) < due["due_at"] - datetime.now(UTC) < timedelta(days=32)
    named_days_ago(31)
    forget_job_url(due["tenant_id"], due["subject_id"])
    assert http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"] == []
    with tenant_context(alice.tenant), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM webhook_target")
        assert cursor.fetchone() == (0,)
    assert rows("SELECT * FROM job_webhook") == []
    forget_job_url(due["tenant_id"], due["subject_id"])


def test_a_url_that_was_named_again_stays_and_gets_a_new_date(
    alice: Any, receiver: Any, accept: Any, rows: Any, http: Any
) -> None:
    accept(receiver.url)
    named_days_ago(20)
    accept(receiver.url)
    [due] = due_dates(rows)
    assert due["due_at"] - datetime.now(UTC) > timedelta(days=30)
    named_days_ago(5)
    forget_job_url(due["tenant_id"], due["subject_id"])
    assert len(http(alice, "GET", f"{ENDPOINTS}?kind=job")[1]["data"]) == 1
    [due] = due_dates(rows)
    assert timedelta(days=25) < due["due_at"] - datetime.now(UTC) < timedelta(days=27)


def test_a_job_that_names_a_url_while_it_is_forgotten_gets_a_new_endpoint(
    alice: Any, receiver: Any, accept: Any, rows: Any
) -> None:
    accept(receiver.url)
    named_days_ago(40)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE webhook_endpoint SET deleted_at = now(), enabled = false")
    # The sweeper has closed the endpoint, and its transaction has yet to erase the URL: here it does so right now.
    known = job_urls._known

    def erased_after_reading(digest: bytes, *, livemode: bool) -> Any:
        found = known(digest, livemode=livemode)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM webhook_target")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job_urls, "_known", erased_after_reading)
        tell(alice, accept(receiver.url))
    send()
    assert len(receiver.got) == 1


def test_old_links_go_and_young_ones_stay(alice: Any, receiver: Any, accept: Any, rows: Any) -> None:
    old, young = accept(receiver.url), accept(receiver.url)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE job_webhook SET created_at = now() - interval '32 days' WHERE subject_id = %s", [old])
    assert forget_old_links() == 1
    assert [row["subject_id"] for row in rows("SELECT * FROM job_webhook")] == [young]


def test_the_sweeper_knows_both_ways_of_forgetting() -> None:
    from config.wiring import make_sweeper

    sweeper = make_sweeper()
    assert sweeper._due_handlers[job_urls.FORGET_DUE] is forget_job_url
    assert forget_old_links in sweeper._hourly


def test_charlie_sees_no_link_of_alices_jobs(alice: Any, charlie: Any, receiver: Any, accept: Any) -> None:
    accept(receiver.url)
    counts = []
    for person in (alice, charlie):
        with tenant_context(person.tenant), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM public.job_webhook")
            counts.append(cursor.fetchone()[0])
    assert counts == [1, 0]
