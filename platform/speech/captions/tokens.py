"""The pieces that captions are built from: words with times and punctuation, never to be broken further."""

# ruff: noqa: RUF001 - the full-width marks of Chinese and Japanese are meant

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from speech.captions.graphemes import graphemes, visible_length
from speech.transcript import Segment, Transcript, Word, is_unspaced, join_texts

PHRASE_END = re.compile(r"[、。，！？…」』）]$")
CLOSING = frozenset("、。，．！？：；」』）】〕》〉”’…‥ー々〜～・ぁぃぅぇぉっゃゅょァィゥェォッャュョ%％,.!?:;)]}")
OPENING = frozenset("「『（【〔《〈“‘([{")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text that stays on one line; `ends_segment` marks the engine's own sentence border.

    `is_heard`: the engine gave its time; else the time was shared out by letters. `is_label`: a speaker's name.
    """

    text: str
    start_ms: int
    end_ms: int
    space_before: bool
    speaker: str | None = None
    ends_segment: bool = False
    is_heard: bool = True
    is_label: bool = False

    @property
    def length(self) -> int:
        return visible_length(self.text)


def tokens_of(transcript: Transcript, *, max_chars: int) -> list[Token]:
    """All tokens in order, from words where the engine gave them, else from the segments' text.

    Pieces of scripts without spaces are cut down to `max_chars`; a spaced word stays whole however long it is.
    """
    tokens: list[Token] = []
    for segment in transcript.segments:
        pieces = _segment_tokens(segment, max_chars=max_chars, language=transcript.language)
        if tokens and pieces:
            together = join_texts((tokens[-1].text, pieces[0].text), language=transcript.language)
            pieces[0] = replace(pieces[0], space_before=len(together) > len(tokens[-1].text) + len(pieces[0].text))
        tokens += pieces
    return tokens


def _segment_tokens(segment: Segment, *, max_chars: int, language: str | None) -> list[Token]:
    words = _words_with_punctuation(segment, language=language) if segment.words else _whole(segment)
    tokens = [token for word in words for token in _split_token(word, max_chars=max_chars)]
    if tokens:
        tokens[-1] = replace(tokens[-1], ends_segment=True)
    return tokens


def _whole(segment: Segment) -> Iterator[Token]:
    """The text's own words; times in proportion to their letters, for engines without word times."""
    pieces = segment.text.split()
    letters = max(1, sum(len(piece) for piece in pieces))
    duration_ms, done = segment.end_ms - segment.start_ms, 0
    for piece in pieces:
        start_ms = segment.start_ms + duration_ms * done // letters
        done += len(piece)
        end_ms = segment.start_ms + duration_ms * done // letters
        yield Token(piece, start_ms, end_ms, space_before=True, speaker=segment.speaker, is_heard=False)


def _words_with_punctuation(segment: Segment, *, language: str | None) -> Iterator[Token]:
    """The segment's words, each with the punctuation that stands around it in the segment's text."""
    places = _places(segment)
    if places is None:
        yield from _bare_words(segment.words, speaker=segment.speaker, language=language)
        return
    borders = [0, *places[1:], len(segment.text)]
    for word, start, end in zip(segment.words, borders, borders[1:], strict=False):
        yield Token(
            segment.text[start:end].strip(),
            word.start_ms,
            word.end_ms,
            space_before=start > 0 and segment.text[start - 1].isspace(),
            speaker=word.speaker or segment.speaker,
        )


def _places(segment: Segment) -> list[int] | None:
    """Where each word starts in the text, opening brackets included; None when text and words differ."""
    places: list[int] = []
    text, position = segment.text.lower(), 0
    if len(text) != len(segment.text):
        return None
    for word in segment.words:
        found = text.find(word.text.lower(), position)
        if found < 0 or _has_letters(text[position:found]):
            return None
        places.append(_with_opening(text, found, earliest=position))
        position = found + len(word.text)
    return None if _has_letters(text[position:]) else places


def _with_opening(text: str, place: int, *, earliest: int) -> int:
    while place > earliest and (text[place - 1] in OPENING or text[place - 1] in "\"'-$€£₩¥#@<&"):
        place -= 1
    return place


def _has_letters(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _bare_words(words: Sequence[Word], *, speaker: str | None, language: str | None) -> Iterator[Token]:
    before = ""
    for word in words:
        spaced = len(join_texts((before, word.text), language=language)) > len(before) + len(word.text)
        yield Token(word.text, word.start_ms, word.end_ms, space_before=spaced, speaker=word.speaker or speaker)
        before = word.text


def _split_token(token: Token, *, max_chars: int) -> Iterator[Token]:
    """The token itself, or its writing units where it is too long and its script has no spaces."""
    parts = token.text.split()
    if len(parts) > 1:  # an engine's "word" may be a phrase
        yield from _timed(token, parts=parts, spaced=True, max_chars=max_chars)
    elif token.length <= max_chars or not any(map(is_unspaced, token.text)):
        yield token
    else:
        units = _packed(_units(token.text, max_chars=max_chars), max_chars=max_chars)
        yield from _timed(token, parts=units, spaced=False, max_chars=max_chars)


def _timed(token: Token, *, parts: Sequence[str], spaced: bool, max_chars: int) -> Iterator[Token]:
    letters, done = sum(map(len, parts)), 0
    duration_ms = token.end_ms - token.start_ms
    for place, part in enumerate(parts):
        start_ms = token.start_ms + duration_ms * done // letters
        done += len(part)
        end_ms = token.start_ms + duration_ms * done // letters
        piece = replace(
            token, text=part, start_ms=start_ms, end_ms=end_ms, space_before=spaced if place else token.space_before
        )
        yield from _split_token(piece, max_chars=max_chars) if spaced else (piece,)


def _units(text: str, *, max_chars: int) -> list[str]:
    """Graphemes and runs of spaced script, with closing marks kept at the one before, opening at the one after."""
    units: list[str] = []
    for cluster in graphemes(text):
        if units and _belong_together(units[-1], cluster, max_chars=max_chars):
            units[-1] += cluster
        else:
            units.append(cluster)
    return units


def _belong_together(unit: str, cluster: str, *, max_chars: int) -> bool:
    if not (is_unspaced(cluster[0]) or is_unspaced(unit[-1])):
        return True
    return (cluster[0] in CLOSING or unit[-1] in OPENING) and visible_length(unit) < max_chars


def _packed(units: Iterable[str], *, max_chars: int) -> list[str]:
    """Units joined to phrases that fit: a phrase ends at punctuation, else it is a single unit."""
    packed: list[str] = []
    phrase: list[str] = []
    for unit in units:
        phrase.append(unit)
        if PHRASE_END.search(unit):
            packed += ["".join(phrase)] if visible_length("".join(phrase)) <= max_chars else phrase
            phrase = []
    return packed + phrase
