"""Amazon Polly as engines, one for each family of voices: they differ in voices, tags and price.

boto3 signs and reads; the request itself goes out through egress. Nothing is loaded or called before the first part.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from speech.engines import markup, provider_calls
from speech.engines.polly_marks import marks_in
from speech.engines.polly_voices import VOICES, Family, PollyVoice
from speech.engines.ports import ReportedUnits
from speech.engines.provider_calls import ProviderClient
from speech.engines.providers import PollySettings
from speech.engines.speaking import Count, Mark, SpeakingCapabilities, SpokenPart, Tick, Timing, Voice
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.ssml import TAGS

if TYPE_CHECKING:
    import httpx
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.exceptions import ClientError

PROVIDER: Final = "Amazon Polly"
RATE_HZ: Final = 16_000  # the higher of the two that Polly has for plain samples
MAX_CHARACTERS: Final = 3_000  # billed ones, so without tags
MAX_SENT_CHARACTERS: Final = 6_000  # with them, and with each & as &amp;
CHUNK_BYTES: Final = 16_384
SPEEDS_PERMILLE: Final = (250, 2000)
# The usual family bears the provider's own name.
NAMES: Final[dict[Family, str]] = {
    "neural": "polly", "standard": "polly-standard", "generative": "polly-generative", "long-form": "polly-long-form",
}  # fmt: skip
_RTFX: Final[dict[Family, float]] = {"neural": 20.0, "standard": 40.0, "generative": 8.0, "long-form": 8.0}
_UNKNOWN_TAGS: Final = frozenset({"voice"})  # Polly has no such tag
_STANDARD_ONLY: Final = frozenset({"emphasis"})

# By code and never by status: throttling is a 400 here.
_BUSY: Final = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
_BROKEN: Final = frozenset(
    {"ServiceFailureException", "ServiceFailure", "InternalFailure", "InternalServerError", "ServiceUnavailable",
     "ServiceUnavailableException", "RequestTimeout"}
)  # fmt: skip
_NOT_LET_IN: Final = frozenset(
    {"UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "SignatureDoesNotMatch",
     "AccessDeniedException", "AccessDenied", "ExpiredTokenException", "ExpiredToken", "IncompleteSignature",
     "MissingAuthenticationToken", "MissingAuthenticationTokenException", "OptInRequired"}
)  # fmt: skip
_REFUSED: Final = {
    "TextLengthExceededException": ("text_too_long", "takes no text of this length"),
    "InvalidSsmlException": ("ssml_invalid", "cannot follow this SSML"),
    "EngineNotSupportedException": ("voice_unavailable", "does not have this voice in the configured region"),
    "LanguageNotSupportedException": ("voice_unavailable", "does not have this voice in this language"),
}


class Polly:
    """One family of Polly's voices in one region."""

    def __init__(self, settings: PollySettings, *, family: Family) -> None:
        self._settings = settings
        self._family = family
        self._http = ProviderClient(settings.url)
        self._lock = threading.Lock()
        self._made: Any = None
        self.capabilities = SpeakingCapabilities(
            name=NAMES[family],
            max_characters=MAX_CHARACTERS,
            ssml_tags=TAGS - _UNKNOWN_TAGS - (frozenset() if family == "standard" else _STANDARD_ONLY),
            quality="production",
            rtfx=_RTFX[family],
            executor=f"cloud:polly:{settings.region}",
            speeds_permille=SPEEDS_PERMILLE,
            timings=frozenset() if family == "generative" else frozenset({"word", "sentence"}),
            pays_for_marks=True,
        )

    def voices(self) -> tuple[Voice, ...]:
        return tuple(
            Voice(self.capabilities.name, one.name, one.languages, one.gender, RATE_HZ)
            for one in VOICES
            if self._family in one.families
        )

    def speak(self, part: SpokenPart, *, on_tick: Tick | None = None, on_units: Count | None = None) -> Iterator[bytes]:
        """Samples as Polly sends them."""
        if not part.text.strip():
            return
        wanted = {"OutputFormat": "pcm", "SampleRate": str(RATE_HZ)}
        with _own_errors():
            answer = self._client().synthesize_speech(**self._request(part), **wanted)
        _count(answer, on_units)
        with contextlib.closing(answer["AudioStream"]) as stream:
            provider_calls.require_audio(answer.get("ContentType"), provider=PROVIDER)
            with _own_errors():
                yield from provider_calls.samples(iter(lambda: stream.read(CHUNK_BYTES), b""), on_tick=on_tick)

    def takes(self, part: SpokenPart) -> bool:
        """Two limits: of what is billed and of what is sent."""
        sent, text_type = _text(part)
        billed = markup.without_tags(sent) if text_type == "ssml" else sent
        return len(billed) <= MAX_CHARACTERS and len(sent) <= MAX_SENT_CHARACTERS

    def marks(
        self, part: SpokenPart, *, kind: Timing, on_tick: Tick | None = None, on_units: Count | None = None
    ) -> list[Mark]:
        """Speech marks: a request of its own, which Polly bills like the speech."""
        if not part.text.strip():
            return []
        request = self._request(part)
        with _own_errors():
            answer = self._client().synthesize_speech(**request, OutputFormat="json", SpeechMarkTypes=[kind])
        _count(answer, on_units)
        with contextlib.closing(answer["AudioStream"]) as stream, _own_errors():
            lines = b"".join(provider_calls.pieces(iter(lambda: stream.read(CHUNK_BYTES), b""), on_tick=on_tick))
        return marks_in(lines, part=part, document=request["Text"], is_markup=request["TextType"] == "ssml")

    def close(self) -> None:
        self._http.close()

    def _request(self, part: SpokenPart) -> dict[str, str]:
        voice = next(one for one in VOICES if one.name == part.voice.name)
        text, text_type = _text(part)
        request = {
            "Engine": self._family, "Text": text, "TextType": text_type, "VoiceId": voice.name,
        }  # fmt: skip
        return request | _language(voice, part.language)

    def _client(self) -> Any:
        with self._lock:  # building a client is not safe in two threads at once; using it is
            if self._made is None:
                self._made = _build(self._settings)
                self._made.meta.events.register("before-send.polly", self._send)
            return self._made

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """The signed request through egress instead of botocore's own connections."""
        headers = {name: _plain(value) for name, value in request.headers.items() if name.lower() != "content-length"}
        return _answer(self._http.post(request.url, headers=headers, content=_body(request)))


def _count(answer: Any, on_units: Count | None) -> None:
    """The characters that AWS bills, as it says itself."""
    if on_units is not None and answer.get("RequestCharacters") is not None:
        on_units(ReportedUnits("characters", int(answer["RequestCharacters"])))


class _Raw:
    """The part of a urllib3 answer that botocore reads."""

    def __init__(self, pieces: Iterator[bytes], *, response: httpx.Response) -> None:
        self._pieces = pieces
        self._response = response

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        return self._pieces

    def read(self, _amount: int | None = None) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        self._response.close()


def _text(part: SpokenPart) -> tuple[str, str]:
    """The text and its type; another speed than the voice's own can be said in SSML only."""
    faster = [("prosody", {"rate": f"{part.speed_permille / 10:g}%"})] if part.speed_permille != 1000 else []
    if not part.is_ssml and not faster:
        return part.text, "text"
    return markup.document(part.text, is_ssml=part.is_ssml, around=[("speak", {}), *faster]), "ssml"


def _language(voice: PollyVoice, language: str) -> dict[str, str]:
    code = voice.code_for(language)
    return {"LanguageCode": code} if code else {}


def _build(settings: PollySettings) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        "polly",
        region_name=settings.region,
        endpoint_url=settings.url,
        aws_access_key_id=settings.access_key_id or None,
        aws_secret_access_key=settings.secret_access_key or None,
        aws_session_token=settings.session_token or None,
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),  # trying again is the queue's business
    )


def _answer(response: httpx.Response) -> AWSResponse:
    from botocore.awsrequest import AWSResponse

    failed = response.status_code >= 300
    pieces = iter([provider_calls.error_body(response)]) if failed else response.iter_raw()
    raw = _Raw(pieces, response=response)
    headers: Any = dict(response.headers)  # any mapping will do, whatever its annotation says
    return AWSResponse(str(response.url), response.status_code, headers, raw)


def _body(request: AWSPreparedRequest) -> bytes:
    body = request.body
    assert isinstance(body, (bytes, bytearray)), "Polly takes JSON"
    return bytes(body)


def _plain(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@contextlib.contextmanager
def _own_errors() -> Iterator[None]:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
    )
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _classified(error) from None
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError):
        raise provider_calls.not_let_in(PROVIDER) from None
    except ResponseParserError:
        raise provider_calls.broken(PROVIDER) from None
    except BotoCoreError as error:
        if type(error).__name__ == "IncompleteReadError":
            raise provider_calls.cut_short() from None
        raise provider_calls.refused(PROVIDER) from None


def _classified(error: ClientError) -> SpeakFailed:
    code = error.response["Error"]["Code"]
    if code in _BUSY:
        return provider_calls.busy(PROVIDER)
    if code in _NOT_LET_IN:
        return provider_calls.not_let_in(PROVIDER)
    if code == "ServiceQuotaExceededException":
        return provider_calls.out_of_quota(PROVIDER)
    if code in _REFUSED:
        ours, why = _REFUSED[code]
        return provider_calls.refused(PROVIDER, code=ours, why=why)
    # A code that is not known here: only then the status says whose fault it was.
    if code in _BROKEN or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return provider_calls.broken(PROVIDER)
    return provider_calls.refused(PROVIDER)
