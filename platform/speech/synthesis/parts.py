"""A job's text as its engine gets it: in parts that its provider takes, counted as the provider counts."""

from __future__ import annotations

from speech.engines.speaking import SpokenPart
from speech.models import SpeechRequest
from speech.providers import speakers
from speech.synthesis import cutting
from speech.synthesis.voices import voice_by_id


def parts_of(request: SpeechRequest, *, max_chars: int) -> list[cutting.Part]:
    """The parts in order, none over `max_chars` code points; SSML stays whole."""
    if request.is_ssml:
        return [cutting.Part(0, len(request.text), request.text)]
    engine = speakers()[request.engine]
    most = min(max_chars, engine.capabilities.max_characters)  # no provider counts less than code points
    return cutting.cut(request.voiced, max_chars=most, fits=lambda text: engine.takes(spoken_part(request, text)))


def spoken_part(request: SpeechRequest, text: str) -> SpokenPart:
    """A stretch of the job's text, to be said as the job asks."""
    return SpokenPart(
        text=text, voice=voice_by_id(request.voice), is_ssml=request.is_ssml, language=request.language,
        speed_permille=request.speed_permille, style=request.style, simulate=request.simulate,
    )  # fmt: skip
