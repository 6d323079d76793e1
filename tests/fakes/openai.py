"""OpenAI's POST /v1/audio/speech, /transcriptions and /translations, and GET /v1/models on loopback.

As strict as CreateSpeechRequest, CreateTranscriptionRequest and CreateTranslationRequest of the published document.
"""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.forms import parts_of
from tests.fakes.hearing import Said, audio_ms, said_in, text_of, turns
from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused, speech

VOICES = {
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar",
}  # fmt: skip
ONLY_NEWEST = {"ballad", "verse", "marin", "cedar"}
MODELS = {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"}
FIELDS = {"model", "input", "voice", "instructions", "response_format", "speed", "stream_format"}
FORMATS = {"mp3", "opus", "aac", "flac", "wav", "pcm"}
RATE_HZ = 24_000

# Every field of the two forms; a test compares them with the document. A list's name may end in [].
TRANSCRIPTION_FIELDS = {
    "file", "model", "language", "languages", "keywords", "prompt", "response_format", "temperature", "include",
    "timestamp_granularities", "stream", "chunking_strategy", "known_speaker_names", "known_speaker_references",
}  # fmt: skip
TRANSLATION_FIELDS = {"file", "model", "prompt", "response_format", "temperature"}
LISTS = {"languages", "keywords", "include", "timestamp_granularities"}
ENDINGS = (".flac", ".mp3", ".mp4", ".mpeg", ".mpga", ".m4a", ".ogg", ".wav", ".webm")
MAX_FILE_BYTES = 25 * 1024 * 1024
# What each model answers in, and the fields that only some take.
HEARING = {
    "gpt-transcribe": {"json"},
    "gpt-4o-transcribe": {"json", "text"},
    "gpt-4o-mini-transcribe": {"json", "text"},
    "gpt-4o-mini-transcribe-2025-12-15": {"json", "text"},
    "gpt-4o-transcribe-diarize": {"json", "text", "diarized_json"},
    "whisper-1": {"json", "text", "srt", "verbose_json", "vtt"},
}


class FakeOpenAi(FakeProvider):
    """`KEY` is let in."""

    KEY = "sk-example"

    def __init__(self) -> None:
        super().__init__()
        self.tamper: Any = lambda answer: answer

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {self.KEY}" or fault == "not_let_in":
            raise Refused(_error(401, "invalid_request_error", "invalid_api_key"))
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        if asked.method == "GET" and asked.path == "/v1/models":
            return _json({"object": "list", "data": [_model(name) for name in HEARING]})
        if asked.path in {"/v1/audio/transcriptions", "/v1/audio/translations"}:
            return _json(self.tamper(_heard(asked)), **{"x-request-id": "req_2"})
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
    if wanted["model"] == "gpt-4o-mini-tts" and len(wanted["input"].encode()) > 2_000:  # tokens, at their shortest
        raise Refused(_error(400, "invalid_request_error", "string_above_max_length"))
    if wanted.get("response_format", "mp3") not in FORMATS or not 0.25 <= wanted.get("speed", 1.0) <= 4:
        raise Refused(_error(400, "invalid_request_error", "invalid_value"))
    return wanted


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_700_000_000, "owned_by": "openai"}


def _heard(asked: Asked) -> dict[str, Any]:
    form, file = _form(asked)
    is_translation = asked.path.endswith("translations")
    unknown = set(form) - (TRANSLATION_FIELDS if is_translation else TRANSCRIPTION_FIELDS)
    if unknown:
        raise Refused(_error(400, "invalid_request_error", "unknown_parameter"))
    model, answer_form = form.get("model", [""])[0], form.get("response_format", ["json"])[0]
    if model not in HEARING or (is_translation and model != "whisper-1"):
        raise Refused(_error(404, "invalid_request_error", "model_not_found"))
    if answer_form not in HEARING[model] or not _fits(form, model=model, answer_form=answer_form):
        raise Refused(_error(400, "invalid_request_error", "unsupported_value"))
    duration_ms = audio_ms(file)
    if duration_ms is None:
        raise Refused(_error(400, "invalid_request_error", "audio_too_short"))
    if model == "gpt-4o-transcribe-diarize" and duration_ms > 30_000 and "chunking_strategy" not in form:
        raise Refused(_error(400, "invalid_request_error", "missing_required_parameter"))
    return _answer(form, duration_ms=duration_ms, model=model, answer_form=answer_form)


def _form(asked: Asked) -> tuple[dict[str, list[str]], bytes]:
    """The fields by their plain names, and the file, which has a name that tells its format."""
    parts = parts_of(asked)
    if parts is None:
        raise Refused(_error(400, "invalid_request_error", "invalid_content_type"))
    form: dict[str, list[str]] = {}
    for part in parts:
        form.setdefault(part.name.removesuffix("[]"), []).append("" if part.filename else part.body.decode())
    files = [part for part in parts if part.name == "file" and part.filename]
    if len(files) != 1 or not files[0].filename.endswith(ENDINGS):
        raise Refused(_error(400, "invalid_request_error", "unsupported_format"))
    if len(files[0].body) > MAX_FILE_BYTES:
        raise Refused(_error(413, "invalid_request_error", "content_too_large"))
    if any(len(values) > 1 for name, values in form.items() if name not in LISTS):
        raise Refused(_error(400, "invalid_request_error", "invalid_type"))
    return form, files[0].body


def _fits(form: dict[str, list[str]], *, model: str, answer_form: str) -> bool:
    """Whether the model takes these fields."""
    newest_only = {"languages", "keywords"} & set(form)
    return (
        (not newest_only or model == "gpt-transcribe")
        and ("timestamp_granularities" not in form or answer_form == "verbose_json")
        and ("prompt" not in form or model != "gpt-4o-transcribe-diarize")
        and ("language" not in form or len(form["language"][0]) == 2)
    )


def _answer(form: dict[str, list[str]], *, duration_ms: int, model: str, answer_form: str) -> dict[str, Any]:
    said = said_in(duration_ms)
    by_time = {"type": "duration", "seconds": -(-duration_ms // 1000)}
    if answer_form == "verbose_json":
        return _verbose(said, form, duration_ms=duration_ms) | {"usage": by_time}
    if answer_form == "diarized_json":
        segments = [_diarized(number, turn) for number, turn in enumerate(turns(said))]
        told = {"task": "transcribe", "duration": duration_ms / 1000, "text": text_of(said)}
        return told | {"segments": segments, "usage": by_time}
    tokens = {"type": "tokens", "input_tokens": duration_ms // 100, "output_tokens": len(said),
              "total_tokens": duration_ms // 100 + len(said)}  # fmt: skip
    told = {"text": text_of(said), "usage": tokens}
    return told | ({"languages": [{"code": "en"}]} if model == "gpt-transcribe" else {})


def _verbose(said: list[Said], form: dict[str, list[str]], *, duration_ms: int) -> dict[str, Any]:
    told: dict[str, Any] = {
        "task": "transcribe", "language": "english", "duration": duration_ms / 1000, "text": text_of(said),
        "segments": [_segment(number, turn) for number, turn in enumerate(turns(said))],
    }  # fmt: skip
    if "word" in form.get("timestamp_granularities", []):
        told["words"] = [
            {"word": word.text.strip(",."), "start": word.start_ms / 1000, "end": word.end_ms / 1000} for word in said
        ]
    return told


def _segment(number: int, turn: list[Said]) -> dict[str, Any]:
    return {
        "id": number, "seek": 0, "start": turn[0].start_ms / 1000, "end": turn[-1].end_ms / 1000,
        "text": f" {text_of(turn)}", "tokens": [1, 2], "temperature": 0.0, "avg_logprob": -0.2,
        "compression_ratio": 1.2, "no_speech_prob": 0.01,
    }  # fmt: skip


def _diarized(number: int, turn: list[Said]) -> dict[str, Any]:
    return {
        "type": "transcript.text.segment", "id": f"seg_{number}", "start": turn[0].start_ms / 1000,
        "end": turn[-1].end_ms / 1000, "text": text_of(turn), "speaker": "AB"[turn[0].speaker],
    }  # fmt: skip


def _json(value: Any, **headers: str) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def _error(status: int, kind: str, code: str | None, **headers: str) -> Answer:
    error = {"message": "Incorrect: sk-exa***ple", "type": kind, "param": None, "code": code}
    return Answer(status, json.dumps({"error": error}).encode(), {"Content-Type": "application/json", **headers})


_FAULTS: dict[str | None, Answer] = {
    "throttled": _error(429, "requests", "rate_limit_exceeded", **{"Retry-After": "1"}),
    "throttled_for_unknown_time": _error(429, "requests", "rate_limit_exceeded"),
    "throttled_as_400": _error(400, "requests", "rate_limit_exceeded"),
    "failed_in_200": Answer(
        200,
        b'{"error": {"message": "m", "type": "server_error", "param": null, "code": null}}',
        {"Content-Type": "application/json"},
    ),
    "no_quota": _error(429, "insufficient_quota", "insufficient_quota"),
    "broken": _error(500, "server_error", None),
}
