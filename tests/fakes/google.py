"""Google Cloud Speech-to-Text v2's recognize and Google's token endpoint on loopback.

What it must hold are the messages of `google.cloud.speech.v2` in their JSON form (camelCase, durations like "1.2s").
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.fakes.hearing import Said, audio_ms, said_in, text_of
from tests.fakes.provider import Answer, Asked, FakeProvider, Fault, Refused

# Every name of the messages that a request may hold; a test compares them with the published ones.
MESSAGES: dict[str, dict[str, str]] = {
    "RecognizeRequest": {"recognizer": "", "config": "RecognitionConfig", "configMask": "", "content": "", "uri": ""},
    "RecognitionConfig": {
        "autoDecodingConfig": "AutoDetectDecodingConfig", "explicitDecodingConfig": "ExplicitDecodingConfig",
        "model": "", "languageCodes": "", "features": "RecognitionFeatures", "adaptation": "SpeechAdaptation",
        "transcriptNormalization": "TranscriptNormalization", "translationConfig": "TranslationConfig",
        "denoiserConfig": "DenoiserConfig",
    },
    "AutoDetectDecodingConfig": {},
    "ExplicitDecodingConfig": {"encoding": "", "sampleRateHertz": "", "audioChannelCount": ""},
    "RecognitionFeatures": {
        "profanityFilter": "", "enableWordTimeOffsets": "", "enableWordConfidence": "",
        "enableAutomaticPunctuation": "", "enableSpokenPunctuation": "", "enableSpokenEmojis": "",
        "multiChannelMode": "", "diarizationConfig": "SpeakerDiarizationConfig", "maxAlternatives": "",
        "customPromptConfig": "CustomPromptConfig",
    },
    "SpeakerDiarizationConfig": {"minSpeakerCount": "", "maxSpeakerCount": ""},
    "SpeechAdaptation": {"phraseSets": "AdaptationPhraseSet", "customClasses": ""},
    "AdaptationPhraseSet": {"phraseSet": "", "inlinePhraseSet": "InlinePhraseSet"},
    "InlinePhraseSet": {"phrases": "Phrase", "boost": "", "displayName": ""},
    "Phrase": {"value": "", "boost": ""},
    "CustomPromptConfig": {"customPrompt": ""},
    "TranslationConfig": {"targetLanguage": ""},
    "TranscriptNormalization": {"entries": ""},
    "DenoiserConfig": {"denoiseAudio": "", "snrThreshold": ""},
}  # fmt: skip
MODELS = {"chirp_3", "chirp_2", "latest_long", "latest_short", "telephony", "long", "short"}
MAX_MS, MAX_BYTES = 60_000, 10_000_000
AUDIENCE = "https://oauth2.googleapis.com/token"  # Google's own client names it even when it asks elsewhere
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@lru_cache(maxsize=1)
def _private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class FakeGoogle(FakeProvider):
    """One project; `account` is the file of a service account that is let in."""

    PROJECT = "example-project"
    EMAIL = "speech@example-project.iam.gserviceaccount.com"

    def __init__(self) -> None:
        super().__init__()
        self.tokens: dict[str, float] = {}
        self.lives_s = 3600.0
        self.tamper: Any = lambda answer: answer

    def account(self, **changed: str) -> str:
        """The service account's JSON file."""
        key = _private_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        told = {
            "type": "service_account", "project_id": self.PROJECT, "private_key_id": "key-1",
            "private_key": key.decode(), "client_email": self.EMAIL, "token_uri": f"{self.url}/token",
        }  # fmt: skip
        return json.dumps(told | changed)

    def respond(self, asked: Asked, *, fault: Fault | None) -> Answer:
        if asked.path == "/token" and fault not in _FAULTS:
            return self._token(asked)
        if fault in _FAULTS:
            raise Refused(_FAULTS[fault])
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) < time.monotonic():
            raise Refused(_error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."))
        place = re.fullmatch(r"/v2/projects/([a-z0-9-]+)/locations/([a-z0-9-]+)/recognizers(/_:recognize)?", asked.path)
        if place is None:
            raise Refused(_error(404, "NOT_FOUND", "Requested entity was not found."))
        if place[1] != self.PROJECT:
            raise Refused(_error(403, "PERMISSION_DENIED", "Permission denied on resource project secret-project."))
        if not place[3]:
            return _json({"recognizers": []})
        return _json(self.tamper(self._recognized(asked)))

    def _token(self, asked: Asked) -> Answer:
        """The exchange of a signed assertion (RFC 7523), as Google's guide for service accounts has it."""
        form = parse_qs(asked.body.decode())
        if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
            raise Refused(_json({"error": "unsupported_grant_type"}, 400))
        if not self._is_signed(form.get("assertion", [""])[0]):
            refusal = {"error": "invalid_grant", "error_description": "Invalid JWT Signature: secret-key."}
            raise Refused(_json(refusal, 400))
        token = f"ya29.example-{len(self.tokens)}"
        self.tokens[token] = time.monotonic() + self.lives_s
        return _json({"access_token": token, "expires_in": int(self.lives_s), "token_type": "Bearer"})

    def _is_signed(self, assertion: str) -> bool:
        try:
            head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in assertion.split("."))
            signed = assertion.rpartition(".")[0].encode()
            _private_key().public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        told, claimed = json.loads(head), json.loads(claims)
        now = time.time()
        is_timely = claimed["iat"] <= now + 60 and now < claimed["exp"] <= claimed["iat"] + 3600
        right = (self.EMAIL, SCOPE, AUDIENCE)
        return is_timely and told["alg"] == "RS256" and (claimed["iss"], claimed["scope"], claimed["aud"]) == right

    def _recognized(self, asked: Asked) -> dict[str, Any]:
        wanted = _wanted(asked)
        try:
            body = base64.b64decode(wanted["content"], validate=True)
        except (binascii.Error, KeyError):
            raise Refused(_invalid("content must be base64")) from None
        duration_ms = audio_ms(body)
        if duration_ms is None:
            raise Refused(_invalid("Audio data does not appear to be in a supported encoding."))
        if duration_ms > MAX_MS:
            raise Refused(_invalid("Audio too long: audio longer than 1 minute must use batchRecognize."))
        if len(body) > MAX_BYTES:
            raise Refused(_invalid("Request payload size exceeds the limit: 10485760 bytes."))
        return _answer(wanted["config"], duration_ms=duration_ms)


def _answer(config: dict[str, Any], *, duration_ms: int) -> dict[str, Any]:
    features, said = config.get("features", {}), said_in(duration_ms)
    words = [_word(word, features=features) for word in said]
    alternative = {"transcript": text_of(said), "confidence": 0.93, "words": words}
    code = config["languageCodes"][0]
    result = {
        "alternatives": [alternative], "resultEndOffset": _seconds(duration_ms),
        "languageCode": "en-us" if code == "auto" else code.lower(),
    }  # fmt: skip
    return {
        "results": [result] if said else [],
        "metadata": {"totalBilledDuration": _seconds(-(-duration_ms // 1000) * 1000), "requestId": "req-1"},
    }


def _word(word: Said, *, features: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"word": word.text}
    if features.get("enableWordTimeOffsets"):
        # As protobuf's JSON does it: zero is left out.
        told |= {"startOffset": _seconds(word.start_ms)} if word.start_ms else {}
        told |= {"endOffset": _seconds(word.end_ms)}
    if features.get("enableWordConfidence"):
        told["confidence"] = word.confidence
    if "diarizationConfig" in features:
        told["speakerLabel"] = str(word.speaker + 1)
    return told


def _seconds(milliseconds: int) -> str:
    """A duration as protobuf's JSON writes it.

    >>> _seconds(1200), _seconds(3000)
    ('1.200s', '3s')
    """
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03d}s" if rest else f"{whole}s"


def _wanted(asked: Asked) -> dict[str, Any]:
    try:
        wanted: dict[str, Any] = asked.json()
    except ValueError:
        raise Refused(_invalid("Invalid JSON payload received.")) from None
    if asked.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(_invalid("Content-Type"))
    unknown = _unknown(wanted, "RecognizeRequest")
    if unknown:
        raise Refused(_invalid(f'Invalid JSON payload received. Unknown name "{unknown}": Cannot find field.'))
    config = wanted.get("config", {})
    if "autoDecodingConfig" not in config and "explicitDecodingConfig" not in config:
        raise Refused(_invalid("Config must have a decoding_config"))
    if not config.get("languageCodes") or config.get("model") not in MODELS:
        raise Refused(_invalid("Config needs language_codes and a known model"))
    return wanted


def _unknown(value: dict[str, Any], message: str) -> str:
    """The first name that the message does not have; a list holds messages of one kind."""
    fields = MESSAGES[message]
    for name, inner in value.items():
        if name not in fields:
            return name
        if not fields[name]:
            continue
        for each in inner if isinstance(inner, list) else [inner]:
            if found := _unknown(each, fields[name]):
                return found
    return ""


def _json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=UTF-8", **headers})


def _error(status: int, name: str, message: str, **headers: str) -> Answer:
    """google.rpc.Status in its JSON form."""
    return _json({"error": {"code": status, "message": message, "status": name}}, status, **headers)


def _invalid(message: str) -> Answer:
    return _error(400, "INVALID_ARGUMENT", message)


_FAULTS: dict[str | None, Answer] = {
    "throttled": _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded per minute", **{"Retry-After": "7"}),
    "throttled_for_unknown_time": _error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted"),
    "throttled_as_400": _error(400, "RESOURCE_EXHAUSTED", "Resource has been exhausted"),
    "no_quota": _error(403, "PERMISSION_DENIED", "This API method requires billing to be enabled."),
    "not_let_in": _error(403, "PERMISSION_DENIED", "Permission 'speech.recognizers.recognize' denied"),
    "broken": _error(503, "UNAVAILABLE", "The service is currently unavailable."),
    "failed_in_200": _json({"error": {"code": 13, "message": "internal", "status": "INTERNAL"}}),
}
