"""Captions of any transcript: every word once, in order, readable lines, honest times."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.captions import CaptionFormat, render
from speech.captions.graphemes import graphemes, visible_length
from speech.transcript import Segment, Transcript, Word, assemble, clean_text, is_unspaced, join_texts

TIME_LINE = re.compile(r"^(\d+):(\d\d):(\d\d)[.,](\d{3}) --> (\d+):(\d\d):(\d\d)[.,](\d{3})$")
# Each is one character to a reader.
WHOLE = ["é", "👍🏽", "👩‍👩‍👧", "🙂‍↔️", "🇰🇷", "1️⃣", "각", "ᄒᆞᆫ", "ᄀᄀ", "กำ", "ｶﾞ", "❤️"]
LANGUAGES = st.sampled_from(["en", "ko", "ja", "zh", None])
TEXTS = {
    "en": st.text(alphabet="abcdefg'é,.!?&<->", min_size=1, max_size=14),
    "ko": st.text(alphabet="가나다라마한글!?", min_size=1, max_size=8),
    "ja": st.text(alphabet="今日はよい天気です、。「」ーっAPI", min_size=1, max_size=30),
}
TEXTS["zh"] = TEXTS["ja"]


@st.composite
def transcripts(draw: st.DrawFn, *, spaced: bool = False, with_words: bool | None = None) -> Transcript:
    language = draw(st.sampled_from(["en", "ko", None]) if spaced else LANGUAGES)
    texts = TEXTS[language or "en"].map(clean_text).filter(bool)
    has_words = draw(st.booleans()) if with_words is None else with_words
    clock_ms, segments = 0, []
    for _ in range(draw(st.integers(0, 5))):
        words = []
        for text in draw(st.lists(texts, min_size=1, max_size=12)):
            clock_ms += draw(st.sampled_from([0, 10, 200, 1500]))
            start_ms, clock_ms = clock_ms, clock_ms + draw(st.sampled_from([0, 1, 150, 400, 4000]))
            words.append(Word(text, start_ms=start_ms, end_ms=clock_ms))
        joined = join_texts((word.text for word in words), language=language)
        own = tuple(words) if has_words else ()
        speaker = draw(st.sampled_from([None, "A", "B"]))
        segments.append(Segment(0, words[0].start_ms, words[-1].end_ms, joined, own, speaker))
    return assemble(segments, language=language, duration_ms=clock_ms)


def _blocks(text: str) -> list[tuple[int, int, list[str]]]:
    """Start, end and lines of every cue of an SRT or VTT file."""
    found = []
    for block in re.split(r"\n\n", text.removeprefix("WEBVTT\n\n").strip("\n")):
        rows = block.split("\n")
        times = [(place, TIME_LINE.match(row)) for place, row in enumerate(rows[:2])]
        match = next(((place, time) for place, time in times if time), None)
        if match is None:
            continue
        place, time = match
        numbers = [int(number) for number in time.groups()]
        start_ms, end_ms = (
            ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest
            for hours, minutes, seconds, rest in (numbers[:4], numbers[4:])
        )
        found.append((start_ms, end_ms, rows[place + 1 :]))
    return found


def _letters(text: str) -> str:
    return "".join(text.split())


def _plain(line: str) -> str:
    return re.sub(r"<[^>]*>", "", line).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@given(transcripts())
def test_every_letter_of_every_word_appears_once_and_in_order(transcript: Transcript) -> None:
    lines = [line for _, _, rows in _blocks(render(transcript, format="vtt")) for line in rows]

    assert _letters("".join(map(_plain, lines))) == _letters(transcript.text)


@given(transcripts(spaced=True))
def test_no_word_is_torn_apart(transcript: Transcript) -> None:
    rows = [_plain(line) for _, _, lines in _blocks(render(transcript, format="vtt")) for line in lines]

    assert " ".join(rows).split() == transcript.text.split()


@pytest.mark.parametrize("kind", ["srt", "vtt"])
@given(transcript=transcripts())
def test_cues_are_in_order_never_overlap_and_are_never_empty(transcript: Transcript, kind: CaptionFormat) -> None:
    cues = _blocks(render(transcript, format=kind, speakers=False))

    assert all(start_ms < end_ms for start_ms, end_ms, _ in cues)
    assert all(one[1] <= two[0] for one, two in pairwise(cues))


@given(transcripts(), st.integers(4, 50), st.integers(1, 3))
def test_lines_keep_their_limits_unless_one_word_is_longer(transcript: Transcript, width: int, height: int) -> None:
    text = render(transcript, format="vtt", max_line_chars=width, max_lines=height)

    for _, _, rows in _blocks(text):
        assert len(rows) <= height
        for row in map(_plain, rows):
            assert visible_length(row) <= width or (" " not in row and not _could_break(row, width=width))


def _could_break(row: str, *, width: int) -> bool:
    """Whether a line in a script without spaces has a piece that should have moved to the next line."""
    return all(map(is_unspaced, row)) and visible_length(row) > width + 1


@given(transcripts())
def test_srt_and_vtt_have_the_same_words_and_times(transcript: Transcript) -> None:
    srt = _blocks(render(transcript, format="srt", speakers=False))
    vtt = _blocks(render(transcript, format="vtt", speakers=False))

    assert [cue[:2] for cue in srt] == [cue[:2] for cue in vtt]
    assert [len(cue[2]) for cue in srt] == [len(cue[2]) for cue in vtt]


@given(transcripts())
def test_the_text_of_a_vtt_file_cannot_be_taken_for_its_syntax(transcript: Transcript) -> None:
    for _, _, rows in _blocks(render(transcript, format="vtt", speakers=False)):
        for row in rows:
            assert "-->" not in row
            assert not re.search(r"<|&(?!amp;|lt;|gt;)", row)


@given(transcripts(with_words=True))
def test_word_times_in_vtt_move_forward_inside_their_cue(transcript: Transcript) -> None:
    for start_ms, end_ms, rows in _blocks(render(transcript, format="vtt", word_times=True)):
        times = [start_ms, *map(_milliseconds, re.findall(r"<(\d+:\d\d:\d\d\.\d{3})>", "\n".join(rows))), end_ms]
        assert all(one < two for one, two in pairwise(times))


@given(transcripts())
def test_plain_text_holds_exactly_the_words(transcript: Transcript) -> None:
    assert _letters(render(transcript, format="text", speakers=False)) == _letters(transcript.text)


@given(st.text())
def test_graphemes_joined_again_are_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text


@pytest.mark.parametrize("whole", WHOLE)
def test_what_a_reader_sees_as_one_character_is_one(whole: str) -> None:
    assert list(graphemes(f"x{whole}x")) == ["x", whole, "x"]


def test_a_grapheme_is_never_split_over_two_lines() -> None:
    transcript = _transcript("葛󠄀" * 30, language="ja")  # a variation selector follows each character

    for _, _, rows in _blocks(render(transcript, format="vtt", max_line_chars=5)):
        assert all(row[0] == "葛" for row in rows)


def test_an_english_file_reads_as_expected() -> None:
    text = "And so, my fellow Americans, ask not what your country can do for you."
    words = [Word(word, start_ms=400 * place, end_ms=400 * place + 300) for place, word in enumerate(text.split())]
    transcript = assemble([Segment(0, 0, 5500, text, tuple(words))], language="en", duration_ms=6000)

    assert render(transcript, format="srt") == (
        "1\n00:00:00,000 --> 00:00:05,500\nAnd so, my fellow Americans,\nask not what your country can do for you.\n"
    )


def test_punctuation_of_the_text_is_kept_where_words_have_none() -> None:
    words = tuple(Word(text, 100 * place, 100 * place + 90) for place, text in enumerate(["hello", "world", "bye"]))
    transcript = assemble([Segment(0, 0, 300, '"Hello, world!" Bye.', words)], language="en", duration_ms=300)

    assert render(transcript, format="vtt").split("\n")[3] == '"Hello, world!" Bye.'


def test_words_that_differ_from_the_text_win() -> None:
    words = (Word("twenty", 0, 90), Word("two", 100, 190))
    transcript = assemble([Segment(0, 0, 200, "22", words)], language="en", duration_ms=200)

    assert "twenty two" in render(transcript, format="srt")


def test_korean_breaks_between_its_words_and_at_sixteen_letters() -> None:
    transcript = _transcript("오늘은 날씨가 아주 좋아서 공원에 산책하러 나갔습니다.", language="ko")
    rows = _blocks(render(transcript, format="srt"))[0][2]

    assert rows == ["오늘은 날씨가 아주 좋아서", "공원에 산책하러 나갔습니다."]


def test_japanese_breaks_after_its_marks_and_never_before_them() -> None:
    transcript = _transcript(
        "今日は天気がとても良いので、公園へ散歩に行きました。「楽しかった」と言いました。", language="ja"
    )
    rows = [row for _, _, lines in _blocks(render(transcript, format="srt")) for row in lines]

    assert all(len(row) <= 13 for row in rows)
    assert not [row for row in rows if row[0] in "、。」" or row[-1] == "「"]


def test_a_full_caption_ends_with_a_sentence_when_it_can() -> None:
    text = "This is the first sentence of the talk. Then a second one follows which is longer than the first was."
    first = _blocks(render(_transcript(text, language="en"), format="srt"))[0]

    assert " ".join(first[2]) == "This is the first sentence of the talk."


def test_short_words_stay_long_enough_to_be_read() -> None:
    transcript = assemble([Segment(0, 0, 100, "Yes."), Segment(1, 9000, 9100, "No.")], language="en", duration_ms=9100)
    cues = _blocks(render(transcript, format="srt"))

    assert [(start_ms, end_ms) for start_ms, end_ms, _ in cues] == [(0, 1000), (9000, 10_000)]


def test_a_caption_makes_room_in_time_for_the_next_one() -> None:
    transcript = assemble(
        [Segment(0, 0, 100, "Yes.", speaker="A"), Segment(1, 500, 900, "No.", speaker="B")],
        language="en",
        duration_ms=900,
    )
    cues = _blocks(render(transcript, format="srt"))

    assert [(start_ms, end_ms) for start_ms, end_ms, _ in cues] == [(0, 500), (500, 1500)]


def test_letters_whose_small_form_is_longer_do_not_shift_the_words() -> None:
    words = (Word("İİstanbul", 0, 90), Word("çok", 100, 190), Word("güzel", 200, 290))
    transcript = assemble([Segment(0, 0, 300, "İİstanbul, çok güzel.", words)], language="tr", duration_ms=300)

    assert " ".join(_blocks(render(transcript, format="srt"))[0][2]).split()[:2] == ["İİstanbul", "çok"]


def test_speakers_are_named() -> None:
    transcript = assemble(
        [Segment(0, 0, 900, "Hi.", speaker="Ann <A>"), Segment(1, 1000, 1900, "Hello.", speaker="Bob")],
        language="en",
        duration_ms=2000,
    )

    assert "<v Ann &lt;A&gt;>Hi." in render(transcript, format="vtt")
    assert "Bob: Hello." in render(transcript, format="srt")
    assert render(transcript, format="text") == "Ann <A>: Hi.\n\nBob: Hello.\n"
    assert "Ann" not in render(transcript, format="srt", speakers=False)


def test_text_has_a_paragraph_for_every_long_pause() -> None:
    transcript = assemble(
        [Segment(0, 0, 900, "One."), Segment(1, 1000, 1900, "Two."), Segment(2, 5000, 5900, "Three.")],
        language="en",
        duration_ms=6000,
    )

    assert render(transcript, format="text") == "One. Two.\n\nThree.\n"


def test_json_is_the_transcript_with_integers() -> None:
    word = Word("안녕", 0, 400, confidence=0.5, speaker="A")
    transcript = assemble([Segment(0, 0, 400, "안녕", (word,), "A")], language="ko", duration_ms=500)

    assert json.loads(render(transcript, format="json")) == {
        "text": "안녕",
        "language": "ko",
        "duration_ms": 500,
        "segments": [{"id": 0, "start_ms": 0, "end_ms": 400, "text": "안녕", "speaker": "A"}],
        "words": [{"text": "안녕", "start_ms": 0, "end_ms": 400, "confidence": 0.5, "speaker": "A"}],
    }
    assert "안녕" in render(transcript, format="json")


def test_an_empty_transcript_gives_valid_empty_files() -> None:
    empty = assemble([], language=None, duration_ms=1000)

    assert render(empty, format="vtt") == "WEBVTT\n"
    assert render(empty, format="srt") == ""
    assert render(empty, format="text") == ""


def test_hours_are_written_with_two_digits() -> None:
    transcript = assemble([Segment(0, 36_000_000, 36_001_000, "Late.")], language="en", duration_ms=36_002_000)

    assert "10:00:00,000 --> 10:00:01,000" in render(transcript, format="srt")


def _transcript(text: str, *, language: str) -> Transcript:
    return assemble([Segment(0, 0, 6000, text)], language=language, duration_ms=6000)


@given(transcripts(spaced=True), st.integers(8, 40))
def test_at_any_width_korean_and_english_break_between_words_only(transcript: Transcript, width: int) -> None:
    rows = [_plain(line) for _, _, lines in _rendered(transcript, max_line_chars=width) for line in lines]

    assert " ".join(rows).split() == transcript.text.split()


@given(st.lists(st.sampled_from([*"今日は天気。、「」", *WHOLE]), min_size=1, max_size=80), st.integers(8, 20))
def test_no_line_begins_or_ends_inside_of_a_character(characters: list[str], width: int) -> None:
    text = clean_text("".join(characters))
    rows = [line for _, _, lines in _rendered(_transcript(text, language="ja"), max_line_chars=width) for line in lines]

    assert "".join(rows).replace(" ", "") == text.replace(" ", "")
    assert [cluster for row in rows for cluster in graphemes(row)] == list(graphemes("".join(rows)))


@given(transcripts(), st.integers(100, 3000), st.integers(3000, 9000), st.integers(3, 30))
def test_a_caption_stays_until_it_is_read_or_the_next_one_comes(
    transcript: Transcript, shortest_ms: int, longest_ms: int, speed: int
) -> None:
    cues = _rendered(transcript, min_cue_ms=shortest_ms, max_cue_ms=longest_ms, max_chars_per_s=speed)
    for cue, after in pairwise([*cues, (10**9, 10**9, [])]):
        start_ms, end_ms, rows = cue
        letters = sum(visible_length(_letters(_plain(row))) for row in rows)
        needed_ms = min(max(shortest_ms, letters * 1000 // speed), longest_ms)
        assert end_ms - start_ms <= longest_ms
        assert end_ms - start_ms >= needed_ms or end_ms == after[0]


@given(transcripts(), st.integers(8, 30), st.integers(1, 3), st.text(alphabet="Ann 이름", min_size=1, max_size=12))
def test_lines_with_names_keep_their_limits_too(transcript: Transcript, width: int, height: int, name: str) -> None:
    speaker = clean_text(name) or "A"
    named = assemble(
        (replace(segment, speaker=speaker, words=tuple(replace(word, speaker=None) for word in segment.words))
         for segment in transcript.segments),
        language=transcript.language, duration_ms=transcript.duration_ms,
    )  # fmt: skip
    for _, _, rows in _blocks(render(named, format="srt", max_line_chars=width, max_lines=height)):
        assert len(rows) <= height
        assert rows[-1] != f"{speaker}:"
        for row in rows:
            told = row.removeprefix(f"{speaker}:").strip()
            is_one_word = " " not in told and (told == row or height == 1)
            assert visible_length(row) <= width or is_one_word or not told


def test_channels_are_named_where_no_speaker_is_known() -> None:
    transcript = assemble(
        [Segment(0, 0, 900, "Hi.", channel=0), Segment(1, 1000, 1900, "Yes?", channel=1),
         Segment(2, 2000, 2900, "Bye.", speaker="Ann", channel=1)],
        language="en", duration_ms=3000,
    )  # fmt: skip

    assert [rows for _, _, rows in _blocks(render(transcript, format="srt"))] == [
        ["Channel 1: Hi."], ["Channel 2: Yes?"], ["Ann: Bye."]
    ]  # fmt: skip
    assert "<v Channel 2>Yes?" in render(transcript, format="vtt")
    assert render(transcript, format="text") == "Channel 1: Hi.\n\nChannel 2: Yes?\n\nAnn: Bye.\n"
    for form in ("srt", "vtt", "text"):
        assert "Channel" not in render(transcript, format=form, speakers=False)
    assert "Channel" not in render(transcript, format="json")


def test_a_name_that_leaves_no_room_for_the_word_has_a_line_of_its_own() -> None:
    transcript = assemble(
        [Segment(0, 0, 3000, "안녕하십니까여러분 반갑습니다.", channel=0)], language="ko", duration_ms=3000
    )

    assert _blocks(render(transcript, format="srt"))[0][2] == ["Channel 1:", "안녕하십니까여러분 반갑습니다."]


def test_two_who_speak_at_once_can_both_be_read() -> None:
    transcript = assemble(
        [Segment(0, 0, 4000, "This is what the first one says.", channel=0), Segment(1, 500, 3000, "Yes.", channel=1),
         Segment(2, 9000, 9900, "Good.", channel=0)],
        language="en", duration_ms=10_000,
    )  # fmt: skip
    first, second, third = ((start_ms, end_ms) for start_ms, end_ms, _ in _blocks(render(transcript, format="srt")))

    assert first == (0, 2177)  # 37 letters at 17 a second; then the other, which is 1677 ms late, as long as it was
    assert second == (2177, 4677)
    assert third[0] == 9000


def test_what_is_said_at_once_for_long_never_comes_more_than_two_seconds_late() -> None:
    segments = [
        Segment(0, 4000 * turn, 4000 * turn + 4000, "The same words on both of the channels.", channel=channel)
        for turn in range(20)
        for channel in (0, 1)
    ]
    cues = _blocks(render(assemble(segments, language="en", duration_ms=80_000), format="srt"))

    assert len(cues) == len(segments)
    assert all(start_ms <= segment.start_ms + 2000 for (start_ms, _, _), segment in zip(cues, segments, strict=True))
    assert all(end_ms - start_ms >= 1000 for start_ms, end_ms, _ in cues)


@given(transcripts(with_words=False))
def test_no_times_of_words_are_made_up(transcript: Transcript) -> None:
    for _, _, rows in _blocks(render(transcript, format="vtt", word_times=True, speakers=False)):
        assert not [row for row in rows if "<" in row]


def test_text_without_paragraphs_is_one_line() -> None:
    transcript = assemble(
        [Segment(0, 0, 900, "One.", speaker="A"), Segment(1, 5000, 5900, "Two.", speaker="B")],
        language="en",
        duration_ms=6000,
    )

    assert render(transcript, format="text", paragraphs=False) == "One. Two.\n"


def test_a_long_talk_without_pauses_has_paragraphs_that_begin_with_a_sentence() -> None:
    sentence = ["It goes on and on without any end", "until the speaker stops for a breath."]
    segments = [Segment(n, 1000 * n, 1000 * n + 1000, sentence[n % 2]) for n in range(60)]
    paragraphs = render(assemble(segments, language="en", duration_ms=60_000), format="text").strip().split("\n\n")

    assert len(paragraphs) > 1
    assert all(paragraph.startswith("It goes") and paragraph.endswith("breath.") for paragraph in paragraphs)
    assert all(len(paragraph) <= 700 for paragraph in paragraphs)


def _rendered(transcript: Transcript, **look: int) -> list[tuple[int, int, list[str]]]:
    return _blocks(render(transcript, format="vtt", speakers=False, **look))


def _milliseconds(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1000)
