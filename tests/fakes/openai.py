"""OpenAI's POST /v1/audio/speech on loopback, as strict as CreateSpeechRequest of the published OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused, speech

VOICES = {
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
}  # fmt: skip
ONLY_NEWEST = {"ballad", "verse", "marin", "cedar"}
MODELS = {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"}
FIELDS = {"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"}
FORMATS = {"mp3", "opus", "aac", "flac", "wav", "pcm"}
RATE_HZ = 24_000


class FakeOpenAi(FakeProvider):
    """`KEY` is let in."""

    KEY = "sk-example"

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self.KEY}" or fault == "not_let_in":
            raise Refused(_error(401, "invalid_request_error", "invalid_api_key"))
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        wanted = _wanted(asked)
        body = speech(wanted["input"], rate_hz=RATE_HZ, speed=wanted.get("speed", 1.0))
        return Answer(200, body, {"Content-Type": "audio/pcm", "x-request-id": "req_1"})


def _wanted(asked: Asked) -> dict[str, Any]:
    if asked.path != "/v1/audio/speech":
        raise Refused(_error(404, "invalid_request_error", None))
    wanted: dict[str, Any] = asked.json()
    if not {"model", "input", "voice"} <= set(wanted) <= FIELDS:
        raise Refused(_error(400, "invalid_request_error", "unknown_parameter"))
    if wanted["model"] not in MODELS:
        raise Refused(_error(404, "invalid_request_error", "model_not_found"))
    if wanted["voice"] not in VOICES or (wanted["voice"] in ONLY_NEWEST and wanted["model"] != "gpt-4o-mini-tts"):
        raise Refused(_error(400, "invalid_request_error", "invalid_value"))
    if len(wanted["input"]) > 4_096:
        raise Refused(_error(400, "invalid_request_error", "string_above_max_length"))
    if wanted.get("response_format", "mp3") not in FORMATS or not 0.25 <= wanted.get("speed", 1.0) <= 4:
        raise Refused(_error(400, "invalid_request_error", "invalid_value"))
    return wanted


def _error(status: int, kind: str, code: str | None, **headers: str) -> Answer:
    error = {"message": "Incorrect: sk-exa***ple", "type": kind, "param": None, "code": code}
    return Answer(status, json.dumps({"error": error}).encode(), {"Content-Type": "application/json", **headers})


_FAULTS: dict[str | None, Answer] = {
    "throttled": _error(429, "requests", "rate_limit_exceeded", **{"Retry-After": "1"}),
    "no_quota": _error(429, "insufficient_quota", "insufficient_quota"),
    "broken": _error(500, "server_error", None),
}
