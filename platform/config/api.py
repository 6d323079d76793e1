"""The HTTP API put together: routers of the apps, one shape for every error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser

import billing.facade
import billing.stripe.facade
import console.facade
import speech.facade
import tenants.facade
import webhooks.facade
from apikit.dialects import render
from apikit.facade import FieldError, Problem, invalid_fields, invalid_json, read_json, unavailable
from apikit.front import REQUEST_ID
from config.openapi import complete
from dispatch.facade import Overloaded
from observe.facade import get_logger
from storage.facade import StorageUnavailable

VERSION = "0.1.0"
log = get_logger(__name__)


class StrictParser(Parser):
    """JSON bodies by our own rules."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        return cast(dict[str, Any], read_json(request.body))


class Api(NinjaAPI):
    """Operations are named after their views: the SDK's method names come from them."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)


api = Api(
    title="Parlance",
    version=VERSION,
    description="Speech to text, metered exactly once, told by signed webhooks.",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
    parser=StrictParser(),
)
api.add_router("/uploads", speech.facade.uploads)
api.add_router("/upload-origins", speech.facade.upload_origins)
api.add_router("/transcriptions", speech.facade.transcriptions)
api.add_router("/transcriptions", speech.facade.transcripts)
api.add_router("/speech", speech.facade.speech)
api.add_router("/speech", speech.facade.speech_timings)
api.add_router("/voices", speech.facade.voices)
api.add_router("/engines", speech.facade.engines)
api.add_router("/audio", speech.facade.openai_audio)
api.add_router("/audio", speech.facade.openai_speech)
api.add_router("/models", speech.facade.openai_models)
api.add_router("/transcriptions", speech.facade.streams)
api.add_router("/voices/aliases", speech.facade.voice_aliases)
api.add_router("/destinations", speech.facade.destinations)
api.add_router("/provider-credentials", speech.facade.provider_credentials)
api.add_router("/dictionary", speech.facade.dictionary)
api.add_router("/content-policy", speech.facade.content_policy)
api.add_router("/webhook-endpoints", webhooks.facade.endpoints_router)
api.add_router("/webhook-endpoints", webhooks.facade.replays_router)
api.add_router("/events", webhooks.facade.events_router)
api.add_router("/deliveries", webhooks.facade.deliveries_router)
api.add_router("/api-keys", tenants.facade.api_keys_router)
api.add_router("/members", console.facade.members_router)
api.add_router("/audit-log", tenants.facade.audit_log_router)
api.add_router("/admin/tenants", tenants.facade.admin_tenants_router)
api.add_router("", billing.facade.router, auth=tenants.facade.ApiKeyAuth())
api.add_router("", billing.stripe.facade.router, auth=tenants.facade.ApiKeyAuth())
api.add_router("", billing.facade.statements_router, auth=tenants.facade.ApiKeyAuth())


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A problem as an HTTP answer."""
    request_id = getattr(request, "scope", {}).get(REQUEST_ID, "")
    shown = render(problem, path=request.path, base_url=settings.PUBLIC_URL, request_id=request_id)
    encoded = json.dumps(shown.document, ensure_ascii=False).encode()
    return HttpResponse(encoded, status=shown.status, content_type=shown.media_type, headers=shown.headers)


def _path(loc: Sequence[int | str]) -> Sequence[int | str]:
    """The path as the sender knows it: without `query`, or `body` and the name of our own argument."""
    return loc[2:] if loc[0] == "body" else loc[1:]


@api.exception_handler(Problem)
def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return answer(request, error)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answer(request, invalid_fields((_path(item["loc"]), item["type"], item["msg"]) for item in error.errors))


@api.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return answer(request, Problem("invalid_api_key", 401, "Send a valid key as `Authorization: Bearer parl_…`."))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 400:
        return answer(request, invalid_json())
    return answer(request, Problem("http_error", error.status_code, "The request cannot be served as sent."))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return answer(
        request, Problem("not_found", 404, "There is nothing here. Check the path against the API reference.")
    )


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return answer(request, Problem("body_too_large", 413, "The body is too large. Use /v1/uploads for files."))


_STATUS = {
    "no_engine": 422, "unknown_engine": 422, "not_found": 404, "upload_incomplete": 409, "upload_used": 409,
    "upload_expired": 409, "not_cancelable": 409, "url_blocked": 422, "alias_taken": 409, "term_taken": 409,
    "destination_unverified": 409, "destination_refused": 409, "destination_role_open": 409, "destination_region": 409,
    "destination_bucket_missing": 409, "destination_unreachable": 503, "destinations_not_set_up": 409,
    "provider_credential_exists": 409, "provider_unreachable": 503, "live_key_required": 403,
    "upload_already_complete": 409,
}  # fmt: skip


@api.exception_handler(speech.facade.SpeechError)
def _speech(request: HttpRequest, error: speech.facade.SpeechError) -> HttpResponse:
    errors = [FieldError(error.field, error.code, error.detail)] if error.field else []
    return answer(request, Problem(error.code, _STATUS.get(error.code, 422), error.detail, errors))


@api.exception_handler(billing.facade.BillingError)
def _billing(request: HttpRequest, error: billing.facade.BillingError) -> HttpResponse:
    status = 402 if isinstance(error, billing.facade.InsufficientFunds) else 422
    return answer(request, Problem(error.code, status, str(error)))


@api.exception_handler(webhooks.facade.WebhookUrlRefused)
@api.exception_handler(webhooks.facade.TooManyJobUrls)
def _webhook_url(request: HttpRequest, error: webhooks.facade.WebhookError) -> HttpResponse:
    status = 403 if isinstance(error, webhooks.facade.WebhookUrlRefused) else 422
    return answer(request, Problem(error.code, status, str(error)))


@api.exception_handler(Overloaded)
def _overloaded(request: HttpRequest, error: Overloaded) -> HttpResponse:
    detail = "More work is waiting than can be done in time. Send it again later, with the same Idempotency-Key."
    return answer(request, Problem("overloaded", 503, detail, headers={"Retry-After": "60"}))


@api.exception_handler(tenants.facade.TenantSuspended)
def _suspended(request: HttpRequest, error: tenants.facade.TenantSuspended) -> HttpResponse:
    detail = "This tenant is suspended: running jobs end, new ones are refused. Ask the operator."
    return answer(request, Problem(error.code, 403, detail))


@api.exception_handler(StorageUnavailable)
@api.exception_handler(tenants.facade.VaultUnavailable)
@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("dependency_unavailable", error=type(error).__name__)
    return answer(request, unavailable())


@api.exception_handler(Exception)
def _crash(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("request_crashed", path=request.path, error=type(error).__name__, exc_info=error)
    return answer(request, Problem("internal_error", 500, "Something went wrong on our side. Quote the request_id."))


def openapi() -> dict[str, Any]:
    """The OpenAPI document of this code."""
    return complete(dict(api.get_openapi_schema(path_prefix="/v1")))
