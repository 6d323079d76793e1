"""Parlance: three lines from a recording to its text.

from parlance import Parlance

client = Parlance()  # PARLANCE_API_KEY, PARLANCE_API_URL
print(client.transcribe("call.wav").text)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from httpx import Timeout

from parlance import models, webhooks
from parlance._bill import count_characters
from parlance._call import OMIT, Omit, RequestOptions
from parlance._captured import RawResponse
from parlance._errors import (
    ApiError,
    AuthenticationFailed,
    BadRequest,
    ClientClosed,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    FieldError,
    InvalidRequest,
    JobCanceled,
    JobFailed,
    JobNotCompleted,
    NotFound,
    OutputFailed,
    ParlanceError,
    PaymentRequired,
    PermissionDenied,
    RateLimited,
    RequestTimedOut,
    ServerFault,
    UnexpectedAnswer,
    UploadFailed,
    WaitTimedOut,
    WebhookVerificationError,
)
from parlance._generated.params import SpeechOptions, TranscriptionOptions
from parlance._generated.version import API_VERSION
from parlance._page import Page
from parlance._settings import SDK_VERSION
from parlance._sources import Progress, Source
from parlance._sse import ServerEvent
from parlance._statement import BillError, RecomputedStatement, recompute_statement
from parlance._sync.client import Parlance
from parlance._sync.pages import Pager
from parlance._sync.results import SpokenAudio, TranscriptionResult
from parlance._sync.speaking import SpeechStream
from parlance._sync.streams import ByteStream, EventStream

if TYPE_CHECKING:
    from parlance._async.client import AsyncParlance
    from parlance._async.pages import AsyncPager
    from parlance._async.results import AsyncSpokenAudio, AsyncTranscriptionResult
    from parlance._async.speaking import AsyncSpeechStream
    from parlance._async.streams import AsyncByteStream, AsyncEventStream

__version__ = SDK_VERSION

# Programs are either sync or async: the async half is imported when it is first asked for.
_ASYNC = {
    "AsyncByteStream": "streams",
    "AsyncEventStream": "streams",
    "AsyncPager": "pages",
    "AsyncParlance": "client",
    "AsyncSpeechStream": "speaking",
    "AsyncSpokenAudio": "results",
    "AsyncTranscriptionResult": "results",
}


def __getattr__(name: str) -> Any:
    if name not in _ASYNC:
        raise AttributeError(f"module 'parlance' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"parlance._async.{_ASYNC[name]}"), name)


__all__ = [
    "API_VERSION",
    "OMIT",
    "ApiError",
    "AsyncByteStream",
    "AsyncEventStream",
    "AsyncPager",
    "AsyncParlance",
    "AsyncSpeechStream",
    "AsyncSpokenAudio",
    "AsyncTranscriptionResult",
    "AuthenticationFailed",
    "BadRequest",
    "BillError",
    "ByteStream",
    "ClientClosed",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "EventStream",
    "FieldError",
    "InvalidRequest",
    "JobCanceled",
    "JobFailed",
    "JobNotCompleted",
    "NotFound",
    "Omit",
    "OutputFailed",
    "Page",
    "Pager",
    "Parlance",
    "ParlanceError",
    "PaymentRequired",
    "PermissionDenied",
    "Progress",
    "RateLimited",
    "RawResponse",
    "RecomputedStatement",
    "RequestOptions",
    "RequestTimedOut",
    "ServerEvent",
    "ServerFault",
    "Source",
    "SpeechOptions",
    "SpeechStream",
    "SpokenAudio",
    "Timeout",
    "TranscriptionOptions",
    "TranscriptionResult",
    "UnexpectedAnswer",
    "UploadFailed",
    "WaitTimedOut",
    "WebhookVerificationError",
    "__version__",
    "count_characters",
    "models",
    "recompute_statement",
    "webhooks",
]
