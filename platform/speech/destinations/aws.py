"""Clients of AWS for one destination: boto3 signs and reads, every request itself goes out through egress.

They act as the tenant's role, taken on with the external id that we made, and with no right beyond the prefix.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from egress.facade import Client, EgressError, operator
from speech.destinations.contracts import Place
from speech.destinations.errors import DestinationError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from types_boto3_s3 import S3Client

ROLE_S: Final = 3600  # the least that any role allows at most, and enough for the largest file
CALL_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 262_144
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled"})
_OUR_KEYS: Final = frozenset(
    {"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "ExpiredToken",
     "InvalidAccessKeyId"}
)  # fmt: skip
_ELSEWHERE: Final = frozenset(
    {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301", "307"}
)


@contextlib.contextmanager
def bucket_client(place: Place) -> Iterator[S3Client]:
    """S3 as the tenant's role; raises `DestinationError`, from inside the block too."""
    with _faults("The bucket"), _client("s3", place, keys=take_on(place, external_id=place.external_id)) as client:
        yield client


def take_on(place: Place, *, external_id: str) -> dict[str, str]:
    """Keys of the tenant's role for an hour; raises `DestinationError`."""
    with _faults("The role"), _client("sts", place, keys=_own_keys()) as client:
        answer = client.assume_role(
            RoleArn=place.role_arn, RoleSessionName="parlance", ExternalId=external_id, DurationSeconds=ROLE_S,
            Policy=_least_rights(place),
        )  # fmt: skip
    keys = answer["Credentials"]
    return {
        "aws_access_key_id": keys["AccessKeyId"], "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }  # fmt: skip


def _least_rights(place: Place) -> str:
    """A session may do no more than this, whatever the role allows."""
    partition = place.role_arn.split(":")[1]
    statement = {
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
        "Resource": f"arn:{partition}:s3:::{place.bucket}/{place.prefix}*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _own_keys() -> dict[str, str | None]:
    """The operator's; without any the usual AWS chain (role, profile) is asked."""
    return {
        "aws_access_key_id": settings.AWS_ACCESS_KEY_ID or None,
        "aws_secret_access_key": settings.AWS_SECRET_ACCESS_KEY or None,
        "aws_session_token": settings.AWS_SESSION_TOKEN or None,
    }


@contextlib.contextmanager
def _client(service: str, place: Place, *, keys: dict[str, Any]) -> Iterator[Any]:
    import boto3
    from botocore.config import Config

    config = Config(
        signature_version="s3v4" if service == "s3" else None,
        retries={"mode": "standard", "total_max_attempts": 2},
        s3={"addressing_style": "path"},  # one host for all buckets: the only one that egress lets us call
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    endpoint = place.endpoint_url or None
    made: Any = boto3.session.Session().client(
        service, region_name=place.region, endpoint_url=endpoint, config=config, **keys
    )  # type: ignore[call-overload]  # the name is one of two
    parts = urlsplit(made.meta.endpoint_url)
    with Client(
        operator({f"{parts.scheme}://{parts.netloc}"}), total_timeout_s=CALL_S, max_body_bytes=MAX_ANSWER_BYTES
    ) as http:
        made.meta.events.register(f"before-send.{service}", lambda request, **_: _sent(request, http=http))
        yield made


class _Raw(io.BytesIO):
    """The part of a urllib3 answer that botocore reads."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _sent(request: AWSPreparedRequest, *, http: Client) -> AWSResponse:
    """The signed request through egress instead of botocore's own connections."""
    from botocore.awsrequest import AWSResponse

    unsent = {"content-length", "expect"}  # the first is set anew, and nothing waits for leave to send
    headers = {name: _plain(value) for name, value in request.headers.items() if name.lower() not in unsent}
    answer = http.request(request.method, url=request.url, headers=headers, content=_body(request))
    received: Any = dict(answer.headers)
    return AWSResponse(request.url, answer.status, received, _Raw(answer.body))


def _body(request: AWSPreparedRequest) -> bytes | None:
    body: Any = request.body
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes | bytearray):
        return bytes(body) if body is not None else None
    return bytes(body.read())


def _plain(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@contextlib.contextmanager
def _faults(what: str) -> Iterator[None]:
    """boto3's and egress's faults as ours; `from None`, because theirs quote names."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        raise _classified(error.response, what=what) from None
    except NoCredentialsError:
        raise _not_set_up() from None
    except (BotoCoreError, EgressError):
        detail = f"{what} cannot be reached now. Try it again in some minutes."
        raise DestinationError("destination_unreachable", detail, may_pass=True) from None


def _classified(response: Any, *, what: str) -> DestinationError:
    """By code; only for one that is not known here, the status says whose fault it was."""
    code, status = response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
    if code in _OUR_KEYS:
        return _not_set_up()
    if code in _DENIED:
        detail = f"{what} refuses. Let its policy name our account, the external id, and s3:PutObject and DeleteObject."
        return DestinationError("destination_refused", detail)
    if code == "NoSuchBucket":
        return DestinationError(
            "destination_bucket_missing", "There is no such bucket. Check its name.", field="bucket"
        )
    if code in _ELSEWHERE:
        return DestinationError("destination_region", "The bucket is in another region. Check it.", field="region")
    if status >= 500 or status in {408, 429} or code in {"SlowDown", "Throttling", "RequestTimeout"}:
        detail = f"{what} is busy or broken on its side. Try it again in some minutes."
        return DestinationError("destination_unreachable", detail, may_pass=True)
    return DestinationError("destination_refused", f"{what} refuses the request. Check its policies.")


def _not_set_up() -> DestinationError:
    detail = "This installation has no AWS credentials that may take on roles. The operator must set them up."
    return DestinationError("destinations_not_set_up", detail)
