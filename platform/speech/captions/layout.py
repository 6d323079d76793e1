"""Which tokens share a caption, and where its lines break. Pure."""

# ruff: noqa: RUF001 - the full-width marks of Chinese and Japanese are meant

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from speech.captions.tokens import Token

PAUSE_MS: Final = 1_000  # silence that long ends a caption
LEAST_FILL: Final = 0.4  # a natural break must not leave a caption emptier than that
SENTENCE_END: Final = frozenset(".!?。！？…")
CLAUSE_END: Final = frozenset(",;:、，；：")
TRAILING: Final = "\"'”’)]}」』）】"
PUNCTUATION_BONUS: Final = 12  # letters of imbalance that a break after punctuation is worth


@dataclass(frozen=True, slots=True)
class Frame:
    """How much fits into one caption."""

    max_line_chars: int
    max_lines: int
    max_cue_ms: int


def group(tokens: Sequence[Token], *, frame: Frame) -> list[Sequence[Token]]:
    """Captions as runs of tokens: full ones end at the best natural break, others at a pause or new speaker."""
    cues: list[Sequence[Token]] = []
    first = 0
    while first < len(tokens):
        end, is_full = _furthest(tokens, first, frame=frame)
        if is_full:
            end = _natural_break(tokens[first : end + 1]) + first
        if tokens[first].is_label:
            end = max(end, first + 2)  # a name without a word would tell nothing
        cues.append(tokens[first:end])
        first = end
    return cues


def lines(tokens: Sequence[Token], *, frame: Frame) -> list[Sequence[Token]]:
    """The lines of one caption; two lines are balanced, with a liking for punctuation at the first line's end."""
    broken = _fill(tokens, max_chars=frame.max_line_chars)
    if len(broken) != 2:
        return broken
    best = min(
        (cut for cut in range(1, len(tokens)) if _fits_as_two(tokens, cut, max_chars=frame.max_line_chars)),
        key=lambda cut: _imbalance(tokens, cut),
        default=len(broken[0]),
    )
    return [tokens[:best], tokens[best:]]


def ends_sentence(text: str) -> bool:
    """Whether the text stops with a sentence's mark, closing quotes and brackets aside.

    >>> ends_sentence('He said "no."'), ends_sentence("and then,")
    (True, False)
    """
    return text.rstrip(TRAILING)[-1:] in SENTENCE_END


def line_text(tokens: Sequence[Token]) -> str:
    """The tokens as one line."""
    return "".join(
        f" {token.text}" if place and token.space_before else token.text for place, token in enumerate(tokens)
    )


def _furthest(tokens: Sequence[Token], first: int, *, frame: Frame) -> tuple[int, bool]:
    """Index after the last token that can share the caption, and whether room or time (not speech) ended it."""
    lines_used, line_length = 1, tokens[first].length
    for place in range(first + 1, len(tokens)):
        token, before = tokens[place], tokens[place - 1]
        if token.speaker != before.speaker or token.start_ms - before.end_ms >= PAUSE_MS:
            return place, False
        if token.end_ms - tokens[first].start_ms > frame.max_cue_ms:
            return place, True
        longer = line_length + token.space_before + token.length
        if longer <= frame.max_line_chars:
            line_length = longer
        else:
            lines_used, line_length = lines_used + 1, token.length
        if lines_used > frame.max_lines:
            return place, True
    return len(tokens), False


def _natural_break(tokens: Sequence[Token]) -> int:
    """How many of `tokens` (the last one did not fit any more) make the caption that reads best."""
    fitting = tokens[:-1]
    enough = LEAST_FILL * sum(token.length for token in fitting)
    best, filled = (0, 0), 0
    for place, token in enumerate(fitting, start=1):
        filled += token.length
        if filled >= enough:
            best = max(best, (_ending(token), place))  # the best ending, the later one of two alike
    return best[1]


def _ending(token: Token) -> int:
    """3 after a sentence, 2 after a clause, else 0."""
    if token.is_label:
        return 0
    if token.ends_segment or ends_sentence(token.text):
        return 3
    return 2 if token.text.rstrip(TRAILING)[-1:] in CLAUSE_END else 0


def _fill(tokens: Sequence[Token], *, max_chars: int) -> list[Sequence[Token]]:
    filled: list[Sequence[Token]] = []
    first, length = 0, 0
    for place, token in enumerate(tokens):
        longer = length + token.space_before + token.length if place > first else token.length
        if place > first and longer > max_chars:
            filled.append(tokens[first:place])
            first, longer = place, token.length
        length = longer
    filled.append(tokens[first:])
    return filled


def _fits_as_two(tokens: Sequence[Token], cut: int, *, max_chars: int) -> bool:
    return _width(tokens[:cut]) <= max_chars and _width(tokens[cut:]) <= max_chars


def _imbalance(tokens: Sequence[Token], cut: int) -> int:
    difference = abs(_width(tokens[:cut]) - _width(tokens[cut:]))
    return difference - (PUNCTUATION_BONUS if _ending(tokens[cut - 1]) else 0)


def _width(tokens: Sequence[Token]) -> int:
    return sum(token.length + (token.space_before if place else 0) for place, token in enumerate(tokens))
