"""One transcript in the formats that customers download. Pure: text in, text out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from speech.captions.labels import named, with_channels
from speech.captions.layout import Frame, ends_sentence, group, line_text, lines
from speech.captions.styles import style_for
from speech.captions.timing import Pace, times
from speech.captions.tokens import Token, tokens_of
from speech.transcript import Segment, Transcript, Word, join_texts

CaptionFormat = Literal["srt", "vtt", "text", "json"]

MIN_CUE_MS: Final = 1_000
MAX_CUE_MS: Final = 7_000
PARAGRAPH_PAUSE_MS: Final = 2_000
PARAGRAPH_CHARS: Final = 600  # about a dozen lines: from there on the next sentence begins a new one


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: its time on screen and its lines."""

    start_ms: int
    end_ms: int
    lines: tuple[Sequence[Token], ...]

    @property
    def speaker(self) -> str | None:
        return self.lines[0][0].speaker


def render(
    transcript: Transcript,
    *,
    format: CaptionFormat,  # noqa: A002 - the API's own word for it
    max_line_chars: int | None = None,
    max_lines: int = 2,
    min_cue_ms: int = MIN_CUE_MS,
    max_cue_ms: int = MAX_CUE_MS,
    max_chars_per_s: int | None = None,
    speakers: bool = True,
    word_times: bool = False,
    paragraphs: bool = True,
) -> str:
    """The transcript as `format`; `word_times` puts each word's time, where the engine gave it, inside VTT cues.

    Lines hold `max_line_chars` letters as a reader counts them (by language: 42 Latin, ko 16, ja 13, zh 16); only a
    single longer word exceeds that. A caption stays for `min_cue_ms` and for as long as it takes to read at
    `max_chars_per_s` (by language), as far as the next one leaves room, and never longer than `max_cue_ms`. Channels
    are named where no speaker is known.
    """
    if format == "json":
        return json.dumps(as_value(transcript), ensure_ascii=False, separators=(",", ":"))
    transcript = with_channels(transcript)
    if format == "text":
        return _text(transcript, speakers=speakers) if paragraphs else _one_line(transcript)
    frame = _frame(transcript, max_line_chars=max_line_chars, max_lines=max_lines, max_cue_ms=max_cue_ms)
    reading = max_chars_per_s or style_for(transcript.language).max_chars_per_s
    pace = Pace(min_cue_ms=min(min_cue_ms, max_cue_ms), max_cue_ms=max_cue_ms, max_chars_per_s=reading)
    if format == "vtt":
        return _vtt(cues_of(transcript, frame=frame, pace=pace), speakers=speakers, word_times=word_times)
    return _srt(cues_of(transcript, frame=frame, pace=pace, name_speakers=speakers))


def cues_of(transcript: Transcript, *, frame: Frame, pace: Pace, name_speakers: bool = False) -> list[Cue]:
    """The captions in order; `name_speakers` writes a new speaker's name in front of the words."""
    tokens = tokens_of(transcript, max_chars=frame.max_line_chars)
    if name_speakers:
        tokens = named(tokens, max_chars=frame.max_line_chars, max_lines=frame.max_lines)
    grouped = group(tokens, frame=frame)
    return [
        Cue(start_ms=start_ms, end_ms=end_ms, lines=tuple(lines(cue, frame=frame)))
        for cue, (start_ms, end_ms) in zip(grouped, times(grouped, pace=pace), strict=True)
    ]


def as_value(transcript: Transcript) -> dict[str, Any]:
    """The transcript as the API's JSON shows it."""
    sure = transcript.language_confidence
    return {
        "text": transcript.text,
        "language": transcript.language,
        **({} if sure is None else {"language_confidence": sure}),
        "duration_ms": transcript.duration_ms,
        "segments": [segment_value(segment) for segment in transcript.segments],
        "words": [_word_value(word) for word in transcript.words],
    }


def _frame(transcript: Transcript, *, max_line_chars: int | None, max_lines: int, max_cue_ms: int) -> Frame:
    width = max_line_chars or style_for(transcript.language).max_line_chars
    if width < 1 or max_lines < 1 or max_cue_ms < 1:
        raise ValueError("captions need at least one character, one line and one millisecond")
    return Frame(max_line_chars=width, max_lines=max_lines, max_cue_ms=max_cue_ms)


def _srt(cues: Sequence[Cue]) -> str:
    blocks = (
        f"{number}\n{_clock(cue.start_ms, point=',')} --> {_clock(cue.end_ms, point=',')}\n{_srt_lines(cue)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    return "\n".join(blocks)


def _srt_lines(cue: Cue) -> str:
    # SRT knows no escapes: an arrow in the text would be read as a time line.
    return "\n".join(line_text(line) for line in cue.lines).replace("-->", "->")


def _vtt(cues: Sequence[Cue], *, speakers: bool, word_times: bool) -> str:
    blocks = ["WEBVTT\n"]
    for cue in cues:
        voice = f"<v {_escape(cue.speaker)}>" if speakers and cue.speaker else ""
        text = "\n".join(_vtt_lines(cue, word_times=word_times))
        blocks.append(f"{_clock(cue.start_ms, point='.')} --> {_clock(cue.end_ms, point='.')}\n{voice}{text}\n")
    return "\n".join(blocks)


def _vtt_lines(cue: Cue, *, word_times: bool) -> Iterator[str]:
    """Escaped lines; a word's time is written only where it moves forward inside the cue, as the format demands."""
    last_ms = cue.start_ms
    for line in cue.lines:
        written: list[Token] = []
        for token in line:
            text = _escape(token.text)
            if word_times and token.is_heard and last_ms < token.start_ms < cue.end_ms:
                text, last_ms = f"<{_clock(token.start_ms, point='.')}>{text}", token.start_ms
            written.append(replace(token, text=text))
        yield line_text(written)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(transcript: Transcript, *, speakers: bool) -> str:
    paragraphs = []
    for group_of_segments in _paragraphs(transcript.segments):
        text = join_texts((segment.text for segment in group_of_segments), language=transcript.language)
        speaker = group_of_segments[0].speaker
        paragraphs.append(f"{speaker}: {text}\n" if speakers and speaker else f"{text}\n")
    return "\n".join(paragraphs)


def _one_line(transcript: Transcript) -> str:
    return f"{transcript.text}\n" if transcript.text else ""


def _paragraphs(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments together until another speaker, a long pause, or the end of a sentence in a long paragraph."""
    paragraphs: list[list[Segment]] = []
    letters = 0
    for segment in segments:
        last = paragraphs[-1][-1] if paragraphs else None
        pause_ms = segment.start_ms - last.end_ms if last else 0
        is_long = last is not None and letters >= PARAGRAPH_CHARS and ends_sentence(last.text)
        if last is None or last.speaker != segment.speaker or pause_ms >= PARAGRAPH_PAUSE_MS or is_long:
            paragraphs.append([])
            letters = 0
        paragraphs[-1].append(segment)
        letters += len(segment.text)
    return paragraphs


def segment_value(segment: Segment) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": segment.id,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
    }
    if segment.channel is not None:
        value["channel"] = segment.channel
    return value if segment.speaker is None else value | {"speaker": segment.speaker}


def _word_value(word: Word) -> dict[str, Any]:
    value: dict[str, Any] = {"text": word.text, "start_ms": word.start_ms, "end_ms": word.end_ms}
    if word.confidence is not None:
        value["confidence"] = word.confidence
    return value if word.speaker is None else value | {"speaker": word.speaker}


def _clock(time_ms: int, *, point: str) -> str:
    """Hours, minutes, seconds, milliseconds.

    >>> _clock(3_723_004, point=",")
    '01:02:03,004'
    """
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{point}{milliseconds:03}"
