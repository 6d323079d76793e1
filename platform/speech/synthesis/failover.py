"""What happens after a voice's provider failed: again, in the next voice of the language, or not at all.

Same job, same hold, one bill, like `speech.failover`. But the whole text is spoken anew, for nobody wants two voices in
one file; so only as long as nobody has heard of the first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import transaction

from billing.facade import InsufficientFunds, NoPrice, raise_hold
from dispatch.facade import GiveUp, JobRow, Lease, LeaseLost, RetryLater, enqueue, lock_job, start_over, wake_on_commit
from observe.facade import failpoint, get_logger
from speech.calling import NotMade
from speech.contracts import MEDIA
from speech.engines.errors import ErrorKind
from speech.engines.speaking import Voice
from speech.failover import WORTH_WAITING_S, next_step
from speech.models import Checkpoint, SpeechRequest
from speech.resources import stamp
from speech.synthesis import twins
from speech.synthesis.beginning import first_item
from speech.synthesis.contracts import METER
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.voices import known_voices, speaking

NOT_CALLED: Final = "The provider was not called: it failed too often lately, or asked everybody to wait."

log = get_logger(__name__)


def after(error: SpeakFailed | NotMade, lease: Lease, job: JobRow, request: SpeechRequest) -> None:
    """Have the job go on in the next voice.

    Raises `RetryLater` or `GiveUp` when it does not, `LeaseLost` when it is not ours to decide.
    """
    with transaction.atomic():
        moved = _is_for_others(error, lease, request) and _move_on(error, lease, job, request)
        failpoint("failover.uncommitted")
    log.info("voice_failed", job_id=str(job.id), code=error.code, moved=moved, engine=request.engine)
    if not moved:
        raise outcome_of(error) from error
    failpoint("failover.committed")


def outcome_of(error: SpeakFailed | NotMade) -> RetryLater | GiveUp:
    """An engine's failure as the dispatcher's, where no other voice takes over."""
    if isinstance(error, NotMade):
        return RetryLater(error.code, NOT_CALLED, delay_s=error.retry_after_s)
    if error.kind == "transient":
        return RetryLater(error.code, error.detail, delay_s=error.retry_after_s)
    return GiveUp(error.code, error.detail)


def _is_for_others(error: SpeakFailed | NotMade, lease: Lease, request: SpeechRequest) -> bool:
    if isinstance(error, NotMade):
        return error.retry_after_s > WORTH_WAITING_S
    others = bool(request.routing.get("others"))
    return next_step(_kind_of(error, request), attempt=lease.attempt, others=others) == "elsewhere"


def _kind_of(error: SpeakFailed, request: SpeechRequest) -> ErrorKind:
    """In the words of a failure to hear. A length, or markup around plain text, is our own: others may take theirs."""
    if error.code == "ssml_invalid" and request.is_ssml:
        return "bad_audio"  # what the customer wrote is at fault, whoever gets it
    return "transient" if error.kind == "transient" else "auth"


def _move_on(error: SpeakFailed | NotMade, lease: Lease, job: JobRow, request: SpeechRequest) -> bool:
    """The job to the next voice that is still here and can be paid; False when there is none, or some was heard."""
    current = lock_job(job.id)
    if current is None or current.state != "running":
        raise LeaseLost
    voice = None if current.readable_ms else _next_voice(job, request)
    if voice is None:
        return False
    start_over(lease, engine=voice.engine)
    twins.leave(current, request)  # those that wait for the voice that failed go on with it, from the parts it spoke
    Checkpoint.objects.filter(job_id=job.id).delete()
    _note(error, request, voice=voice)
    enqueue(current, [first_item()])
    wake_on_commit(MEDIA)
    return True


def _next_voice(job: JobRow, request: SpeechRequest) -> Voice | None:
    by_id = {voice.id: voice for voice in known_voices()}
    here = (by_id[voice_id] for voice_id in request.routing.get("others", []) if voice_id in by_id)
    return next((voice for voice in here if _is_covered(job, request, engine=voice.engine)), None)


def _is_covered(job: JobRow, request: SpeechRequest, *, engine: str) -> bool:
    """The hold is raised, or lowered, to what the text costs with this engine: nothing else will be billed."""
    calls = speaking(engine).texts_sent(timings=bool(request.timings))
    try:
        raise_hold(job.id, engine=engine, meter=METER, quantity=request.characters * calls)
    except (InsufficientFunds, NoPrice):
        return False
    return True


def _note(error: SpeakFailed | NotMade, request: SpeechRequest, *, voice: Voice) -> None:
    """The voice is another one from now on, and the resource tells why. Format and sample rate stay as promised."""
    detail = NOT_CALLED if isinstance(error, NotMade) else error.detail
    told = {"engine": request.engine, "voice": request.voice, "at": stamp(datetime.now(UTC)), "code": error.code}
    others = request.routing["others"]
    request.routing |= {
        "engine": voice.engine, "voice": voice.id, "others": others[others.index(voice.id) + 1 :],
        "reasons": request.routing["reasons"] | {voice.id: f"took over when {request.voice} failed: {error.code}"},
        "attempts": [*request.routing.get("attempts", []), told | {"detail": detail}],
    }  # fmt: skip
    request.warnings = [{"code": each.code, "detail": each.detail} for each in speaking(voice.engine).warnings]
    request.engine, request.voice = voice.engine, voice.id
    request.save(update_fields=["engine", "voice", "routing", "warnings"])
