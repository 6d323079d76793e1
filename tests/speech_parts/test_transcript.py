"""One transcript shape for all engines: exact joins, times in order, clean text, lossless storage."""

import json
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.transcript import (
    Segment,
    Transcript,
    Word,
    assemble,
    clean_text,
    from_json,
    join_texts,
    merge,
    to_json,
)

LANGUAGES = st.sampled_from([None, "en", "ko", "ja", "zh-TW", "de"])
PIECES = st.one_of(
    st.text(max_size=12),
    st.text(alphabet="abé ,.'", max_size=12),
    st.text(alphabet="안녕하세요 ", max_size=8),
    st.text(alphabet="今日は良い天気。「」", max_size=8),
    st.sampled_from(["\u0301x", "\u1161", "👍🏽", "e\u0301", "\ud800", "\ufffd", "a\x00b"]),
).map(clean_text)
TIMES = st.integers(min_value=0, max_value=50_000)


@st.composite
def words(draw: st.DrawFn) -> Word:
    start_ms, end_ms = sorted((draw(TIMES), draw(TIMES)))
    confidence = draw(st.one_of(st.none(), st.integers(0, 10_000).map(lambda parts: parts / 10_000)))
    return Word(draw(PIECES), start_ms=start_ms, end_ms=end_ms, confidence=confidence)


@st.composite
def segments(draw: st.DrawFn) -> Segment:
    start_ms, end_ms = sorted((draw(TIMES), draw(TIMES)))
    own = tuple(draw(st.lists(words(), max_size=4)))
    speaker = draw(st.sampled_from([None, "A", "B"]))
    return Segment(draw(st.integers(0, 9)), start_ms, end_ms, text=draw(PIECES), words=own, speaker=speaker)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    found = draw(st.lists(segments(), max_size=5))
    return assemble(found, language=draw(LANGUAGES), duration_ms=draw(TIMES))


@given(st.text())
def test_clean_text_is_nfc_whole_and_stays_so(text: str) -> None:
    clean = clean_text(text)

    assert unicodedata.is_normalized("NFC", clean)
    assert clean_text(clean) == clean
    assert "\ufffd" not in clean
    clean.encode()  # no half characters


@given(transcripts())
def test_an_assembled_transcript_is_in_order_and_inside_the_audio(transcript: Transcript) -> None:
    _check(transcript)


@given(st.lists(st.tuples(st.integers(0, 10**8), transcripts()), max_size=4, unique_by=lambda part: part[0]))
def test_merging_keeps_every_word_once_in_order_and_the_text_is_the_joined_segments(
    parts: list[tuple[int, Transcript]],
) -> None:
    merged = merge(parts)

    _check(merged)
    assert merged.text == join_texts((segment.text for segment in merged.segments), language=merged.language)
    expected = [word.text for _, part in sorted(parts, key=lambda part: part[0]) for word in part.words]
    assert [word.text for word in merged.words] == expected
    assert merged.duration_ms == max((offset_ms + part.duration_ms for offset_ms, part in parts), default=0)


@given(transcripts(), transcripts())
def test_channels_of_one_span_are_told_in_the_order_of_their_times(left: Transcript, right: Transcript) -> None:
    merged = merge([(1_000, left), (1_000, right)])

    starts = [segment.start_ms for segment in merged.segments]
    assert starts == sorted(starts)
    said = sorted(word.text for part in (left, right) for word in part.words)
    assert sorted(word.text for word in merged.words) == said


@given(transcripts())
def test_storing_loses_nothing(transcript: Transcript) -> None:
    assert from_json(json.loads(json.dumps(to_json(transcript)))) == transcript


@given(st.lists(PIECES, max_size=6), LANGUAGES)
def test_joined_text_is_nfc_and_holds_every_piece_unchanged(pieces: list[str], language: str | None) -> None:
    joined = join_texts(pieces, language=language)

    assert unicodedata.is_normalized("NFC", joined)
    place = 0
    for piece in pieces:
        place = joined.index(piece, place) + len(piece)


def test_times_are_shifted_by_the_parts_offset() -> None:
    part = assemble([_segment("Hello there.", 100, 900)], language="en", duration_ms=1000)

    merged = merge([(0, part), (1000, part)])

    assert merged.text == "Hello there. Hello there."
    assert [(segment.id, segment.start_ms, segment.end_ms) for segment in merged.segments] == [
        (0, 100, 900),
        (1, 1100, 1900),
    ]


def test_japanese_parts_join_without_a_space_and_korean_ones_with() -> None:
    assert _merged_text("今日は", "良い天気です。", language="ja") == "今日は良い天気です。"
    assert _merged_text("你好。", "再见。", language=None) == "你好。再见。"
    assert _merged_text("안녕하세요", "반갑습니다", language="ko") == "안녕하세요 반갑습니다"


def test_the_language_heard_longest_wins() -> None:
    short = assemble([_segment("Hi", 0, 100)], language="en", duration_ms=1000)
    long = assemble([_segment("안녕", 0, 100)], language="ko", duration_ms=5000)

    assert merge([(0, short), (1000, long)]).language == "ko"


def test_a_segment_without_text_gets_it_from_its_words() -> None:
    said = (Word("good", 0, 10), Word("day", 10, 20))

    transcript = assemble([Segment(0, 0, 20, "", said), Segment(1, 20, 30, "")], language="en", duration_ms=30)

    assert transcript.text == "good day"
    assert len(transcript.segments) == 1


@pytest.mark.parametrize("text", ["e\u0301", "half \ud800", "\ufffd", "two\nlines", "nul\x00"])
def test_unclean_text_cannot_enter_a_transcript(text: str) -> None:
    with pytest.raises(ValueError, match="clean"):
        Word(text, 0, 1)


def test_a_transcript_that_does_not_add_up_cannot_exist() -> None:
    with pytest.raises(ValueError, match="joined segments"):
        Transcript(text="other", language="en", duration_ms=10, segments=(_segment("this", 0, 1),), words=())
    with pytest.raises(ValueError, match="start_ms <= end_ms"):
        _segment("backwards", 5, 1)


def test_joining_spans_languages() -> None:
    assert join_texts(["Grüße", "an", "alle"], language="de") == "Grüße an alle"


def _check(transcript: Transcript) -> None:
    assert [segment.id for segment in transcript.segments] == list(range(len(transcript.segments)))
    for one, two in pairwise(transcript.segments):
        assert one.start_ms <= two.start_ms
    for segment in transcript.segments:
        assert 0 <= segment.start_ms <= segment.end_ms <= transcript.duration_ms
        for before, after in pairwise(segment.words):
            assert before.start_ms <= after.start_ms
        for word in segment.words:
            assert segment.start_ms <= word.start_ms <= word.end_ms <= segment.end_ms


def _segment(text: str, start_ms: int, end_ms: int) -> Segment:
    return Segment(id=0, start_ms=start_ms, end_ms=end_ms, text=text)


def _merged_text(one: str, two: str, *, language: str | None) -> str:
    parts = [assemble([_segment(text, 0, 100)], language=language, duration_ms=100) for text in (one, two)]
    return merge([(0, parts[0]), (100, parts[1])]).text
