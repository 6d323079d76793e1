"""AssemblyAI's upload and transcripts on loopback, as strict as its published OpenAPI document."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.hearing import Said, audio_ms, said_in, text_of, turns
from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused

# Every name that POST /v2/transcript knows; a test compares it with the document.
FIELDS = {
    "audio_end_at", "audio_start_from", "audio_url", "auto_chapters", "auto_highlights", "content_safety",
    "content_safety_confidence", "custom_spelling", "custom_topics", "disfluencies", "entity_detection",
    "filter_profanity", "format_text", "iab_categories", "keyterms_prompt", "language_code", "language_codes",
    "language_confidence_threshold", "language_detection", "language_detection_options", "multichannel", "prompt",
    "punctuate", "redact_pii", "redact_pii_audio", "redact_pii_audio_options", "redact_pii_audio_quality",
    "redact_pii_policies", "redact_pii_sub", "remove_audio_tags", "sentiment_analysis", "speaker_labels",
    "speaker_options", "speakers_expected", "speech_model", "speech_models", "speech_threshold",
    "speech_understanding", "summarization", "summary_model", "summary_type", "temperature", "topics",
    "webhook_auth_header_name", "webhook_auth_header_value", "webhook_url",
}  # fmt: skip
MODELS = {"assemblyai-stt-3-7", "universal-3-5-pro", "universal-2"}
RETIRED = {"universal-3-pro"}  # pinned, it is refused since 2026-09-02
MAX_TERMS = {"universal-2": 200}
POLICIES = {
    "account_number", "banking_information", "blood_type", "credit_card_cvv", "credit_card_expiration",
    "credit_card_number", "date", "date_interval", "date_of_birth", "drivers_license", "drug", "duration",
    "email_address", "event", "filename", "gender_sexuality", "healthcare_number", "injury", "ip_address", "language",
    "location", "marital_status", "medical_condition", "medical_process", "money_amount", "nationality",
    "number_sequence", "occupation", "organization", "passport_number", "password", "person_age", "person_name",
    "phone_number", "physical_attribute", "political_affiliation", "religion", "statistics", "time", "url",
    "us_social_security_number", "username", "vehicle_id", "zodiac_sign",
}  # fmt: skip


@dataclass
class Work:
    """One transcript: what was wanted, and how often it was asked for."""

    id: str
    wanted: dict[str, Any]
    duration_ms: int
    asked: int = 0


class FakeAssemblyAi(FakeProvider):
    """`KEY` is let in; work takes `polls` questions; callbacks go out `callbacks` times."""

    KEY = "aai-example"

    def __init__(self) -> None:
        super().__init__()
        self.polls = 1
        self.callbacks = 1
        self.uploads: dict[str, bytes] = {}
        self.works: dict[str, Work] = {}
        self.tamper: Any = lambda answer: answer

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.headers.get("authorization") != self.KEY or fault == "not_let_in":
            raise Refused(_error(401, "Authentication error, API token missing/invalid"))
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        if asked.method == "POST" and asked.path == "/v2/upload":
            return self._upload(asked)
        if asked.method == "POST" and asked.path == "/v2/transcript":
            return self._begin(asked)
        if asked.method == "GET" and asked.path == "/v2/transcript":
            return self._list(asked)
        return self._one(asked, failed=fault == "failed_in_200")

    def _upload(self, asked: Asked) -> Answer:
        if asked.headers.get("content-type", "application/octet-stream") != "application/octet-stream":
            raise Refused(_error(422, "Upload takes raw bytes"))
        if not asked.body:
            raise Refused(_error(422, "Upload failed, please try again. If you continue to have issues, contact us"))
        address = f"https://cdn.assemblyai.com/upload/{len(self.uploads)}"
        self.uploads[address] = asked.body
        return _json(self.tamper({"upload_url": address}))

    def _begin(self, asked: Asked) -> Answer:
        wanted = _wanted(asked)
        if wanted["audio_url"] not in self.uploads:
            raise Refused(_error(403, "Cannot access uploaded file"))
        duration_ms = audio_ms(self.uploads[wanted["audio_url"]])
        work = Work(f"{len(self.works):08d}-aaaa", wanted, duration_ms or 0)
        self.works[work.id] = work
        if wanted.get("webhook_url") and self.callbacks:
            self.later(lambda: self.call_back(work.id))
        return _json(self.tamper(self._told(work, "queued")))

    def call_back(self, work_id: str, *, status: str = "completed") -> None:
        """Send the notification as often as was set."""
        work = self.works[work_id]
        work.asked = self.polls + 1
        body = json.dumps({"transcript_id": work.id, "status": status}).encode()
        headers = {"Content-Type": "application/json"}
        if name := work.wanted.get("webhook_auth_header_name"):
            headers[name] = work.wanted["webhook_auth_header_value"]
        for _ in range(self.callbacks):
            request = urllib.request.Request(work.wanted["webhook_url"], data=body, headers=headers)
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()

    def _list(self, asked: Asked) -> Answer:
        limit = int(parse_qs(asked.query).get("limit", ["10"])[0])
        if not 1 <= limit <= 200:
            raise Refused(_error(400, "limit must be between 1 and 200"))
        page = {
            "limit": limit, "result_count": 0, "current_url": f"{self.url}/v2/transcript?limit={limit}",
            "prev_url": None, "next_url": None,
        }  # fmt: skip
        return _json({"page_details": page, "transcripts": []})

    def _one(self, asked: Asked, *, failed: bool) -> Answer:
        prefix, _, work_id = asked.path.rpartition("/")
        work = self.works.get(work_id)
        if prefix != "/v2/transcript" or work is None:
            raise Refused(_error(404, "Not found"))
        if asked.method == "DELETE":
            del self.works[work_id]
            return _json(self._told(work, "completed") | {"text": "Deleted by user.", "words": None})
        work.asked += 1
        if failed:
            told = self._told(work, "error") | {"error": "Transcoding failed. File does not appear to contain audio."}
            return _json(self.tamper(told))
        status = "processing" if work.asked <= self.polls else "completed"
        return _json(self.tamper(self._told(work, status)))

    def _told(self, work: Work, status: str) -> dict[str, Any]:
        """The Transcript object with the fields that the document requires, and what was heard."""
        wanted = work.wanted
        told: dict[str, Any] = {
            "id": work.id, "status": status, "audio_url": wanted["audio_url"], "webhook_auth": False,
            "auto_highlights": False, "redact_pii": wanted.get("redact_pii", False), "summarization": False,
            "language_confidence_threshold": None, "language_confidence": None, "speech_model": None,
            "language_model": "assemblyai_default", "acoustic_model": "assemblyai_default",
            "language_code": wanted.get("language_code"), "speech_models": wanted["speech_models"],
            "text": None, "words": None, "utterances": None, "confidence": None, "audio_duration": None,
        }  # fmt: skip
        return told | self._heard(work) if status == "completed" else told

    def _heard(self, work: Work) -> dict[str, Any]:
        said = said_in(work.duration_ms)
        diarized = bool(work.wanted.get("speaker_labels"))
        detected = {"language_code": "en", "language_confidence": 0.97} if "language_code" not in work.wanted else {}
        return {
            "text": text_of(said), "words": [_word(word, diarized=diarized) for word in said], "confidence": 0.98,
            "audio_duration": round(work.duration_ms / 1000), "speech_model_used": work.wanted["speech_models"][0],
            "utterances": [_utterance(turn) for turn in turns(said)] if diarized else None, **detected,
        }  # fmt: skip


def _word(word: Said, *, diarized: bool) -> dict[str, Any]:
    return {
        "text": word.text, "start": word.start_ms, "end": word.end_ms, "confidence": word.confidence,
        "speaker": "AB"[word.speaker] if diarized else None,
    }  # fmt: skip


def _utterance(turn: list[Said]) -> dict[str, Any]:
    return {
        "text": text_of(turn), "start": turn[0].start_ms, "end": turn[-1].end_ms, "confidence": 0.98,
        "speaker": "AB"[turn[0].speaker], "words": [_word(word, diarized=True) for word in turn],
    }  # fmt: skip


def _wanted(asked: Asked) -> dict[str, Any]:
    wanted: dict[str, Any] = asked.json()
    unknown = set(wanted) - FIELDS
    if unknown:
        raise Refused(_error(400, f"Invalid endpoint schema: {sorted(unknown)}"))
    models = wanted.get("speech_models")
    if not wanted.get("audio_url") or not models or not isinstance(models, list):
        raise Refused(_error(400, "audio_url and speech_models are required"))
    if not set(models) <= MODELS:
        raise Refused(_error(400, "The requested speech model is not available"))
    if len(wanted.get("keyterms_prompt", [])) > min(MAX_TERMS.get(model, 1000) for model in models):
        raise Refused(_error(400, "keyterms_prompt has too many terms"))
    if any(len(term.split()) > 6 for term in wanted.get("keyterms_prompt", [])):
        raise Refused(_error(400, "a keyterm has more than 6 words"))
    if wanted.get("language_code") and wanted.get("language_detection"):
        raise Refused(_error(400, "language_code and language_detection exclude each other"))
    if not set(wanted.get("redact_pii_policies", [])) <= POLICIES:
        raise Refused(_error(400, "unknown redaction policy"))
    if wanted.get("redact_pii") and not wanted.get("redact_pii_policies"):
        raise Refused(_error(400, "redact_pii needs redact_pii_policies"))
    return wanted


def _json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def _error(status: int, message: str, **headers: str) -> Answer:
    return _json({"error": message}, status, **headers)


_FAULTS: dict[str | None, Answer] = {
    "throttled": _error(429, "Too Many Requests", **{"Retry-After": "7"}),
    "throttled_for_unknown_time": _error(429, "Too Many Requests"),
    "throttled_as_400": _error(400, "Too many requests, please retry later"),
    "no_quota": _error(400, "Your current account balance is negative. Please top up to continue using the API."),
    "broken": _error(500, "Internal Server Error"),
}
