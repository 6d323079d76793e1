"""Errors of `webhooks`; each says what to do next.

WebhookError
├── UnknownEventTypes  422: a filter entry that can never match
├── TooManyEndpoints   422: the tenant's endpoints of this mode are used up
├── EndpointClosed     409: disabled, deleted, or its event has expired
├── RotationRunning    409: the old secret of the rotation before still signs
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
