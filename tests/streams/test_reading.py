"""Reading on: gapless, channels together, written down before it is handed out. And merging, which allows it."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apikit.ids import new_id
from dispatch.facade import NewJob, get_job
from dispatch.queue import add_job
from speech import closing, ending, reading
from speech.models import Checkpoint, StoredTranscript, TranscriptionRequest
from speech.reading import Place, read_on
from speech.transcript import Segment, Transcript, assemble, merge, merge_on, to_json
from tenants.facade import Caller, tenant_context

PART_MS = 1_000
START_MS = 5_000  # of the wanted range: readable time counts from there


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    duration_ms = draw(st.integers(0, 50))
    times = st.integers(0, 60).map(lambda ms: min(ms, duration_ms))
    spans = [sorted((draw(times), draw(times))) for _ in range(draw(st.integers(0, 4)))]
    segments = [Segment(0, start, end, draw(st.sampled_from(["", "a", "b c"]))) for start, end in spans]
    return assemble(segments, language=draw(st.sampled_from([None, "en", "ja"])), duration_ms=duration_ms)


# Offsets in order, as ordinals are; the same one again is another channel, and parts may reach into the next.
PARTS = st.lists(st.tuples(st.integers(0, 12).map(lambda step: 10 * step), transcripts()), max_size=7).map(
    lambda parts: sorted(parts, key=lambda part: part[0])
)


@given(PARTS)
def test_a_beginning_is_the_beginning_of_the_whole(parts: list[tuple[int, Transcript]]) -> None:
    whole = merge(parts).segments
    for count in _borders(parts):
        beginning = merge(parts[:count]).segments
        assert beginning == whole[: len(beginning)]


@given(PARTS, st.data())
def test_merging_on_gives_what_merging_all_gives(parts: list[tuple[int, Transcript]], data: st.DataObject) -> None:
    borders = sorted({0, *data.draw(st.lists(st.sampled_from(_borders(parts)))), len(parts)})
    told: list[Segment] = []
    for start, end in pairwise(borders):
        told += merge_on(parts[start:end], after=told[-1] if told else None)
    assert tuple(told) == merge(parts).segments


def _borders(parts: list[tuple[int, Transcript]]) -> list[int]:
    """After how many parts all those with the same offset are complete."""
    sizes = [len(list(group)) for _, group in groupby(parts, key=lambda part: part[0])]
    return [sum(sizes[:count]) for count in range(len(sizes) + 1)]


class Work:
    """A running job of Alice's whose parts are heard in any order."""

    def __init__(self, caller: Caller, *, channels: int = 1, state: str = "running") -> None:
        self.caller, self.channels = caller, channels
        self.id = new_id()
        media = {"start_ms": START_MS, "heard_channels": channels}
        job = NewJob(
            id=self.id, tenant_id=caller.tenant_id, livemode=caller.livemode, kind="transcription",
            service_class="interactive", api_key_id=caller.key_id, price_version=1, weight=100, deadline_s=3600,
            traceparent="",
        )  # fmt: skip
        with tenant_context(caller.tenant), transaction.atomic():
            add_job(job)
            TranscriptionRequest.objects.create(job_id=self.id, livemode=caller.livemode, media=media)
        self.set(state=state)

    def set(self, **values: Any) -> None:
        with tenant_context(self.caller.tenant), connection.cursor() as cursor:
            for name, value in values.items():
                cursor.execute(f"UPDATE job SET {name} = %s WHERE id = %s", [value, self.id])

    def hear(self, *ordinals: int) -> None:
        for ordinal in ordinals:
            span = ordinal // self.channels
            start_ms = START_MS + span * PART_MS
            heard = assemble([Segment(0, 0, 500, f"part {ordinal}")], language="en", duration_ms=PART_MS)
            with tenant_context(self.caller.tenant):
                Checkpoint.objects.create(
                    job_id=self.id, ordinal=ordinal, start_ms=start_ms, end_ms=start_ms + PART_MS, engine="simulated",
                    body=to_json(heard),
                )  # fmt: skip

    def read(self, place: Place | None = None, *, caller: Caller | None = None) -> tuple[list[str], Place]:
        found = read_on(caller or self.caller, self.id, place=place or Place())
        assert found is not None
        return [segment.text for segment in found.segments], found.place

    @property
    def readable_ms(self) -> int:
        with tenant_context(self.caller.tenant):
            job = get_job(self.id)
        assert job is not None
        return job.readable_ms


@pytest.fixture
def work(alice: Any) -> Work:
    return Work(alice.caller)


def test_only_what_follows_without_a_gap_is_read(work: Work) -> None:
    work.hear(2, 0)
    texts, place = work.read()
    assert (texts, place.until_ms, place.segments, work.readable_ms) == (["part 0"], START_MS + PART_MS, 1, PART_MS)
    work.hear(1)
    texts, place = work.read(place)
    assert (texts, place.until_ms, place.segments, work.readable_ms) == (
        ["part 1", "part 2"],
        START_MS + 3 * PART_MS,
        3,
        3 * PART_MS,
    )
    assert work.read(place) == ([], place)


def test_the_channels_of_a_span_are_read_together(alice: Any) -> None:
    work = Work(alice.caller, channels=2)
    work.hear(0, 2)
    assert work.read()[0] == []
    assert work.readable_ms == 0
    work.hear(1)
    texts, place = work.read()
    assert (texts, place.until_ms, work.readable_ms) == (["part 0", "part 1"], START_MS + PART_MS, PART_MS)
    work.hear(3)
    assert work.read(place)[0] == ["part 2", "part 3"]


def test_much_is_read_in_bounded_bites(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PARTS_AT_ONCE", 2)
    work.hear(0, 1, 2)
    first = read_on(work.caller, work.id, place=Place())
    assert first is not None
    assert (len(first.segments), first.more, work.readable_ms) == (2, True, 2 * PART_MS)
    second = read_on(work.caller, work.id, place=first.place)
    assert second is not None
    assert ([segment.id for segment in second.segments], second.more) == ([2], False)


def test_nothing_is_read_before_the_parts_are_planned(work: Work) -> None:
    with tenant_context(work.caller.tenant):
        TranscriptionRequest.objects.filter(pk=work.id).update(media={})
    work.hear(0)
    assert work.read()[0] == []
    assert work.readable_ms == 0


@pytest.mark.parametrize("state", ["queued", "failed"])
def test_nothing_is_read_of_a_job_that_does_not_run(alice: Any, state: str) -> None:
    work = Work(alice.caller, state=state)
    work.hear(0)
    assert work.read()[0] == []
    assert work.readable_ms == 0


def test_who_reads_first_decides_and_nobody_takes_it_back(work: Work) -> None:
    work.hear(0, 1)
    work.read()
    work.read()
    assert work.readable_ms == 2 * PART_MS


def test_a_job_canceled_before_the_lock_is_not_marked(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    work.hear(0)
    lock_job = reading.lock_job

    def too_late(job_id: UUID) -> Any:
        work.set(state="canceled")
        return lock_job(job_id)

    monkeypatch.setattr(reading, "lock_job", too_late)
    assert work.read()[0] == []
    assert work.readable_ms == 0


def test_a_canceled_job_shows_what_had_been_read_and_no_more(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(alice.caller)
    billed: list[int] = []
    monkeypatch.setattr(closing, "bill", lambda _job, lines, _tags: billed.extend(line.quantity for line in lines))
    monkeypatch.setattr(closing, "release", lambda job_id: None)
    work.hear(0)
    _, place = work.read()
    work.hear(1)
    with tenant_context(alice.tenant):
        ending.ENDS.cancel(work.id)
        assert StoredTranscript.objects.filter(pk=work.id).exists()
    assert billed == [PART_MS]
    assert work.read()[0] == ["part 0"]
    assert work.read(place)[0] == []


def test_nobody_else_reads_or_marks_it(work: Work, alice: Any, charlie: Any) -> None:
    from tenants.facade import authenticate

    work.hear(0)
    for secret in (alice.test_secret, charlie.secret, charlie.test_secret):
        stranger = authenticate(secret, address="127.0.0.1")
        assert read_on(stranger, work.id, place=Place()) is None
    assert read_on(work.caller, uuid4(), place=Place()) is None
    assert work.readable_ms == 0
