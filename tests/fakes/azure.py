"""Azure Speech's POST /cognitiveservices/v1 on loopback; what it must hold is Microsoft's REST reference."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused, speech

OUTPUTS = {"raw-24khz-16bit-mono-pcm": 24_000, "raw-16khz-16bit-mono-pcm": 16_000}
SPACE = "{http://www.w3.org/2001/10/synthesis}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
TAGS = {"p", "s", "break", "emphasis", "prosody", "say-as", "sub", "phoneme", "lang"}


class FakeAzure(FakeProvider):
    """`KEY` is let in."""

    KEY = "azure-example"

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.headers.get("ocp-apim-subscription-key") != self.KEY or fault in {"not_let_in", "no_quota"}:
            raise Refused(Answer(401 if fault != "no_quota" else 403, b""))
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        rate_hz = _rate(asked)
        text, speed = _spoken(asked.body)
        return Answer(200, speech(text, rate_hz=rate_hz, speed=speed), {"Content-Type": "audio/basic"})


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
    unknown = {inner.tag.removeprefix(SPACE) for inner in voices[0].iter()} - TAGS - {"voice"}
    if voices[0].tag != f"{SPACE}voice" or not re.fullmatch(r"[a-z]{2}-[A-Z]{2}-\w+Neural", name) or unknown:
        raise Refused(Answer(400, b""))
    rate = voices[0].find(f"{SPACE}prosody")
    speed = float(rate.get("rate", "1")) if rate is not None else 1.0
    if not 0.5 <= speed <= 2:
        raise Refused(Answer(400, b""))
    return "".join(voices[0].itertext()), speed
