"""Errors of `webhooks`; each says what to do next.

WebhookError
├── UnknownEventTypes  422: a filter entry that can never match
├── HeaderRefused      422: a custom header that may not or cannot be sent
├── TooManyEndpoints   422: the tenant's endpoints of this mode are used up
├── TooManyJobUrls     422: jobs of this mode have named too many different URLs
├── WebhookUrlRefused  403: the operator's policy for this tenant forbids the job's URL
├── JobUrlFixed        409: what is asked of a job's URL only an endpoint can do
├── EndpointClosed     409: disabled, deleted, or its event has expired
├── RotationRunning    409: the old secret of the rotation before still signs
├── ReplayRunning      409: one replay of an endpoint at a time
└── DeliveryBusy       409: an attempt is under way
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


class WebhookError(Exception):
    """Base of all; `code` is stable."""

    code = "webhook_error"


class UnknownEventTypes(WebhookError):
    code = "unknown_event_type"

    def __init__(self, unknown: Sequence[str], *, known: Sequence[str]) -> None:
        super().__init__(
            f"Unknown: {', '.join(name[:64] for name in unknown[:5])}. Use *, a family such as transcription.*, "
            f"or one of {', '.join(known)}."
        )


class TooManyEndpoints(WebhookError):
    code = "too_many_endpoints"

    def __init__(self, limit: int) -> None:
        super().__init__(f"There are already {limit} endpoints of this mode. Delete one, or change one instead.")


class HeaderRefused(WebhookError):
    code = "header_refused"


class TooManyJobUrls(WebhookError):
    code = "too_many_webhook_urls"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Jobs of this mode have named {limit} different webhook URLs. Use one URL for many jobs, or make an "
            "endpoint; unused URLs are forgotten after 30 days, or delete some: GET /v1/webhook-endpoints?kind=job."
        )


class WebhookUrlRefused(WebhookError):
    code = "webhook_url_not_allowed"

    def __init__(self, hosts: Sequence[str]) -> None:
        where = f"Use one on {', '.join(hosts[:10])}" if hosts else "Use an endpoint (POST /v1/webhook-endpoints)"
        super().__init__(f"This webhook_url is not allowed for your account. {where}, or ask your operator.")


class JobUrlFixed(WebhookError):
    code = "job_url_fixed"

    def __init__(self) -> None:
        super().__init__(
            "This is a URL that jobs named: only enabled, schedule, rate_per_s and max_in_flight can be changed, and "
            "its secret is rotated at /v1/webhook-endpoints/job-secret/rotate. Make an endpoint for anything else."
        )


class EndpointClosed(WebhookError):
    code = "endpoint_closed"

    def __init__(self) -> None:
        super().__init__("The endpoint is disabled or deleted, or the event has expired. Enable it or make a new one.")


class RotationRunning(WebhookError):
    code = "rotation_running"

    def __init__(self, ends_at: datetime) -> None:
        super().__init__(
            f"The secret before still signs until {ends_at.isoformat(timespec='seconds')}. Wait for that, or rotate "
            "with overlap_hours 0 to end every older secret at once."
        )


class DeliveryBusy(WebhookError):
    code = "delivery_busy"

    def __init__(self) -> None:
        super().__init__("An attempt of this delivery is under way. Look at it again in a few seconds.")


class ReplayRunning(WebhookError):
    code = "replay_running"

    def __init__(self) -> None:
        super().__init__("A replay to this endpoint is under way. Wait until it is completed, or cancel it first.")
