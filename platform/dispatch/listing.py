"""Lists of jobs, newest first: each page is a few seeks in indexes, however many jobs a tenant has.

A list is ordered by id, which is made from the time of accept. Filters by state and engine have an index each. A list
that keeps to ids of another table (`Among`) looks at the next `LOOK` ids of both sides; the side that reaches further
back is the rarer one, and its ids are tried against the other side. So a rare tag or a rare state costs little, and
where neither is rare and yet nothing fits both, the page ends early and says where the next one begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from dispatch.contracts import JOB_COLUMNS, JobRow

STATES: Final = ("queued", "running", "completed", "failed", "canceled")
LOOK: Final = 2_000  # ids of each side that one page looks at: a few milliseconds
CLOCK_SKEW_MS: Final = 60_000  # an id has its host's time, `created_at` the database's
FIRST_ID: Final = UUID(int=0)
LAST_ID: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Among:
    """Job ids in a table of the tenant's own schema, found by these columns; its index has them and then `job_id`."""

    table: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None asks for nothing. Created from `created_from` on and before `created_before`."""

    state: str | None = None
    engine: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    among: Among | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first; more may stand before the id `next_before`, None at the end."""

    jobs: list[JobRow] = field(default_factory=list)
    next_before: UUID | None = None


def list_jobs(
    *, tenant_id: UUID, livemode: bool, kind: str, limit: int, wanted: JobFilter, before: UUID | None = None
) -> JobPage:
    """One page in one query. It may hold fewer than `limit` jobs although more follow: see `next_before`."""
    sql, values = statement(
        tenant_id=tenant_id, livemode=livemode, kind=kind, limit=limit, wanted=wanted, before=before
    )
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    jobs = [JobRow(*row[1:]) for row in rows if row[1] is not None]
    return _page(jobs, limit=limit, reach=rows[0][0] if rows else None)


def statement(
    *, tenant_id: UUID, livemode: bool, kind: str, limit: int, wanted: JobFilter, before: UUID | None
) -> tuple[str, dict[str, Any]]:
    """The query of a page, with its values; one job more than asked tells whether there is a next page."""
    values = _values(wanted, before=before) | {
        "tenant": tenant_id, "livemode": livemode, "kind": kind, "most": limit + 1, "look": LOOK,
    }  # fmt: skip
    return _among(wanted, wanted.among) if wanted.among else _plain(wanted), values


def _page(jobs: Sequence[JobRow], *, limit: int, reach: UUID | None) -> JobPage:
    """`reach` is the id down to which all was looked at, None or the first id when that is everything."""
    if len(jobs) > limit:
        return JobPage(list(jobs[:limit]), jobs[limit - 1].id)
    return JobPage(list(jobs), None if reach in (None, FIRST_ID) else reach)


def _values(wanted: JobFilter, *, before: UUID | None) -> dict[str, Any]:
    """The filter as bounds of ids and as exact conditions."""
    among = wanted.among.columns if wanted.among else {}
    return {
        "states": [wanted.state] if wanted.state else list(STATES),
        "engine": wanted.engine,
        "created_from": wanted.created_from,
        "created_before": wanted.created_before,
        "before": min(before or LAST_ID, _id_at(wanted.created_before, skew_ms=CLOCK_SKEW_MS) or LAST_ID),
        "floor": _id_at(wanted.created_from, skew_ms=-CLOCK_SKEW_MS) or FIRST_ID,
        **{f"among_{name}": value for name, value in among.items()},
    }


def _id_at(moment: datetime | None, *, skew_ms: int) -> UUID | None:
    """The smallest id of that moment, moved by the skew."""
    if moment is None:
        return None
    time_ms = int(moment.timestamp() * 1000) + skew_ms
    return UUID(int=max(0, min(time_ms, 2**48 - 1)) << 80)


# State and id as one value, in the condition and in the order: only the indexes that end in both can give that. With
# the id alone the planner would now and then walk along the primary key, through everybody's jobs.
_IN_STATE: Final = """(state, id) < (s.state, %(before)s) AND (state, id) >= (s.state, %(floor)s)
 ORDER BY state DESC, id DESC"""


# S608: only constants and names from this code are put together; what a customer sent are values.
def _plain(wanted: JobFilter) -> str:
    """One seek for each state, put together: with a state or without, the same two indexes serve."""
    return f"""SELECT NULL::uuid, j.* FROM unnest(%(states)s::text[]) AS s (state), LATERAL (
      SELECT {JOB_COLUMNS} FROM job WHERE {_conditions(wanted)} AND {_IN_STATE} LIMIT %(most)s) j
    ORDER BY j.id DESC LIMIT %(most)s"""  # noqa: S608


def _among(wanted: JobFilter, among: Among) -> str:
    """Candidates from the rarer side, newest first, each tried against both sides until the page is full."""
    marked = " AND ".join(f"{name} = %(among_{name})s" for name in among.columns)
    # OFFSET 0: each candidate is tried by itself, in order; a join of the whole tables would cost all jobs.
    return f"""WITH {_sides(wanted, table=among.table, marked=marked)}
    SELECT reach.id, found.* FROM reach LEFT JOIN (
      SELECT j.* FROM (SELECT id FROM candidates ORDER BY id DESC) c, LATERAL (
        SELECT {JOB_COLUMNS} FROM job WHERE {_conditions(wanted)} AND state = ANY(%(states)s::text[])
         AND job.id = c.id OFFSET 0) j
      WHERE (SELECT true FROM {among.table} WHERE {marked} AND job_id = c.id)
      ORDER BY c.id DESC LIMIT %(most)s) found ON true ORDER BY found.id DESC"""  # noqa: S608


def _sides(wanted: JobFilter, *, table: str, marked: str) -> str:
    """`reach`: the id down to which the rarer side was looked at; `candidates`: its ids."""
    by_mark = f"""by_mark AS MATERIALIZED (SELECT job_id AS id FROM {table} WHERE {marked} AND job_id < %(before)s
      AND job_id >= %(floor)s ORDER BY job_id DESC LIMIT %(look)s)"""  # noqa: S608
    if wanted.state is None and wanted.engine is None:
        return f"{by_mark}, reach AS MATERIALIZED ({_reach('by_mark')}), candidates AS (SELECT id FROM by_mark)"  # noqa: S608
    return f"""{by_mark}, by_job AS MATERIALIZED (
      SELECT j.id FROM unnest(%(states)s::text[]) AS s (state), LATERAL (
        SELECT id FROM job WHERE {_conditions(wanted)} AND {_IN_STATE} LIMIT %(look)s) j
      ORDER BY j.id DESC LIMIT %(look)s),
    mark_reach AS MATERIALIZED ({_reach("by_mark")}), job_reach AS MATERIALIZED ({_reach("by_job")}),
    reach AS MATERIALIZED (SELECT least(m.id, j.id) AS id FROM mark_reach m, job_reach j),
    candidates AS (SELECT b.id FROM by_mark b, mark_reach m, job_reach j WHERE m.id < j.id
      UNION ALL SELECT b.id FROM by_job b, mark_reach m, job_reach j WHERE m.id >= j.id)"""  # noqa: S608


def _reach(side: str) -> str:
    """The last id looked at, or the first id of all when the side came to its end."""
    return f"""SELECT coalesce((SELECT id FROM {side} ORDER BY id DESC OFFSET %(look)s - 1 LIMIT 1),
      '{FIRST_ID}'::uuid) AS id"""  # noqa: S608


def _conditions(wanted: JobFilter) -> str:
    """What every job listed must be, but for its state."""
    parts = ["tenant_id = %(tenant)s AND livemode = %(livemode)s AND kind = %(kind)s AND deleted_at IS NULL"]
    parts += ["engine = %(engine)s"] if wanted.engine is not None else []
    parts += ["created_at >= %(created_from)s"] if wanted.created_from else []
    parts += ["created_at < %(created_before)s"] if wanted.created_before else []
    return " AND ".join(parts)
