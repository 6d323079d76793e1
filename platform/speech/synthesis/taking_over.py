"""The first thing a speech job does: see whether the same was said before, or is being said now."""

from __future__ import annotations

from dispatch.facade import JobRow, Lease
from observe.facade import get_logger
from speech import reuse
from speech.models import SpeechRequest, SpokenAudio
from speech.synthesis import ending, keeping, twins
from storage.facade import ObjectMissing

log = get_logger(__name__)


def answered(lease: Lease, job: JobRow, request: SpeechRequest) -> bool:
    """Whether another job's file is the answer, now or as soon as it is there."""
    mark = twins.mark_of(request)
    if mark is None:
        return False
    while True:
        place, leader_id = reuse.find_place(lease, job, mark, finished=twins.has_audio)
        if place != "takes_over":
            return place == "follows"
        twin = SpokenAudio.objects.filter(pk=leader_id).first()
        if twin is None:
            continue  # it was deleted a moment ago: look again
        try:
            ending.take_over(lease, job, request, twin=twin)
        except ObjectMissing:
            SpokenAudio.objects.filter(pk=leader_id).delete()  # a row without its file is no result
            continue
        keeping.note_use(twin)
        log.info("speech_reused", job_id=str(job.id), reused_from=str(leader_id))
        return True
