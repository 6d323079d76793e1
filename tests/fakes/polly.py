"""Amazon Polly's SynthesizeSpeech on loopback, as strict as the service model that ships with botocore."""

from __future__ import annotations

import html
import json
import re
from array import array
from functools import lru_cache
from math import cos, pi
from typing import Any

from botocore.loaders import Loader

from speech.synthesis.errors import TextUnusable
from speech.synthesis.ssml import spoken_of
from tests.fakes.provider import MS_PER_CHARACTER, Answer, Asked, FakeProvider, Fault, Refused, speech

SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[a-z0-9-]+)/polly/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=[0-9a-f]{64}"
)
PCM_RATES = {"8000", "16000"}
MAX_BILLED, MAX_ALL = 3_000, 6_000


class FakePolly(FakeProvider):
    """One region; `KEY` is let in, and these voices have these families."""

    KEY = "AKIDEXAMPLE"
    REGION = "ap-northeast-2"
    FAMILIES = {"Seoyeon": {"neural", "standard"}, "Joanna": {"neural", "standard"}, "Kajal": {"neural"}}
    hums = False  # a tone that begins and ends in the middle of its swing, instead of a saw-tooth
    SECOND = {"Kajal": {"en-IN", "hi-IN"}}

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        _check_signature(asked)
        if fault in _FAULTS:
            raise Refused(_error(*_FAULTS[fault]))
        wanted = _wanted(asked)
        billed = _billed(wanted)
        self._check_voice(wanted)
        headers = {"Content-Type": "audio/pcm", "x-amzn-RequestCharacters": str(len(billed))}
        if wanted["OutputFormat"] == "json":
            return Answer(200, _marks(wanted, billed), headers | {"Content-Type": "application/x-json-stream"})
        rate_hz, speed = int(wanted.get("SampleRate", "16000")), _speed(wanted)
        return Answer(200, hum(billed) if self.hums else speech(billed, rate_hz=rate_hz, speed=speed), headers)

    def _check_voice(self, wanted: dict[str, Any]) -> None:
        voice = wanted["VoiceId"]
        if wanted.get("Engine", "standard") not in self.FAMILIES.get(voice, {"standard"}):
            raise Refused(_error(400, "EngineNotSupportedException"))
        if wanted.get("LanguageCode") and wanted["LanguageCode"] not in self.SECOND.get(voice, {"ko-KR", "en-US"}):
            raise Refused(_error(400, "LanguageNotSupportedException"))


def hum(text: str) -> bytes:
    """210 Hz at 16 kHz: not whole swings for a character, so that two parts put together as they are would click."""
    count = len(text) * MS_PER_CHARACTER * 16
    return array("h", (round(10_000 * cos(2 * pi * 210 * n / 16_000)) for n in range(count))).tobytes()


_FAULTS: dict[str | None, tuple[int, str]] = {
    "throttled": (400, "ThrottlingException"),
    "broken": (500, "ServiceFailureException"),
    "not_let_in": (403, "UnrecognizedClientException"),
    "no_quota": (402, "ServiceQuotaExceededException"),
}


def _check_signature(asked: Asked) -> None:
    """Who asks, for which region, and that what matters is signed."""
    signed = SIGNED.fullmatch(asked.headers.get("authorization", ""))
    if signed is None or "x-amz-date" not in asked.headers:
        raise Refused(_error(403, "MissingAuthenticationTokenException"))
    if signed["key"] != FakePolly.KEY or signed["region"] != FakePolly.REGION:
        raise Refused(_error(403, "UnrecognizedClientException"))
    if not {"host", "x-amz-date"} <= set(signed["names"].split(";")):
        raise Refused(_error(403, "InvalidSignatureException"))


def _wanted(asked: Asked) -> dict[str, Any]:
    """The parameters, each of them in the model, each value of its list."""
    if asked.path != "/v1/speech":
        raise Refused(_error(404, "UnknownOperationException"))
    members, shapes, required = _model()
    wanted: dict[str, Any] = asked.json()
    if not set(required) <= set(wanted) <= set(members):
        raise Refused(_error(400, "ValidationException"))
    for name, value in wanted.items():
        shape = shapes[members[name]["shape"]]
        allowed = shapes.get(shape.get("member", {}).get("shape"), shape).get("enum")
        if allowed is not None and not set(value if isinstance(value, list) else [value]) <= set(allowed):
            raise Refused(_error(400, "ValidationException"))
    if wanted["OutputFormat"] == "json":
        if not wanted.get("SpeechMarkTypes") or wanted.get("Engine") == "generative":
            raise Refused(_error(400, "ValidationException"))
        return wanted
    if "SpeechMarkTypes" in wanted:
        raise Refused(_error(400, "MarksNotSupportedForFormatException"))
    if wanted["OutputFormat"] != "pcm" or wanted.get("SampleRate", "16000") not in PCM_RATES:
        raise Refused(_error(400, "InvalidSampleRateException"))
    return wanted


def _billed(wanted: dict[str, Any]) -> str:
    text = wanted["Text"]
    if wanted.get("TextType") == "ssml":
        try:
            billed = spoken_of(text)
        except TextUnusable:
            raise Refused(_error(400, "InvalidSsmlException")) from None
    else:
        billed = text
    if len(billed) > MAX_BILLED or len(text) > MAX_ALL:
        raise Refused(_error(400, "TextLengthExceededException"))
    return str(billed)


def _marks(wanted: dict[str, Any], billed: str) -> bytes:
    """A line for each word, or for each that begins a sentence: bytes of the request's text, and when it is said."""
    (kind,), lines, place, begins = wanted["SpeechMarkTypes"], [], 0, True
    text = wanted["Text"]
    for word in re.finditer(r"<[^>]*>|[^\s<]+", text):
        if word[0].startswith("<"):
            continue
        value = html.unescape(word[0])
        place = billed.index(value, place)
        if begins or kind == "word":
            start, time = len(text[: word.start()].encode()), round(place * MS_PER_CHARACTER / _speed(wanted))
            mark = {"time": time, "type": kind, "start": start, "end": start + len(word[0].encode()), "value": word[0]}
            lines.append(json.dumps(mark, ensure_ascii=False))
        place, begins = place + len(value), value[-1] in ".!?"
    return "\n".join(lines).encode()


def _speed(wanted: dict[str, Any]) -> float:
    found = re.search(r'<prosody rate="([0-9.]+)%"', wanted["Text"])
    if found and not 20 <= float(found[1]) <= 200:
        raise Refused(_error(400, "InvalidSsmlException"))
    return float(found[1]) / 100 if found else 1.0


def _error(status: int, code: str) -> Answer:
    """As rest-json services send it: the code in a header, a message that quotes what it likes."""
    body = json.dumps({"message": f"{code}: arn:aws:iam::123456789012:user/secret-user"}).encode()
    return Answer(status, body, {"Content-Type": "application/json", "x-amzn-ErrorType": code})


@lru_cache(maxsize=1)
def _model() -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    model = Loader().load_service_model("polly", "service-2")
    shape = model["shapes"]["SynthesizeSpeechInput"]
    return shape["members"], model["shapes"], shape["required"]
