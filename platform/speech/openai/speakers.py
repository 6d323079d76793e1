"""`known_speaker_names`: whoever speaks first gets the first name. Pure.

OpenAI finds out who is who by samples of their voices; no engine here takes those, so the order decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from speech.transcript import Segment, Transcript


def named(labels: Mapping[str, str], segments: Iterable[Segment], *, names: Sequence[str]) -> dict[str, str]:
    """The names of the labels known so far, and of those that these segments bring.

    >>> named({}, [Segment(0, 0, 1, "Hi.", speaker="B"), Segment(1, 1, 2, "Hi.", speaker="A")], names=["Ada"])
    {'B': 'Ada'}
    """
    known = dict(labels)
    for segment in segments:
        if segment.speaker and segment.speaker not in known and len(known) < len(names):
            known[segment.speaker] = names[len(known)]
    return known


def named_in(transcript: Transcript, *, names: Sequence[str]) -> dict[str, str]:
    """The names of a whole transcript's labels."""
    return named({}, transcript.segments, names=names)


def renamed(transcript: Transcript, *, names: Sequence[str]) -> Transcript:
    """The transcript with names in place of labels."""
    known = named_in(transcript, names=names)
    if not known:
        return transcript
    segments = tuple(
        replace(
            segment, speaker=known.get(segment.speaker or "", segment.speaker),
            words=tuple(replace(word, speaker=known.get(word.speaker or "", word.speaker)) for word in segment.words),
        )
        for segment in transcript.segments
    )  # fmt: skip
    return replace(transcript, segments=segments, words=tuple(word for segment in segments for word in segment.words))
