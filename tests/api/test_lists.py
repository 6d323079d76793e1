"""Lists over HTTP: any combination of filters, pages by cursor, and a place in the queue for what waits."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from stack import Stack, Tenant

from tests.api.calls import check_problem, ended, order, transcribe, upload
from tests.api.media import tone

PATH = "/v1/transcriptions"
SEOUL = timezone(timedelta(hours=9))
MANY = 24  # more than the stack has slots for one engine


@pytest.fixture(scope="module")
def lister(stack: Stack) -> Tenant:
    return stack.tenant("lister of filters")


@pytest.fixture(scope="module")
def made(lister: Tenant) -> list[Any]:
    """Six transcriptions, oldest first: completed and failed ones in turn, with one tag, two or none."""
    tags = [[], ["팀"], ["팀", "고객 A"], ["고객 A"], ["팀"], []]
    return [
        _transcribe(lister, tags=tags[number], **({"simulate": "permanent_error"} if number % 2 else {}))
        for number in range(6)
    ]


def _transcribe(tenant: Tenant, **fields: Any) -> Any:
    body = {"upload_id": upload(tenant.live, tone()), "engine": "simulated"} | fields
    accepted = tenant.live.post(PATH, json=body)
    assert accepted.status_code == 202, accepted.text
    return ended(tenant.live, accepted.json()["id"])


def _list(tenant: Tenant, **asked: Any) -> list[str]:
    """The ids of the whole list, in pages of two."""
    found, cursor = [], None
    while True:
        page = tenant.live.get(PATH, params={"limit": 2, **asked, **({"cursor": cursor} if cursor else {})})
        assert page.status_code == 200, page.text
        found += [row["id"] for row in page.json()["data"]]
        cursor = page.json()["next_cursor"]
        assert page.json()["has_more"] is (cursor is not None)
        if cursor is None:
            return found


def _fits(row: Any, asked: dict[str, Any]) -> bool:
    return (
        asked.get("status", row["status"]) == row["status"]
        and asked.get("engine", row["engine"]) == row["engine"]
        and asked.get("tag", "") in ["", *row["tags"]]
        and asked.get("created_after", "") <= row["created"] < asked.get("created_before", "9")
    )


def test_any_combination_of_filters_gives_what_fits_newest_first(lister: Tenant, made: list[Any]) -> None:
    options: dict[str, list[Any]] = {
        "status": [None, "completed", "failed"],
        "engine": [None, "simulated"],
        "tag": [None, "팀", "고객 A"],
        "created_after": [None, made[1]["created"]],
        "created_before": [None, made[4]["created"]],
    }
    known = {row["id"] for row in made}
    for values in itertools.product(*options.values()):
        asked = {name: value for name, value in zip(options, values, strict=True) if value is not None}
        found = [shown for shown in _list(lister, **asked) if shown in known]  # other tests list jobs of theirs
        assert found == [row["id"] for row in reversed(made) if _fits(row, asked)], asked


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "running"},
        {"engine": "pocketsphinx"},
        {"tag": "nobody"},
        {"tag": "팀", "engine": "pocketsphinx"},
        {"created_before": "2020-02-01T00:00:00Z"},
        {"created_after": "2020-01-01T00:00:00Z", "created_before": "2020-02-01T00:00:00Z", "tag": "팀"},
    ],
)
def test_what_nothing_fits_is_an_empty_list(lister: Tenant, made: list[Any], asked: dict[str, str]) -> None:
    assert _list(lister, **asked) == []


def test_a_tag_is_found_however_its_letters_are_composed(lister: Tenant, made: list[Any]) -> None:
    decomposed = unicodedata.normalize("NFD", "팀")
    assert decomposed != "팀"
    assert _list(lister, tag=decomposed) == _list(lister, tag="팀") == [made[number]["id"] for number in (4, 2, 1)]


def test_times_may_have_any_offset(lister: Tenant, made: list[Any]) -> None:
    moment = datetime.fromisoformat(made[3]["created"]).astimezone(SEOUL).isoformat()
    expected = [made[number]["id"] for number in (5, 4, 3)]
    known = {row["id"] for row in made}
    assert [shown for shown in _list(lister, created_after=moment) if shown in known] == expected
    # Not escaped, the plus of the offset arrives as a space.
    answer = lister.live.get(f"{PATH}?created_after={moment}")
    assert [row["id"] for row in answer.json()["data"] if row["id"] in known] == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_after", "yesterday"),
        ("created_after", "2026-01-01"),
        ("created_after", "2026-01-01T00:00:00"),
        ("created_after", "1700000000"),
        ("created_before", "2026-02-30T00:00:00Z"),
        ("created_before", "2026-01-01T00:00:00+25:00"),
        ("created_before", "0001-01-01T00:00:00+23:59"),
        ("tag", ""),
        ("tag", "x" * 65),
        ("tag", "nul\x00"),
        ("status", "done"),
        ("limit", "0"),
        ("limit", "101"),
        ("state", "failed"),
        ("Status", "failed"),
    ],
)
def test_a_wrong_filter_is_refused_and_named(lister: Tenant, field: str, value: str) -> None:
    refused = lister.live.get(PATH, params={field: value})
    assert check_problem(refused, 422, "invalid_request")["errors"][0]["field"] == field


def test_an_unknown_engine_is_refused_with_the_list_of_those_here(lister: Tenant) -> None:
    problem = check_problem(lister.live.get(PATH, params={"engine": "whisper-99"}), 422, "unknown_engine")
    assert problem["errors"][0]["field"] == "engine"
    assert "pocketsphinx" in problem["detail"]


def test_a_time_range_that_ends_before_it_begins_is_refused(lister: Tenant) -> None:
    range_ = {"created_after": "2026-01-02T00:00:00Z", "created_before": "2026-01-01T00:00:00Z"}
    problem = check_problem(lister.live.get(PATH, params=range_), 422, "invalid_request")
    assert problem["errors"][0]["field"] == "created_before"


def test_charlie_finds_nothing_by_the_same_filters(lister: Tenant, charlie_http: Tenant, made: list[Any]) -> None:
    hers = {row["id"] for row in made}
    for asked in ({}, {"tag": "팀"}, {"status": "failed"}, {"engine": "simulated"}, {"tag": "팀", "status": "failed"}):
        assert hers & set(_list(lister, **asked))
        assert not hers & set(_list(charlie_http, **asked))
    cursor = lister.live.get(PATH, params={"limit": 1}).json()["next_cursor"]
    theirs = charlie_http.live.get(PATH, params={"cursor": cursor, "limit": 100}).json()["data"]
    assert not hers & {row["id"] for row in theirs}


def test_a_key_lists_its_own_mode_only(lister: Tenant, made: list[Any]) -> None:
    tested = lister.test.post(PATH, json={"upload_id": upload(lister.test, tone()), "tags": ["팀"]}).json()["id"]
    ended(lister.test, tested)
    assert [row["id"] for row in lister.test.get(PATH, params={"tag": "팀"}).json()["data"]] == [tested]
    assert tested not in _list(lister, tag="팀")


def test_a_deleted_transcription_is_found_by_nothing(lister: Tenant, database: Any) -> None:
    gone = _transcribe(lister, tags=["for a day", "for a day", "팀"])["id"]
    assert _list(lister, tag="for a day") == [gone]
    assert lister.live.delete(f"{PATH}/{gone}").status_code == 200
    for asked in ({"tag": "for a day"}, {"tag": "팀"}, {"status": "completed"}, {"engine": "simulated"}, {}):
        assert gone not in _list(lister, **asked)
    schema = database.execute("SELECT schema_name FROM tenant WHERE name = 'lister of filters'").fetchone()[0]
    left = database.execute(f"SELECT count(*) FROM \"{schema}\".transcription_tag WHERE tag = 'for a day'")
    assert left.fetchone()[0] == 0  # a tag is content: nothing of it may stay


@pytest.fixture
def crowd(stack: Stack) -> Iterator[tuple[Tenant, list[str]]]:
    """A tenant that has more to do than there are slots, for as long as the test takes."""
    tenant = stack.tenant("crowd")
    jobs = [order(tenant.live, tone(), simulate="slow:60000").json()["id"] for _ in range(MANY)]
    yield tenant, jobs
    for job in jobs:
        tenant.live.post(f"{PATH}/{job}/cancel")


def test_what_waits_tells_its_place_and_when_it_should_start(crowd: tuple[Tenant, list[str]]) -> None:
    tenant, jobs = crowd
    for job in jobs:  # until all are prepared: then those without a slot wait for the engine
        while tenant.live.get(f"{PATH}/{job}", headers={"Prefer": "wait=1"}).json()["engine"] is None:
            pass
    shown = [tenant.live.get(f"{PATH}/{job}").json() for job in jobs]
    waiting = [row["queue"] for row in shown if row["queue"]]
    assert 0 < len(waiting) < MANY
    assert sorted(place["position"] for place in waiting) == list(range(1, len(waiting) + 1))
    starts = [datetime.fromisoformat(place["estimated_start_at"]) for place in waiting]
    assert all(abs(start - datetime.now(UTC)) < timedelta(hours=1) for start in starts)
    assert all(row["queue"] is None for row in tenant.live.get(PATH).json()["data"])


def test_what_has_ended_has_no_place(lister: Tenant, clip: bytes) -> None:
    assert transcribe(lister.live, clip)["queue"] is None
