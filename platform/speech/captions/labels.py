"""Who speaks, as captions and text show it: the speaker's name, or the channel where no speaker is known. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from speech.captions.graphemes import visible_length
from speech.captions.tokens import Token
from speech.transcript import Segment, Transcript


def with_channels(transcript: Transcript) -> Transcript:
    """The transcript with `Channel 1`, `Channel 2`, ... as speakers of segments that have none."""
    if all(segment.channel is None for segment in transcript.segments):
        return transcript
    segments = tuple(map(_labelled, transcript.segments))
    words = tuple(chain.from_iterable(segment.words for segment in segments))
    return replace(transcript, segments=segments, words=words)


def named(tokens: Sequence[Token], *, max_chars: int, max_lines: int) -> list[Token]:
    """The tokens with the name of each new speaker in front of its first word.

    A name that leaves no room for the word on its line stands by itself, so that the line may break after it.
    """
    found: list[Token] = []
    speaker: str | None = None
    for token in tokens:
        is_new = token.speaker is not None and token.speaker != speaker
        speaker = token.speaker
        found += _introduced(token, max_chars=max_chars, max_lines=max_lines) if is_new else [token]
    return found


def _introduced(token: Token, *, max_chars: int, max_lines: int) -> list[Token]:
    together = f"{token.speaker}: {token.text}"
    if max_lines == 1 or visible_length(together) <= max_chars:
        return [replace(token, text=together)]
    label = replace(token, text=f"{token.speaker}:", end_ms=token.start_ms, is_label=True, ends_segment=False)
    return [label, replace(token, space_before=True)]


def _labelled(segment: Segment) -> Segment:
    if segment.channel is None or segment.speaker is not None:
        return segment
    return replace(segment, speaker=f"Channel {segment.channel + 1}")
