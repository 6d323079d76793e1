"""Lists of the register: what they hold, and that none reads more than a page's worth, whatever the tenant has."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.dispatch.conftest import sql

JOBS = 12_000
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
END = BEGIN + timedelta(seconds=JOBS)
MOST_READ = 700  # rows, for a page of 20 without a tag: some per state, and one minute for clocks that differ
LOOK = 200  # a tenth of the real one: these are fewer jobs, too
MOST_LOOKED_AT = 4 * LOOK + MOST_READ

# One job a second. A ninth failed, of which none is tagged `team`; the newest quarter is deleted but for a few.
_FILL = """INSERT INTO job (id, tenant_id, livemode, kind, state, service_class, created_at, deadline_at, engine,
  deleted_at)
 SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8'
   || substr(md5(n::text), 4, 15))::uuid, %(tenant)s, true, 'transcription',
  CASE WHEN n %% 1000 = 1 THEN 'canceled' WHEN n %% 9 = 0 THEN 'failed' ELSE 'completed' END, 'batch', at,
  at + interval '1 day', CASE WHEN n %% 1500 = 7 THEN 'rare' ELSE 'usual' END,
  CASE WHEN n > %(jobs)s * 3 / 4 AND n %% 50 > 0 THEN at END
 FROM (SELECT n, %(begin)s + n * interval '1 second' AS at FROM generate_series(1, %(jobs)s) n) series"""
_TAG = """INSERT INTO transcription_tag (livemode, tag, job_id)
 SELECT true, tag, id FROM (SELECT id, state, row_number() OVER (ORDER BY id) AS n FROM job
   WHERE tenant_id = %s AND deleted_at IS NULL) j, unnest('{team,seldom}'::text[]) tag
 WHERE state <> 'failed' AND n %% CASE tag WHEN 'team' THEN 2 ELSE 1700 END = 1"""


@pytest.fixture(scope="module")
def crowded(migrated: None) -> Iterator[Any]:
    """A tenant with a long history."""
    from django.db import connection, connections

    from tenants.facade import create_tenant, tenant_context, tenant_ref

    tenant = create_tenant("crowded")
    ref = tenant_ref(tenant.id)
    with connections["owner"].cursor() as cursor:
        cursor.execute(_FILL, {"tenant": tenant.id, "jobs": JOBS, "begin": BEGIN})
        cursor.execute("ANALYZE job")  # the planner errs most where it believes to know
    with tenant_context(ref), connection.cursor() as cursor:
        cursor.execute(_TAG, [tenant.id])
    yield ref
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM job WHERE tenant_id = %s", [tenant.id])


def _among(tag: str | None) -> Any:
    from speech.tags import carrying

    return carrying(tag, livemode=True) if tag else None


def _asked(tenant: Any, *, tag: str | None = None, before: UUID | None = None, **wanted: Any) -> dict[str, Any]:
    from dispatch.facade import JobFilter

    return {
        "tenant_id": tenant.id, "livemode": True, "kind": "transcription", "limit": 20, "before": before,
        "wanted": JobFilter(**wanted, among=_among(tag)),
    }  # fmt: skip


def _page(tenant: Any, **asked: Any) -> Any:
    from dispatch.facade import list_jobs
    from tenants.facade import tenant_context

    with tenant_context(tenant):
        return list_jobs(**_asked(tenant, **asked))


def _all(tenant: Any, **asked: Any) -> list[UUID]:
    """Every job of the list, page by page."""
    found: list[UUID] = []
    page = _page(tenant, **asked)
    while True:
        assert len(page.jobs) <= 20
        found += [job.id for job in page.jobs]
        if page.next_before is None:
            return found
        page = _page(tenant, before=page.next_before, **asked)


def _expected(
    tenant: Any,
    *,
    tag: str | None = None,
    state: str | None = None,
    engine: str | None = None,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
) -> list[UUID]:
    """The same by brute force."""
    rows = sql(
        f"SELECT id, state, engine, created_at FROM job WHERE tenant_id = %s AND deleted_at IS NULL"
        f" {'AND id = ANY(%s)' if tag else ''} ORDER BY id DESC",  # constants
        [tenant.id, *([_tagged(tenant, tag)] if tag else [])],
    )
    return [
        row[0]
        for row in rows
        if state in (None, row[1])
        and engine in (None, row[2])
        and (created_from is None or row[3] >= created_from)
        and (created_before is None or row[3] < created_before)
    ]


def _tagged(tenant: Any, tag: str) -> list[UUID]:
    from speech.models import TranscriptionTag
    from tenants.facade import tenant_context

    with tenant_context(tenant):
        return list(TranscriptionTag.objects.filter(tag=tag).values_list("job_id", flat=True))


def _rows_read(tenant: Any, *, generic: bool, **asked: Any) -> int:
    """Rows that the query's scans gave or threw away, by EXPLAIN of the very statement as the app role."""
    from django.db import connection

    from dispatch import listing
    from tenants.facade import tenant_context

    statement, values = listing.statement(**_asked(tenant, **asked))
    names = sorted(set(re.findall(r"%\((\w+)\)s", statement)))
    numbered = re.sub(r"%\((\w+)\)s", lambda name: f"${names.index(name[1]) + 1}", statement)
    with tenant_context(tenant), connection.cursor() as cursor:
        client = psycopg.ClientCursor(connection.connection)  # EXECUTE takes no parameters
        given = client.mogrify(", ".join(["%s"] * len(names)), [values[name] for name in names])
        cursor.execute(f"SET plan_cache_mode = force_{'generic' if generic else 'custom'}_plan")
        client.execute(f"PREPARE a_list AS {numbered}")
        try:
            client.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE a_list({given})")
            return _read(client.fetchone()[0][0]["Plan"])
        finally:
            client.execute("DEALLOCATE a_list")
            cursor.execute("RESET plan_cache_mode")


def _read(plan: Any) -> int:
    below = sum(_read(part) for part in plan.get("Plans", []))
    if plan["Node Type"] not in {"Index Scan", "Index Only Scan", "Seq Scan", "Bitmap Heap Scan"}:
        return below
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return below + round(rows * plan["Actual Loops"])


CASES: dict[str, dict[str, Any]] = {
    "all": {},
    "common_state": {"state": "completed"},
    "rare_state": {"state": "canceled"},
    "no_such_state": {"state": "queued"},
    "common_engine": {"engine": "usual"},
    "rare_engine": {"engine": "rare"},
    "rare_engine_rare_state": {"engine": "rare", "state": "canceled"},
    "window": {"created_from": BEGIN + timedelta(hours=1), "created_before": BEGIN + timedelta(minutes=61)},
    "window_rare_state": {
        "created_from": BEGIN + timedelta(hours=1),
        "created_before": BEGIN + timedelta(hours=2),
        "state": "canceled",
    },
    "before_the_first": {"created_before": BEGIN},
    "after_the_last": {"created_from": END + timedelta(hours=1)},
    "where_nearly_all_is_deleted": {"created_from": BEGIN + timedelta(seconds=JOBS * 4 // 5)},
    "common_tag": {"tag": "team"},
    "rare_tag": {"tag": "seldom"},
    "no_such_tag": {"tag": "nothing"},
    "common_tag_common_state": {"tag": "team", "state": "completed"},
    "common_tag_rare_state": {"tag": "team", "state": "canceled"},
    "common_tag_with_which_nothing_failed": {"tag": "team", "state": "failed"},
    "rare_tag_common_engine": {"tag": "seldom", "engine": "usual"},
    "rare_tag_rare_engine": {"tag": "seldom", "engine": "rare"},
    "everything": {
        "tag": "team",
        "state": "completed",
        "engine": "usual",
        "created_from": BEGIN + timedelta(minutes=10),
        "created_before": BEGIN + timedelta(minutes=30),
    },
}


@pytest.mark.parametrize("asked", CASES.values(), ids=CASES)
def test_the_pages_hold_exactly_what_fits_newest_first(crowded: Any, asked: dict[str, Any]) -> None:
    if not {"created_from", "state", "engine", "tag"} & asked.keys():
        asked = asked | {"created_from": BEGIN + timedelta(seconds=JOBS * 2 // 3)}  # not 500 pages
    if asked.get("state") == "completed" or asked.get("engine") == "usual":
        asked = {"created_from": BEGIN + timedelta(seconds=JOBS * 2 // 3)} | asked
    assert _all(crowded, **asked) == _expected(crowded, **asked)


@pytest.mark.parametrize("generic", [False, True], ids=["custom_plan", "generic_plan"])
@pytest.mark.parametrize("asked", CASES.values(), ids=CASES)
def test_no_page_reads_more_than_a_bounded_number_of_rows(
    crowded: Any, asked: dict[str, Any], generic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatch import listing

    monkeypatch.setattr(listing, "LOOK", LOOK)
    cursors = [None, *(UUID(int=int((BEGIN.timestamp() + JOBS * part) * 1000) << 80) for part in (0.01, 0.5))]
    most = max(_rows_read(crowded, generic=generic, before=before, **asked) for before in cursors)
    assert most <= (MOST_LOOKED_AT if "tag" in asked else MOST_READ)


def test_a_page_that_ends_early_says_where_the_next_begins(crowded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dispatch import listing

    monkeypatch.setattr(listing, "LOOK", 100)
    empty = _page(crowded, tag="team", state="failed")
    assert (empty.jobs, empty.next_before is None) == ([], False)
    assert _all(crowded, tag="team", state="failed") == []
    for asked in ({"tag": "team", "state": "canceled"}, {"tag": "seldom", "engine": "usual"}):
        assert _all(crowded, **asked) == _expected(crowded, **asked) != []


def test_clocks_that_differ_do_not_hide_a_job(crowded: Any) -> None:
    """An id is made by the host that accepts, `created_at` by the database."""
    job_id = random.choice(_expected(crowded, state="canceled"))
    created = sql("SELECT created_at FROM job WHERE id = %s", [job_id])[0][0]
    for skew_s in (-50, 50):
        moved = created + timedelta(seconds=skew_s)
        sql("UPDATE job SET created_at = %s WHERE id = %s", [moved, job_id])
        window = {"created_from": moved, "created_before": moved + timedelta(microseconds=1)}
        assert job_id in [job.id for job in _page(crowded, **window).jobs]
    sql("UPDATE job SET created_at = %s WHERE id = %s", [created, job_id])


def test_times_at_the_edges_of_the_calendar_are_only_times(crowded: Any) -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
    assert len(_page(crowded, created_from=first, created_before=last).jobs) == 20
    assert _page(crowded, created_before=first).jobs == []


def test_an_accept_with_tags_costs_no_statement_more(alice: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from speech.contracts import TranscriptionOrder
    from speech.services import accept
    from tenants.facade import tenant_context

    def statements(*tags: str) -> int:
        order = TranscriptionOrder(audio_url="https://8.8.8.8/a.wav", engine="simulated", tags=tags)
        with tenant_context(alice.tenant), CaptureQueriesContext(connection) as captured:
            accept(alice.caller, order, idempotency_key=None)
        asked = [query["sql"] for query in captured.captured_queries]
        return len([sql for sql in asked if "set_config" not in sql and sql not in {"BEGIN", "COMMIT"}])

    statements()  # makes the lane
    assert statements("a", "b", "a") == statements() == 1
