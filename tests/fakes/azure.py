"""Azure Speech's POST /cognitiveservices/v1 and fast transcription on loopback.

What they must hold is Microsoft's REST reference (transcription: api-version 2025-10-15).
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from tests.fakes.forms import parts_of
from tests.fakes.hearing import Said, audio_ms, said_in, text_of, turns
from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused, speech

OUTPUTS = {"raw-24khz-16bit-mono-pcm": 24_000, "raw-16khz-16bit-mono-pcm": 16_000}
SPACE = "{http://www.w3.org/2001/10/synthesis}"
EXPRESS = "{http://www.w3.org/2001/mstts}express-as"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
TAGS = {"p", "s", "break", "emphasis", "prosody", "say-as", "sub", "phoneme", "lang"}

# Every name of a transcription's definition; a test compares them with Microsoft's own client.
DEFINITION = {
    "audioUrl", "locales", "models", "profanityFilterMode", "diarization", "channels", "enhancedMode", "phraseList",
}  # fmt: skip
INNER = {
    "diarization": {"maxSpeakers", "enabled"},
    "enhancedMode": {"enabled", "task", "targetLanguage", "prompt"},
    "phraseList": {"phrases", "biasingWeight"},
}
API_VERSION = "2025-10-15"


class FakeAzure(FakeProvider):
    """`KEY` is let in."""

    KEY = "azure-example"

    def __init__(self) -> None:
        super().__init__()
        self.tamper: Any = lambda answer: answer

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.path in {"/speechtotext/transcriptions:transcribe", "/sts/v1.0/issueToken"}:
            return self._hear(asked, fault=fault)
        if asked.headers.get("ocp-apim-subscription-key") != self.KEY or fault in {"not_let_in", "no_quota"}:
            raise Refused(Answer(401 if fault != "no_quota" else 403, b""))
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        rate_hz = _rate(asked)
        text, speed = _spoken(asked.body)
        return Answer(200, speech(text, rate_hz=rate_hz, speed=speed), {"Content-Type": "audio/basic"})

    def _hear(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.headers.get("ocp-apim-subscription-key") != self.KEY or fault == "not_let_in":
            raise Refused(_error(401, "Unauthorized", "Access denied due to invalid subscription key azure-secret."))
        if fault in _HEARING_FAULTS:
            raise Refused(_HEARING_FAULTS[fault])
        if asked.path.endswith("issueToken"):
            return Answer(200, b"a.token", {"Content-Type": "application/jwt"})
        definition, audio = _transcription(asked)
        duration_ms = audio_ms(audio)
        if duration_ms is None:
            raise Refused(_invalid("InvalidAudioFormat"))
        return _json(self.tamper(_answer(definition, duration_ms=duration_ms)))


def _transcription(asked: Asked) -> tuple[dict[str, Any], bytes]:
    """The definition, each name of it known, and the audio."""
    parts = {part.name: part.body for part in parts_of(asked) or []}
    if parse_qs(asked.query).get("api-version") != [API_VERSION] or set(parts) != {"definition", "audio"}:
        raise Refused(_invalid("InvalidRequest"))
    definition: dict[str, Any] = json.loads(parts["definition"])
    for name, inner in definition.items():
        if name not in DEFINITION or (name in INNER and not set(inner) <= INNER[name]):
            raise Refused(_invalid("InvalidRequestBodyFormat"))
    if any(not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z]{2,4})*", locale) for locale in definition.get("locales", [])):
        raise Refused(_invalid("InvalidLocale"))
    if not 2 <= definition.get("diarization", {}).get("maxSpeakers", 2) < 36:
        raise Refused(_invalid("InvalidRequest"))
    if definition.get("profanityFilterMode", "None") not in {"None", "Removed", "Tags", "Masked"}:
        raise Refused(_invalid("InvalidRequest"))
    return definition, parts["audio"]


def _answer(definition: dict[str, Any], *, duration_ms: int) -> dict[str, Any]:
    said = said_in(duration_ms)
    locale = (definition.get("locales") or ["en-US"])[0]
    translated = definition.get("enhancedMode", {}).get("task") == "translate"
    phrases = [_phrase(turn, locale="en" if translated else locale) for turn in turns(said)]
    if "diarization" in definition:
        phrases = [told | {"speaker": turn[0].speaker + 1} for told, turn in zip(phrases, turns(said), strict=True)]
    return {"durationMilliseconds": duration_ms, "combinedPhrases": [{"text": text_of(said)}], "phrases": phrases}


def _phrase(turn: list[Said], *, locale: str) -> dict[str, Any]:
    words = [
        {"text": w.text, "offsetMilliseconds": w.start_ms, "durationMilliseconds": w.end_ms - w.start_ms} for w in turn
    ]
    start_ms, end_ms = turn[0].start_ms, turn[-1].end_ms
    return {
        "offsetMilliseconds": start_ms, "durationMilliseconds": end_ms - start_ms, "text": text_of(turn),
        "words": words, "locale": locale, "confidence": 0.91,
    }  # fmt: skip


def _json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def _error(status: int, code: str, message: str, **headers: str) -> Answer:
    return _json({"error": {"code": code, "message": message}}, status, **headers)


def _invalid(inner: str) -> Answer:
    told = {"code": "InvalidArgument", "message": "secret path", "innerError": {"code": inner, "message": "m"}}
    return _json(told, 400)


_HEARING_FAULTS: dict[str | None, Answer] = {
    "throttled": _error(429, "TooManyRequests", "Too many requests", **{"Retry-After": "7"}),
    "throttled_for_unknown_time": _error(429, "TooManyRequests", "Too many requests"),
    "throttled_as_400": _invalid("TooManyRequests"),
    "no_quota": _error(403, "QuotaExceeded", "Out of call volume quota."),
    "broken": _error(500, "InternalServerError", "m"),
    "failed_in_200": _error(200, "InternalServerError", "m"),
}
_FAULTS: dict[str | None, Answer] = {
    "throttled": Answer(429, b"", {"Retry-After": "1"}),
    "broken": Answer(502, b""),
}


def _rate(asked: Asked) -> int:
    if asked.path != "/cognitiveservices/v1":
        raise Refused(Answer(404, b""))
    if asked.headers.get("content-type") != "application/ssml+xml":
        raise Refused(Answer(415, b""))
    rate_hz = OUTPUTS.get(asked.headers.get("x-microsoft-outputformat", ""))
    if rate_hz is None or not asked.headers.get("user-agent"):
        raise Refused(Answer(400, b""))
    return rate_hz


def _spoken(body: bytes) -> tuple[str, float]:
    """The text of one voice in one <speak>, and its speed."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(Answer(400, b"")) from None
    voices = list(root)
    if root.tag != f"{SPACE}speak" or not root.get("version") or not root.get(LANGUAGE) or len(voices) != 1:
        raise Refused(Answer(400, b""))
    name = voices[0].get("name", "")
    unknown = {inner.tag.removeprefix(SPACE) for inner in voices[0].iter()} - TAGS - {"voice", EXPRESS}
    if voices[0].tag != f"{SPACE}voice" or not re.fullmatch(r"[a-z]{2}-[A-Z]{2}-\w+Neural", name) or unknown:
        raise Refused(Answer(400, b""))
    rate = voices[0].find(f".//{SPACE}prosody")
    speed = float(rate.get("rate", "1")) if rate is not None else 1.0
    if not 0.5 <= speed <= 2:
        raise Refused(Answer(400, b""))
    return "".join(voices[0].itertext()), speed
