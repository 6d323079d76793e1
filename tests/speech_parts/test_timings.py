"""Times of words: from marks of parts to one list over the text that was sent."""

from __future__ import annotations

import pytest

from speech.captions.render import render
from speech.engines.speaking import Mark, Timing
from speech.synthesis.places import Places
from speech.synthesis.pronouncing import Saying, pronounced
from speech.synthesis.timings import Timed, TimedPart, as_sent, as_transcript, from_json, joined, timed, to_json

TEXT = "We use SQL and R&D.\n\n안녕하세요, “반갑습니다”. 今日は晴れ。"


def words(text: str, found: list[Timed]) -> list[str]:
    return [text[one.start : one.end] for one in found]


def test_parts_are_put_behind_each_other_and_no_mark_is_later_than_its_part() -> None:
    parts = [TimedPart(0, 0, 500, [Mark(0, 0), Mark(4, 900)]), TimedPart(8, 500, 800, [Mark(0, 10)])]
    assert joined(parts) == [Mark(0, 0), Mark(4, 500), Mark(8, 510)]


def test_times_point_into_the_text_that_was_sent() -> None:
    found = pronounced(TEXT, [Saying("en", "SQL", "the sequel"), Saying("en", "use", "u")])
    assert found.said.startswith("We u the sequel and")
    said = [Mark(found.said.index(word), at) for at, word in enumerate(("We", "u ", "the", "sequel", "and"))]
    sent = as_sent(said, found.swaps)
    assert [TEXT[mark.start :].split()[0] for mark in sent] == ["We", "use", "SQL", "SQL", "and"]
    one = timed(TEXT, sent, kind="word", duration_ms=10)
    assert words(TEXT, one)[:4] == ["We", "use", "SQL", "and"]
    assert one[2].start_ms == 2  # when the first word of what is put in begins


@pytest.mark.parametrize("kind", ["word", "sentence"])
@pytest.mark.parametrize("places", [[], [0], [4, 3, 999], range(0, len(TEXT), 2), range(len(TEXT))])
def test_whatever_an_engine_tells_the_whole_text_is_timed_in_order(kind: Timing, places: list[int]) -> None:
    marks = [Mark(place, 40 * place % 1_700) for place in places]
    found = timed(TEXT, marks, kind=kind, duration_ms=1_500)
    assert "".join("".join(words(TEXT, found)).split()) == "".join(TEXT.split())
    for one, following in zip(found, [*found[1:], Timed(len(TEXT), 0, 1_500, 0)], strict=True):
        assert one.start < one.end <= following.start
        assert 0 <= one.start_ms <= one.end_ms == following.start_ms <= 1_500
    assert from_json(to_json(found, kind=kind, duration_ms=1_500)) == found
    transcript = as_transcript(TEXT, found, kind=kind, language="ko", duration_ms=1_500)
    assert "".join(transcript.text.split()) == "".join(TEXT.split())
    shown = [line for line in render(transcript, format="srt").splitlines() if line and "-->" not in line]
    assert "".join("".join(line for line in shown if not line.isdigit()).split()) == "".join(TEXT.split())


def test_places_are_found_behind_tags_entities_and_other_white_space() -> None:
    document = '<speak><prosody rate="150%">A&amp;B  <break time="1s"></break>한국\n어</prosody></speak>'
    places = Places(document, is_markup=True, text="A&B 한국 어")
    told = {piece: places.of_byte(len(document[: document.index(piece)].encode())) for piece in ("A&", "B", "한", "어")}
    assert told == {"A&": 0, "B": 2, "한": 4, "어": 7}
    assert places.of_byte(len(document.encode())) is None
