"""What cutting does to a hearing, with the hearing of the uncut audio as the truth.

The recogniser's own search depends on what it heard before: the same sounds after a cut may be spelled differently
("happy" for "had he"), often better. So four things are compared that do not depend on spelling luck:

- inside: cuts that lie inside of a word of the uncut hearing;
- lost: its right words of whose time less than half is covered by words of the parts;
- doubled: a word heard on both sides of a cut that the uncut hearing has once;
- errors against the text that was read, near cuts, of the parts and of the uncut hearing at the same places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from speech.transcript import Word

BORDER_MS = 40  # as exact as the recogniser's word times are
NEAR_MS = 600  # two words on each side
Pairs = list[tuple[int | None, int | None]]


@dataclass(frozen=True, slots=True)
class Seams:
    """What was found at the cuts of one recording; `far` is the same measure away from them."""

    cuts: int
    inside: int
    lost_near: int
    lost_far: int
    doubled: int
    errors_near: int
    errors_near_uncut: int
    errors_far: int
    errors_far_uncut: int
    words_near: int
    words_far: int

    @property
    def harm(self) -> int:
        """How many more errors there are near cuts than in the uncut hearing at the same places."""
        return self.errors_near - self.errors_near_uncut


def compared(uncut: Sequence[Word], *, parts: Sequence[Word], written: Sequence[str], cuts: Sequence[int]) -> Seams:
    """How two hearings of one recording differ, near the cuts and away from them; `written` is what was read."""
    placed = _placed(written, by=uncut)
    lost = [_is_near(word, cuts) for word in _right(uncut, written=written) if _is_lost(word, among=parts)]
    near = [_is_near(word, cuts) for word in placed]
    errors, errors_uncut = ([_is_near(word, cuts) for word in _errors(placed, heard=heard)] for heard in (parts, uncut))
    return Seams(
        cuts=len(cuts),
        inside=sum(any(_splits(word, cut) for word in uncut) for cut in cuts),
        lost_near=sum(lost), lost_far=len(lost) - sum(lost),
        doubled=_doubled(parts, cuts=cuts) - _doubled(uncut, cuts=cuts),
        errors_near=sum(errors), errors_near_uncut=sum(errors_uncut),
        errors_far=len(errors) - sum(errors), errors_far_uncut=len(errors_uncut) - sum(errors_uncut),
        words_near=sum(near), words_far=len(near) - sum(near),
    )  # fmt: skip


def _splits(word: Word, cut_ms: int) -> bool:
    return word.start_ms + BORDER_MS < cut_ms < word.end_ms - BORDER_MS


def _is_near(word: Word, cuts: Sequence[int]) -> bool:
    return any(word.start_ms - NEAR_MS <= cut <= word.end_ms + NEAR_MS for cut in cuts)


def _is_lost(word: Word, *, among: Sequence[Word]) -> bool:
    covered_ms = sum(max(0, min(word.end_ms, one.end_ms) - max(word.start_ms, one.start_ms)) for one in among)
    return covered_ms < (word.end_ms - word.start_ms) / 2


def _doubled(words: Sequence[Word], *, cuts: Sequence[int]) -> int:
    """How many cuts have the same word directly before and behind them."""
    return sum(
        one.text == two.text
        and one.end_ms <= cut + BORDER_MS
        and cut - BORDER_MS <= two.start_ms < one.end_ms + NEAR_MS
        for cut in cuts
        for one, two in pairwise(words)
    )


def _placed(written: Sequence[str], *, by: Sequence[Word]) -> list[Word]:
    """The written words with the times at which they were heard, or stand between their neighbours."""
    placed, last_ms = [], 0
    for mine, heard in _alignment(written, heard=[word.text for word in by]):
        if heard is not None:
            last_ms = by[heard].end_ms
        if mine is not None:
            start_ms = by[heard].start_ms if heard is not None else last_ms
            placed.append(Word(written[mine], start_ms, max(start_ms, last_ms)))
    return placed


def _right(heard: Sequence[Word], *, written: Sequence[str]) -> list[Word]:
    """The heard words that were read; noise taken for a word may come and go."""
    pairs = _alignment(written, heard=[word.text for word in heard])
    return [
        heard[theirs] for mine, theirs in pairs if None not in (mine, theirs) and written[mine] == heard[theirs].text
    ]


def _errors(placed: Sequence[Word], *, heard: Sequence[Word]) -> list[Word]:
    """Words that were written and not heard, or heard and not written."""
    pairs = _alignment([word.text for word in placed], heard=[word.text for word in heard])
    return [
        heard[theirs] if mine is None else placed[mine]
        for mine, theirs in pairs
        if mine is None or theirs is None or placed[mine].text != heard[theirs].text
    ]


def _alignment(written: Sequence[str], *, heard: Sequence[str]) -> Pairs:
    """The pairs of places with the fewest differences; None where one side has no word."""
    costs = np.zeros((len(written) + 1, len(heard) + 1), dtype=int)
    costs[:, 0], costs[0, :] = np.arange(len(written) + 1), np.arange(len(heard) + 1)
    for row, word in enumerate(written):
        for column, other in enumerate(heard):
            same = costs[row, column] + (word != other)
            costs[row + 1, column + 1] = min(same, costs[row, column + 1] + 1, costs[row + 1, column] + 1)
    return _way_back(costs, written=written, heard=heard)


def _way_back(costs: npt.NDArray[np.int_], *, written: Sequence[str], heard: Sequence[str]) -> Pairs:
    row, column = len(written), len(heard)
    pairs: Pairs = []
    while row or column:
        if (
            row
            and column
            and costs[row, column] == costs[row - 1, column - 1] + (written[row - 1] != heard[column - 1])
        ):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and costs[row, column] == costs[row - 1, column] + 1:
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return pairs[::-1]
