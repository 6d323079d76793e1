"""Deepgram's POST /v1/listen on loopback, as strict as its published OpenAPI document."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import urllib.request
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.hearing import Said, audio_ms, said_in, text_of, turns
from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused

# Every query parameter of the operation; a test compares it with the document.
PARAMETERS = {
    "callback", "callback_method", "custom_intent", "custom_intent_mode", "custom_topic", "custom_topic_mode",
    "detect_entities", "detect_language", "diarize", "diarize_model", "dictation", "encoding", "extra", "filler_words",
    "intents", "keyterm", "keywords", "language", "measurements", "mip_opt_out", "model", "multichannel", "numerals",
    "paragraphs", "profanity_filter", "punctuate", "redact", "replace", "search", "sentiment", "smart_format",
    "summarize", "tag", "topics", "utt_split", "utterances", "version",
}  # fmt: skip
BOOLEANS = {
    "diarize", "filler_words", "measurements", "mip_opt_out", "multichannel", "numerals", "paragraphs",
    "profanity_filter", "punctuate", "smart_format", "utterances", "detect_entities", "dictation",
}  # fmt: skip
MODELS = {
    "nova-3", "nova-3-general", "nova-3-medical", "nova-2", "nova-2-general", "nova-2-meeting", "nova-2-finance",
    "nova-2-conversationalai", "nova-2-voicemail", "nova-2-video", "nova-2-medical", "nova-2-drivethru",
    "nova-2-automotive", "nova", "nova-general", "nova-phonecall", "nova-medical", "enhanced", "enhanced-general",
    "enhanced-meeting", "enhanced-phonecall", "enhanced-finance", "base", "meeting", "phonecall", "finance",
    "conversationalai", "voicemail", "video",
}  # fmt: skip
REQUEST_ID = "a847f427-4ad5-4d67-9b95-db801e58251c"
KEY_IDENTIFIER = "b1f2-identifier"  # what the header dg-token of a callback holds


class FakeDeepgram(FakeProvider):
    """`KEY` is let in; callbacks go out `callbacks` times."""

    KEY = "dg-example"

    def __init__(self) -> None:
        super().__init__()
        self.callbacks = 1
        self.tamper: Any = lambda answer: answer

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.headers.get("authorization") not in {f"Token {self.KEY}", f"Bearer {self.KEY}"}:
            raise Refused(_error(401, "INVALID_AUTH", "Invalid credentials."))
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        if asked.method == "GET" and asked.path == "/v1/projects":
            return _json({"projects": [{"project_id": "p", "name": "n"}]})
        if asked.method != "POST" or asked.path != "/v1/listen":
            raise Refused(_error(404, "NOT_FOUND", "Not found"))
        wanted = _wanted(asked)
        duration_ms = audio_ms(asked.body)
        if duration_ms is None:
            raise Refused(_error(400, "Bad Request", "failed to process audio: corrupt or unsupported data"))
        answer = self.tamper(_answer(asked.body, duration_ms=duration_ms, wanted=wanted))
        if "callback" not in wanted:
            return _json(answer)
        if self.callbacks:
            self.later(lambda: self.call_back(wanted["callback"][0], answer))
        return _json({"request_id": REQUEST_ID})

    def call_back(self, url: str, answer: Any) -> None:
        """Send the result as often as was set; a user and password of the URL become basic auth."""
        parts = urlsplit(url)
        headers = {"Content-Type": "application/json", "dg-token": KEY_IDENTIFIER}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        bare = parts._replace(netloc=f"{parts.hostname}:{parts.port}").geturl()
        for _ in range(self.callbacks):
            request = urllib.request.Request(bare, data=json.dumps(answer).encode(), headers=headers)
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as heard:
                heard.read()


def _answer(body: bytes, *, duration_ms: int, wanted: dict[str, list[str]]) -> dict[str, Any]:
    said = said_in(duration_ms)
    diarized = "diarize_model" in wanted or wanted.get("diarize") == ["true"]
    words = [_word(word, wanted=wanted, diarized=diarized) for word in said]
    channel: dict[str, Any] = {"alternatives": [{"transcript": text_of(said), "confidence": 0.99, "words": words}]}
    if "detect_language" in wanted:
        channel |= {"detected_language": "en", "language_confidence": 0.96}
    results: dict[str, Any] = {"channels": [channel]}
    if wanted.get("utterances") == ["true"]:
        results["utterances"] = [
            _utterance(n, turn, wanted=wanted, diarized=diarized) for n, turn in enumerate(turns(said))
        ]
    metadata = {
        "transaction_key": "deprecated", "request_id": REQUEST_ID, "sha256": hashlib.sha256(body).hexdigest(),
        "created": "2026-11-22T00:00:00.000Z", "duration": duration_ms / 1000, "channels": 1, "models": ["model-uuid"],
        "model_info": {"model-uuid": {"name": "general-nova-3", "version": "2026-07-01.0", "arch": "nova-3"}},
    }  # fmt: skip
    return {"metadata": metadata, "results": results}


def _word(word: Said, *, wanted: dict[str, list[str]], diarized: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "word": word.text.strip(",.").lower(), "start": word.start_ms / 1000, "end": word.end_ms / 1000,
        "confidence": word.confidence,
    }  # fmt: skip
    if wanted.get("punctuate") == ["true"] or wanted.get("smart_format") == ["true"]:
        told["punctuated_word"] = word.text
    return told | ({"speaker": word.speaker, "speaker_confidence": 0.9} if diarized else {})


def _utterance(number: int, turn: list[Said], *, wanted: dict[str, list[str]], diarized: bool) -> dict[str, Any]:
    told = {
        "start": turn[0].start_ms / 1000, "end": turn[-1].end_ms / 1000, "confidence": 0.98, "channel": 0,
        "transcript": text_of(turn), "words": [_word(word, wanted=wanted, diarized=diarized) for word in turn],
        "id": f"00000000-0000-0000-0000-{number:012d}",
    }  # fmt: skip
    return told | ({"speaker": turn[0].speaker} if diarized else {})


def _wanted(asked: Asked) -> dict[str, list[str]]:
    wanted = parse_qs(asked.query, keep_blank_values=True)
    unknown = set(wanted) - PARAMETERS
    if unknown:
        raise Refused(_error(400, "Bad Request", f"Unknown query parameters: {sorted(unknown)}"))
    kind = asked.headers.get("content-type", "")
    if kind != "application/octet-stream" and not kind.startswith("audio/"):
        raise Refused(_error(415, "UNSUPPORTED_MEDIA_TYPE", "send audio"))
    for name in BOOLEANS & set(wanted):
        if wanted[name] not in (["true"], ["false"]):
            raise Refused(_error(400, "Bad Request", f"{name} must be true or false"))
    model = wanted.get("model", ["base"])[0]
    if model not in MODELS:
        raise Refused(_error(400, "Bad Request", "No such model/language/tier combination found."))
    if "keyterm" in wanted and not model.startswith("nova-3"):
        raise Refused(_error(400, "Bad Request", "Keyterms are only supported for the Nova-3 models"))
    if "keywords" in wanted and model.startswith("nova-3"):
        raise Refused(_error(400, "Bad Request", "Keywords are not supported for Nova-3"))
    if wanted.get("diarize_model", ["latest"])[0] not in {"latest", "v1", "v2"}:
        raise Refused(_error(400, "Bad Request", "diarize_model"))
    return wanted


def _json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def _error(status: int, code: str, message: str, **headers: str) -> Answer:
    return _json({"err_code": code, "err_msg": message, "request_id": REQUEST_ID}, status, **headers)


def _newer_error(status: int, category: str, message: str) -> Answer:
    """The shape of Deepgram's newer error answers."""
    told = {"category": category, "message": message, "details": "dg-secret detail", "request_id": REQUEST_ID}
    return _json(told, status)


_FAULTS: dict[str | None, Answer] = {
    "throttled": _error(429, "TOO_MANY_REQUESTS", "Too many requests.", **{"Retry-After": "7"}),
    "throttled_for_unknown_time": _error(429, "TOO_MANY_REQUESTS", "Too many requests."),
    "throttled_as_400": _error(400, "TOO_MANY_REQUESTS", "Too many requests."),
    "no_quota": _error(402, "ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    "not_let_in": _newer_error(403, "INSUFFICIENT_PERMISSIONS", "User does not have sufficient permissions."),
    "broken": _newer_error(504, "SLOW_UPLOAD", "Gateway timeout"),
    "failed_in_200": _json({"err_code": "Bad Request", "err_msg": "failed to process audio", "request_id": REQUEST_ID}),
}
