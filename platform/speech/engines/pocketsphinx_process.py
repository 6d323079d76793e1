"""pocketsphinx's child process: `python -m speech.engines.pocketsphinx_process`, started by a Sandbox."""

from pathlib import Path
from typing import Any, Final

from speech.audio import sandbox_child
from speech.audio.pcm import PcmRange

FRAME_MS: Final = 10
SILENCE_PAD: Final = bytes(2 * 16 * 200)  # 200 ms on both sides: the recogniser wants to hear a pause first
PAD_MS: Final = 200
NOT_WORDS: Final = ("<", "[", "+")  # <s>, </s>, <sil>, [NOISE], ++SPEECH++


def load() -> sandbox_child.Handler:
    """The handler with the model in memory; the library is loaded here, after the limits are in force."""
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=16000, loglevel="FATAL")
    return lambda request: recognize(decoder, request=request)


def recognize(decoder: Any, *, request: dict[str, Any]) -> dict[str, Any]:
    """Words as [text, start_ms, end_ms, confidence] for the requested range of a decoded file."""
    pcm = PcmRange(Path(request["path"]), start_ms=request["start_ms"], end_ms=request["end_ms"])
    # A decoder carries its noise estimate from one utterance into the next, across customers, and gives another
    # text. Only reinit_feat() puts it back; the `cmn` option and set_cmn() do not.
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(SILENCE_PAD + pcm.read() + SILENCE_PAD, full_utt=True)
    decoder.end_utt()
    return {"words": _words(decoder, duration_ms=pcm.duration_ms)}


def _words(decoder: Any, *, duration_ms: int) -> list[list[Any]]:
    if decoder.hyp() is None:
        return []
    found = []
    for segment in decoder.seg():
        if segment.word.startswith(NOT_WORDS):
            continue
        start_ms = segment.start_frame * FRAME_MS - PAD_MS
        end_ms = (segment.end_frame + 1) * FRAME_MS - PAD_MS
        confidence = min(1.0, max(0.0, segment.prob))
        text = segment.word.partition("(")[0]  # "the(2)" is a pronunciation, not a word
        found.append([text, *_inside(start_ms, end_ms, duration_ms=duration_ms), round(confidence, 4)])
    return found


def _inside(start_ms: int, end_ms: int, *, duration_ms: int) -> tuple[int, int]:
    start_ms = min(max(start_ms, 0), duration_ms)
    return start_ms, min(max(end_ms, start_ms), duration_ms)


if __name__ == "__main__":
    sandbox_child.serve(load)
