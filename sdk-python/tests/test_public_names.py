"""What a user imports stays; a new name is a decision that shows up here."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import parlance

PACKAGE = Path(parlance.__file__).parent
NAMES = """
API_VERSION ApiError AsyncByteStream AsyncEventStream AsyncPager AsyncParlance AsyncSpeechStream AsyncSpokenAudio
AsyncTranscriptionResult AuthenticationFailed BadRequest BillError ByteStream ClientClosed ConfigurationError Conflict
ConnectionFailed EventStream FieldError InvalidRequest JobCanceled JobFailed JobNotCompleted NotFound OMIT Omit
OutputFailed Page
Pager Parlance ParlanceError PaymentRequired PermissionDenied Progress RateLimited RawResponse RecomputedStatement
RequestOptions
RequestTimedOut ServerEvent ServerFault Source SpeechOptions SpeechStream SpokenAudio Timeout TranscriptionOptions
TranscriptionResult UnexpectedAnswer UploadFailed WaitTimedOut
WebhookVerificationError __version__ count_characters
models recompute_statement webhooks
"""
# What a program of today calls. New ones are welcome; one that goes is a break, and stops here.
METHODS = """
transcribe speak stream_speech upload wait api_keys.create api_keys.current api_keys.get api_keys.list api_keys.revoke
api_keys.rotate api_keys.update audit_log.list billing.checkout billing.portal content_policy.get content_policy.set
deliveries.get deliveries.list deliveries.resend destinations.create destinations.delete destinations.get
destinations.list destinations.verify dictionary.create dictionary.delete dictionary.get dictionary.list
dictionary.update engines.list events.get events.list limits.get prices.list provider_credentials.check
provider_credentials.create provider_credentials.delete provider_credentials.get provider_credentials.list
provider_credentials.rotate speech.audio speech.cancel speech.captions speech.create speech.delete speech.get
speech.list speech.timings spend.get statements.entries statements.export statements.get statements.list
transcriptions.cancel transcriptions.create transcriptions.delete transcriptions.get transcriptions.list
transcriptions.raw transcriptions.stream transcriptions.transcript upload_origins.get upload_origins.set
uploads.complete uploads.create uploads.get uploads.resume usage.get voices.aliases.create voices.aliases.delete
voices.aliases.get voices.aliases.list voices.aliases.update voices.list webhook_endpoints.create
webhook_endpoints.delete webhook_endpoints.get webhook_endpoints.job_secret.get webhook_endpoints.job_secret.rotate
webhook_endpoints.list webhook_endpoints.recover webhook_endpoints.replay webhook_endpoints.replays.cancel
webhook_endpoints.replays.get webhook_endpoints.replays.list webhook_endpoints.rotate_secret webhook_endpoints.test
webhook_endpoints.update
"""


def test_the_public_names_are_these() -> None:
    assert sorted(parlance.__all__) == sorted(NAMES.split())
    assert all(getattr(parlance, name) is not None for name in parlance.__all__)


@pytest.mark.parametrize("kind", [parlance.Parlance, parlance.AsyncParlance])
def test_no_method_goes(kind: type) -> None:
    client = kind(api_key="parl_test_key")
    for dotted in METHODS.split():
        place: object = client
        for part in dotted.split("."):
            place = getattr(place, part)
        assert callable(place), dotted


def test_sync_and_async_have_the_same_methods() -> None:
    for name in dir(parlance.Parlance):
        if not name.startswith("_") and name != "close":
            assert hasattr(parlance.AsyncParlance, name)


def test_the_async_half_is_not_imported_by_the_sync_one() -> None:
    program = "import sys, parlance; print([one for one in sys.modules if '_async' in one and 'parlance' in one])"
    environ = {"PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_every_module_is_of_each_promised_python(minor: int) -> None:
    for path in PACKAGE.rglob("*.py"):
        ast.parse(path.read_text("utf-8"), feature_version=(3, minor))
