"""Upload, order, ask again. A callback only says that it is done; the text is always asked for."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from speech.audio.pcm import PcmRange
from speech.engines import foreign, hearing_calls
from speech.engines.assemblyai import answers, orders
from speech.engines.errors import CallbackRefused, EngineError, ErrorKind
from speech.engines.hearing_calls import Answer, HearingClient
from speech.engines.ports import Callback, Capabilities, EngineRequest, Heard, Pending, Tick
from speech.engines.providers import AssemblyAiSettings
from speech.engines.sending import audio_file

PROVIDER: Final = "AssemblyAI"
PROOF_HEADER: Final = "X-Parlance-Callback"
POLL_AFTER_S: Final = 3.0  # as its own SDK does
MAX_PART_MS: Final = 10 * 3_600_000
MAX_PART_BYTES: Final = 2_200_000_000


class AssemblyAi:
    """One account in one region."""

    def __init__(self, settings: AssemblyAiSettings) -> None:
        self._settings = settings
        self._http = HearingClient(settings.url, provider=PROVIDER)
        self.capabilities = Capabilities(
            name="assemblyai", languages=orders.LANGUAGES, features=orders.FEATURES, max_part_ms=MAX_PART_MS,
            max_part_bytes=MAX_PART_BYTES, quality="production", rtfx=20.0, models=orders.MODELS,
            executor=f"cloud:assemblyai:{settings.region}", polls=True, calls_back=True,
            model_features=orders.MODEL_FEATURES,
        )  # fmt: skip

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        """Always a Pending: AssemblyAI works on it by itself from here on."""
        order = orders.order_of(request)
        order["audio_url"] = self._upload(pcm, on_tick=on_tick)
        if callback is not None:
            order |= {
                "webhook_url": callback.url, "webhook_auth_header_name": PROOF_HEADER,
                "webhook_auth_header_value": callback.secret,
            }  # fmt: skip
        headers = {"Content-Type": "application/json"}
        told = self._told("POST", "/v2/transcript", headers=headers, content=json.dumps(order).encode())
        with foreign.reading(PROVIDER):
            return Pending(_id(told["id"]), POLL_AFTER_S)

    def poll(self, external_id: str, *, request: EngineRequest) -> Heard | Pending:
        """The transcript once it is done."""
        answer = self._call("GET", f"/v2/transcript/{_checked(external_id)}")
        with foreign.reading(PROVIDER):
            told = foreign.parse(answer.body)
            if told["id"] != external_id:
                raise ValueError("another transcript")
            status = told["status"]
            if status in {"queued", "processing"}:
                return Pending(external_id, POLL_AFTER_S)
            if status == "completed":
                return answers.heard(told, raw=answer.body, request=request)
            if status != "error":
                raise ValueError("an unknown status")
            if answers.is_silence(told):
                return answers.nothing(external_id, raw=answer.body, request=request)
        raise failed(told)

    def read_callback(
        self,
        *,
        headers: Mapping[str, str],
        body: bytes,
        callback: Callback,
        external_id: str,
        request: EngineRequest,
    ) -> Heard | Pending:
        """That it is done; the header that we asked for proves who says so."""
        proof = headers.get(PROOF_HEADER.lower(), "")
        if not hmac.compare_digest(proof.encode(), callback.secret.encode()):
            raise CallbackRefused
        try:
            told = foreign.parse(body)
            about, status = told["transcript_id"], told["status"]
        except foreign.UNUSABLE:
            raise CallbackRefused from None
        if about != external_id or status not in {"completed", "error"}:
            raise CallbackRefused
        return Pending(external_id, 0)

    def check_credentials(self) -> None:
        """Lists one transcript."""
        with foreign.reading(PROVIDER):
            foreign.parse(self._call("GET", "/v2/transcript?limit=1").body)["transcripts"]

    def close(self) -> None:
        self._http.close()

    def _upload(self, pcm: PcmRange, *, on_tick: Tick | None) -> str:
        with audio_file(pcm, on_tick=on_tick) as audio:
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(audio.size_bytes)}
            told = self._told(
                "POST", "/v2/upload", headers=headers, content=audio.chunks(on_tick=on_tick),
                wait_s=hearing_calls.wait_for(pcm), on_tick=on_tick,
            )  # fmt: skip
        with foreign.reading(PROVIDER):
            return foreign.text(told["upload_url"])

    def _told(self, method: str, path: str, **call: Any) -> dict[str, Any]:
        answer = self._call(method, path, **call)
        with foreign.reading(PROVIDER):
            return foreign.parse(answer.body)

    def _call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **call: Any) -> Answer:
        sent = {"Authorization": self._settings.api_key, **(headers or {})}
        answer = self._http.call(method, path, headers=sent, **call)
        if answer.status != 200:
            raise classify(answer)
        return answer


def classify(answer: Answer) -> EngineError:
    """An error answer as ours. AssemblyAI has no codes: by status, and by the sentences that mean money."""
    told = answer.told()
    sentence = str(told.get("error", "")).lower() if isinstance(told, dict) else ""
    if "balance" in sentence or "top up" in sentence:
        return hearing_calls.failure(PROVIDER, "quota")
    if answer.status == 403 and "uploaded file" in sentence:
        return hearing_calls.failure(PROVIDER, "transient")  # a key was changed between upload and order
    kind: ErrorKind = "transient" if answer.status == 404 else hearing_calls.kind_of_status(answer.status)
    if "too many requests" in sentence:
        kind = "rate_limited"  # whatever its status
    return hearing_calls.failure(PROVIDER, kind, retry_after_s=answer.retry_after_s)


def failed(told: dict[str, Any]) -> EngineError:
    """A transcript that ended as an error, inside an answer of status 200. Failed ones are not charged.

    >>> failed({"error": "Audio duration is too short."}).kind, failed({"error": "Server error"}).kind
    ('invalid_input', 'transient')
    """
    sentence = str(told.get("error", "")).lower()
    if "server error" in sentence or "internal" in sentence or "try again" in sentence:
        return hearing_calls.failure(PROVIDER, "transient")
    if "language" in sentence or "model" in sentence:
        return hearing_calls.failure(PROVIDER, "unsupported")
    # Of the audio, too: it was decoded here and is sound, so another engine may well hear it.
    return hearing_calls.failure(PROVIDER, "invalid_input")


def _id(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", value):
        raise ValueError("no id")
    return value


def _checked(external_id: str) -> str:
    """An id goes into a path."""
    with foreign.reading(PROVIDER):
        return _id(external_id)
