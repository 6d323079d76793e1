"""What providers themselves answered, kept beside a transcript and erased with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dispatch.facade import JobRow
from speech.objects import raw_prefix
from storage.facade import store

_NAME: Final = re.compile(r"(\d+)-(\d+)-(\d+)\.(.+)")  # as `objects.raw_key` makes it


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One provider's answer for a part of the recording, and where it is kept."""

    object_key: str
    start_ms: int
    end_ms: int
    call: int
    engine: str
    size_bytes: int


def raw_answers(job: JobRow) -> list[RawAnswer]:
    """Those of a completed job in the order of the recording; channels that were heard apart stand together."""
    prefix = raw_prefix(job.tenant_id, job.id)
    found = [(_NAME.fullmatch(one.key.removeprefix(prefix)), one) for one in store().list_prefix(prefix)]
    answers = [
        RawAnswer(one.key, int(name[1]), int(name[2]), int(name[3]), name[4], one.size_bytes)
        for name, one in found
        if name is not None
    ]
    return sorted(answers, key=lambda answer: (answer.start_ms, answer.call))
