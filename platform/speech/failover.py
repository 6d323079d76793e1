"""What happens after an engine failed on a part: again, with the next engine of the route, or not at all.

Same job, same hold, one bill: what was heard is kept, and so is what other providers are still at. Everything else of
the job goes on with the next engine, before which the hold is raised to what that one may cost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.db import connection, transaction

from billing.facade import InsufficientFunds, raise_hold
from dispatch.facade import (
    GiveUp,
    JobRow,
    Lease,
    LeaseLost,
    NewItem,
    RetryLater,
    Stretch,
    end_attempt,
    end_rivals,
    enqueue,
    go_on_with,
    let_go,
    lock_job,
    park,
    remove,
    under_way,
    wake_on_commit,
    withdraw,
)
from observe.facade import failpoint, get_logger
from speech import booking, planning, pools, providers
from speech.calling import NotMade
from speech.contracts import MEDIA, METER, PREPARE, PREPARE_COST_MS, TRANSCRIBE
from speech.engines.errors import PASSING, EngineError, ErrorKind
from speech.engines.ports import ReportedUnits
from speech.hearing import Part, PartFailed, engine_of
from speech.models import Checkpoint, TranscriptionRequest
from speech.part_calls import is_on_own, model_of
from speech.resources import stamp

TRIES_WITH_OTHERS_LEFT: Final = 2  # a failure that may pass is tried once more before the next engine's turn
WORTH_WAITING_S: Final = 2.0  # a provider that is back so soon is waited for
SHORTEST_WAIT_S: Final = 0.5
OUTRUN: Final = "outrun"  # the outcome of a call that was given up for another's answer
MAX_TOLD: Final = 50  # of a job's failed attempts: thousands of parts may fail for one reason

_TELL = """UPDATE transcription_request SET routing = jsonb_set(routing, '{attempts}',
  coalesce(routing -> 'attempts', '[]') || %(told)s::jsonb) WHERE job_id = %(job)s
  AND jsonb_array_length(coalesce(routing -> 'attempts', '[]')) < %(most)s"""
_GO_ON = """UPDATE transcription_request SET routing = routing || %(routing)s::jsonb,
  warnings = warnings || %(warnings)s::jsonb WHERE job_id = %(job)s"""

log = get_logger(__name__)

NextStep = Literal["again", "elsewhere", "never"]


def next_step(kind: ErrorKind, *, attempt: int, others: bool) -> NextStep:
    """What a failure of this kind calls for; `others`: engines of the route have not had their turn.

    >>> next_step("timeout", attempt=1, others=True), next_step("timeout", attempt=2, others=True)
    ('again', 'elsewhere')
    >>> next_step("auth", attempt=1, others=True), next_step("auth", attempt=1, others=False)
    ('elsewhere', 'never')
    >>> next_step("bad_audio", attempt=1, others=True)
    'never'
    """
    if kind == "bad_audio":
        return "never"
    if kind in PASSING and (attempt < TRIES_WITH_OTHERS_LEFT or not others):
        return "again"
    return "elsewhere" if others else "never"


def after(failed: PartFailed, lease: Lease, job: JobRow, request: TranscriptionRequest) -> None:
    """Note the failure and have the part go on elsewhere; raises `RetryLater` or `GiveUp` when it does not."""
    error, engines = failed.error, request.routing.get("engines", [])
    step = next_step(error.kind, attempt=lease.attempt, others=lease.choice + 1 < len(engines))
    with transaction.atomic():
        current = _locked(job)
        for each in (failed, *failed.beside):
            _note(each, lease, current, request)
        moved = step == "elsewhere" and _move_on(lease, current, request, engines=engines)
        if not moved:
            let_go(lease)
        failpoint("failover.uncommitted")
    log.info("engine_failed", job_id=str(job.id), engine=failed.engine, code=error.code, next=step if moved else "none")
    if step == "again":
        raise RetryLater(error.code, error.detail, delay_s=error.retry_after_s)
    if not moved:
        is_final = error.kind == "bad_audio" or failed.attempt is None
        raise GiveUp(error.code, error.detail, replayable=not is_final)


def instead(refusal: NotMade, lease: Lease, job: JobRow, request: TranscriptionRequest) -> None:
    """The call was not made, for the provider is left alone now: the next engine, or the same one then.

    Waiting uses up no attempt; a job's deadline ends it.
    """
    engine, engines = engine_of(lease, job, request), request.routing.get("engines", [])
    detail = "The provider was not called: it failed too often lately, or asked everybody to wait."
    error = EngineError(kind="transient", code=refusal.code, detail=detail)
    with transaction.atomic():
        current = _locked(job)
        moved = refusal.retry_after_s > WORTH_WAITING_S and _move_on(lease, current, request, engines=engines)
        if moved:
            _tell(PartFailed(error, engine=engine), lease, current, request)
        else:
            park(lease, at_most_s=max(refusal.retry_after_s, SHORTEST_WAIT_S))
    log.info("engine_not_called", job_id=str(job.id), engine=engine, code=refusal.code, moved=moved)


def note_others(part: Part, lease: Lease, job: JobRow, request: TranscriptionRequest) -> None:
    """Calls beside the one that has heard the part: what failed, and what is given up now and costs its length.

    In the transaction that keeps the part.
    """
    assert part.attempt is not None
    for failed in part.beside:
        _note(failed, lease, job, request)
    for attempt in end_rivals(part.attempt, ordinal=lease.ordinal, outcome=OUTRUN):
        _note(PartFailed(_outrun(lease), engine=attempt.engine, attempt=attempt), lease, job, request)


def _outrun(lease: Lease) -> EngineError:
    units = (ReportedUnits(METER, lease.end_ms - lease.start_ms),)
    detail = "Another provider was asked beside it and has answered first. The call was given up."
    return EngineError(kind="transient", code=OUTRUN, detail=detail, units=units)


def _locked(job: JobRow) -> JobRow:
    current = lock_job(job.id)
    if current is None or current.state != "running":
        raise LeaseLost
    return current


def _note(failed: PartFailed, lease: Lease, job: JobRow, request: TranscriptionRequest) -> None:
    """The failure with its reason in the resource, and its price where the provider charges for it."""
    error, attempt = failed.error, failed.attempt
    if attempt is not None:
        end_attempt(attempt, outcome=error.code)
        if not is_on_own(request, attempt.engine):
            booking.book(job, attempt, units=error.units, model=model_of(request, attempt.engine))
    _tell(failed, lease, job, request)


def _tell(failed: PartFailed, lease: Lease, job: JobRow, request: TranscriptionRequest) -> None:
    told = json.dumps([_told(failed, lease, request)])
    with connection.cursor() as cursor:
        cursor.execute(_TELL, {"told": told, "job": job.id, "most": MAX_TOLD})


def _told(failed: PartFailed, lease: Lease, request: TranscriptionRequest) -> dict[str, Any]:
    return {
        "engine": failed.engine, "model": model_of(request, failed.engine) or None, "start_ms": lease.start_ms,
        "end_ms": lease.end_ms, "at": stamp(datetime.now(UTC)), "code": failed.error.code,
        "detail": failed.error.detail,
    }  # fmt: skip


def _move_on(lease: Lease, job: JobRow, request: TranscriptionRequest, *, engines: Sequence[str]) -> bool:
    """The part, and all that nobody is at, to the next engine that can have it; False when there is none."""
    choice = _next_choice(lease, job, request, engines=engines)
    if choice is None:
        return False
    engine = engines[choice]
    remove(lease)
    mine = Stretch(lease.ordinal, lease.start_ms, lease.end_ms, lease.choice)
    _enqueue(job, [mine, *withdraw(job.id, step=TRANSCRIBE, below_choice=choice)], engine=engine, choice=choice)
    note_engine(job.id, request, engine=engine)
    return True


def note_engine(job_id: UUID, request: TranscriptionRequest, *, engine: str) -> None:
    """The job goes on with this engine, or was heard by it. In a transaction, under the job's lock."""
    go_on_with(job_id, engine=engine)
    warnings = [{"code": w.code, "detail": w.detail} for w in pools.capabilities_of(engine).warnings]
    news = [warning for warning in warnings if warning not in request.warnings]
    routing = {"engine": engine, "model": model_of(request, engine) or None}
    with connection.cursor() as cursor:
        cursor.execute(_GO_ON, {"routing": json.dumps(routing), "warnings": json.dumps(news), "job": job_id})


def _next_choice(lease: Lease, job: JobRow, request: TranscriptionRequest, *, engines: Sequence[str]) -> int | None:
    """Not before the engine that other parts of the job have moved on to already."""
    now = engines.index(job.engine) if job.engine in engines else 0
    for choice in range(max(lease.choice + 1, now), len(engines)):
        if _takes(engines[choice], lease, request) and _is_covered(engines[choice], job, request, engines=engines):
            return choice
    return None


def _takes(engine: str, lease: Lease, request: TranscriptionRequest) -> bool:
    """It is still set up, and what may not be cut anew fits: a whole recording, or channels that were cut alike."""
    if all(able.name != engine for able in pools.available()):
        return False
    labelled = request.options.get("diarize") and request.options.get("speaker_scope", "recording") == "recording"
    whole = labelled or request.media.get("heard_channels", 1) > 1
    return not whole or lease.end_ms - lease.start_ms <= planning.limit_ms(pools.capabilities_of(engine))


def _is_covered(engine: str, job: JobRow, request: TranscriptionRequest, *, engines: Sequence[str]) -> bool:
    """The hold is raised to the dearest of those that have heard a part, are at one, or come now."""
    heard = set(Checkpoint.objects.filter(job_id=job.id).values_list("engine", flat=True))
    busy = {engines[part.choice] for part in under_way(job.id, step=TRANSCRIBE) if part.choice < len(engines)}
    try:
        raise_hold(
            job.id, engine=engine, beside=sorted(heard | busy), meter=METER, quantity=job.measured_ms or 0,
            channels=request.media.get("heard_channels", 1),
        )  # fmt: skip
    except InsufficientFunds:
        return False
    return True


def _enqueue(job: JobRow, parts: Sequence[Stretch], *, engine: str, choice: int) -> None:
    """At the engine's executor as they are; when one is longer than it takes, all are cut anew first."""
    able, executor = pools.capabilities_of(engine), providers.executor_of(engine)
    if any(part.end_ms - part.start_ms > planning.limit_ms(able) for part in parts):
        if not under_way(job.id, step=PREPARE):
            enqueue(job, [NewItem(step=PREPARE, executor=MEDIA, cost_ms=PREPARE_COST_MS, choice=choice)])
            wake_on_commit(MEDIA)
        return
    items = [
        NewItem(
            step=TRANSCRIBE, executor=executor, ordinal=part.ordinal, start_ms=part.start_ms, end_ms=part.end_ms,
            cost_ms=max(1, round((part.end_ms - part.start_ms) / able.rtfx)), choice=choice,
        )
        for part in parts
    ]  # fmt: skip
    enqueue(job, items)
    wake_on_commit(executor)
