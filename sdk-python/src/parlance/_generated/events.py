"""What webhooks tell.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from parlance._generated.models import (
    ApiKeyTold,
    BudgetTold,
    DeletedTold,
    ModelTold,
    ProviderCredentialTold,
    SpeechTold,
    StatementTold,
    TranscriptionTold,
    UploadTold,
    WalletTold,
    WebhookEndpointTold,
)
from parlance._model import BaseEvent, UnknownEvent

__all__ = [
    "ApiKeyCreatedEvent",
    "ApiKeyExpiringEvent",
    "ApiKeyRevokedEvent",
    "ApiKeyTold",
    "BudgetExhaustedEvent",
    "BudgetTold",
    "DeletedTold",
    "DestinationCopiedEvent",
    "DestinationFailedEvent",
    "ModelShutdownScheduledEvent",
    "ModelTold",
    "ProviderCredentialFailingEvent",
    "ProviderCredentialTold",
    "SpeechCanceledEvent",
    "SpeechCompletedEvent",
    "SpeechDeletedEvent",
    "SpeechFailedEvent",
    "SpeechTold",
    "StatementReadyEvent",
    "StatementTold",
    "TranscriptionCanceledEvent",
    "TranscriptionCompletedEvent",
    "TranscriptionDeletedEvent",
    "TranscriptionFailedEvent",
    "TranscriptionQueuedEvent",
    "TranscriptionRunningEvent",
    "TranscriptionTold",
    "UploadCompletedEvent",
    "UploadExpiredEvent",
    "UploadTold",
    "UsageThresholdReachedEvent",
    "WalletLowEvent",
    "WalletTold",
    "WebhookEndpointDisabledEvent",
    "WebhookEndpointFailingEvent",
    "WebhookEndpointRecoveredEvent",
    "WebhookEndpointTestEvent",
    "WebhookEndpointTold",
]


class ApiKeyCreatedEvent(BaseEvent):
    """An API key was made."""

    type: Literal["api_key.created"]
    data: ApiKeyTold


class ApiKeyExpiringEvent(BaseEvent):
    """An API key ends soon."""

    type: Literal["api_key.expiring"]
    data: ApiKeyTold


class ApiKeyRevokedEvent(BaseEvent):
    """An API key was revoked."""

    type: Literal["api_key.revoked"]
    data: ApiKeyTold


class BudgetExhaustedEvent(BaseEvent):
    """A budget is used up; new work is refused."""

    type: Literal["budget.exhausted"]
    data: BudgetTold


class DestinationCopiedEvent(BaseEvent):
    """A result was copied to the bucket that its order named."""

    type: Literal["destination.copied"]
    data: TranscriptionTold | SpeechTold


class DestinationFailedEvent(BaseEvent):
    """A result could not be copied to the bucket that its order named; the job itself is done."""

    type: Literal["destination.failed"]
    data: TranscriptionTold | SpeechTold


class ModelShutdownScheduledEvent(BaseEvent):
    """An engine's model has an end date."""

    type: Literal["model.shutdown_scheduled"]
    data: ModelTold


class ProviderCredentialFailingEvent(BaseEvent):
    """A provider refuses your own credentials. Told once until they work again."""

    type: Literal["provider_credential.failing"]
    data: ProviderCredentialTold


class SpeechCanceledEvent(BaseEvent):
    """A speech job was canceled."""

    type: Literal["speech.canceled"]
    data: SpeechTold


class SpeechCompletedEvent(BaseEvent):
    """A speech file is ready."""

    type: Literal["speech.completed"]
    data: SpeechTold


class SpeechDeletedEvent(BaseEvent):
    """A speech job and its content were deleted."""

    type: Literal["speech.deleted"]
    data: DeletedTold


class SpeechFailedEvent(BaseEvent):
    """A speech job ended with an error; nothing is billed."""

    type: Literal["speech.failed"]
    data: SpeechTold


class StatementReadyEvent(BaseEvent):
    """A statement was closed."""

    type: Literal["statement.ready"]
    data: StatementTold


class TranscriptionCanceledEvent(BaseEvent):
    """A transcription was canceled."""

    type: Literal["transcription.canceled"]
    data: TranscriptionTold


class TranscriptionCompletedEvent(BaseEvent):
    """A transcription is ready."""

    type: Literal["transcription.completed"]
    data: TranscriptionTold


class TranscriptionDeletedEvent(BaseEvent):
    """A transcription and its content were deleted."""

    type: Literal["transcription.deleted"]
    data: DeletedTold


class TranscriptionFailedEvent(BaseEvent):
    """A transcription ended with an error; nothing is billed."""

    type: Literal["transcription.failed"]
    data: TranscriptionTold


class TranscriptionQueuedEvent(BaseEvent):
    """A transcription was accepted. Sent only to endpoints that name this type."""

    type: Literal["transcription.queued"]
    data: TranscriptionTold


class TranscriptionRunningEvent(BaseEvent):
    """A transcription started. Sent only to endpoints that name this type."""

    type: Literal["transcription.running"]
    data: TranscriptionTold


class UploadCompletedEvent(BaseEvent):
    """An upload arrived whole."""

    type: Literal["upload.completed"]
    data: UploadTold


class UploadExpiredEvent(BaseEvent):
    """An upload ticket ran out unused."""

    type: Literal["upload.expired"]
    data: UploadTold


class UsageThresholdReachedEvent(BaseEvent):
    """Usage passed a threshold that was set."""

    type: Literal["usage.threshold_reached"]
    data: BudgetTold


class WalletLowEvent(BaseEvent):
    """A prepaid wallet is nearly empty."""

    type: Literal["wallet.low"]
    data: WalletTold


class WebhookEndpointDisabledEvent(BaseEvent):
    """An endpoint was switched off because of its answers."""

    type: Literal["webhook_endpoint.disabled"]
    data: WebhookEndpointTold


class WebhookEndpointFailingEvent(BaseEvent):
    """An endpoint has only failed for 10 minutes, an hour or half a day."""

    type: Literal["webhook_endpoint.failing"]
    data: WebhookEndpointTold


class WebhookEndpointRecoveredEvent(BaseEvent):
    """An endpoint works again after failures."""

    type: Literal["webhook_endpoint.recovered"]
    data: WebhookEndpointTold


class WebhookEndpointTestEvent(BaseEvent):
    """Sent on request to one endpoint, to see that it works."""

    type: Literal["webhook_endpoint.test"]
    data: WebhookEndpointTold


WebhookEvent: TypeAlias = (
    ApiKeyCreatedEvent
    | ApiKeyExpiringEvent
    | ApiKeyRevokedEvent
    | BudgetExhaustedEvent
    | DestinationCopiedEvent
    | DestinationFailedEvent
    | ModelShutdownScheduledEvent
    | ProviderCredentialFailingEvent
    | SpeechCanceledEvent
    | SpeechCompletedEvent
    | SpeechDeletedEvent
    | SpeechFailedEvent
    | StatementReadyEvent
    | TranscriptionCanceledEvent
    | TranscriptionCompletedEvent
    | TranscriptionDeletedEvent
    | TranscriptionFailedEvent
    | TranscriptionQueuedEvent
    | TranscriptionRunningEvent
    | UploadCompletedEvent
    | UploadExpiredEvent
    | UsageThresholdReachedEvent
    | WalletLowEvent
    | WebhookEndpointDisabledEvent
    | WebhookEndpointFailingEvent
    | WebhookEndpointRecoveredEvent
    | WebhookEndpointTestEvent
    | UnknownEvent
)

EVENTS: dict[str, type[BaseEvent]] = {
    "api_key.created": ApiKeyCreatedEvent,
    "api_key.expiring": ApiKeyExpiringEvent,
    "api_key.revoked": ApiKeyRevokedEvent,
    "budget.exhausted": BudgetExhaustedEvent,
    "destination.copied": DestinationCopiedEvent,
    "destination.failed": DestinationFailedEvent,
    "model.shutdown_scheduled": ModelShutdownScheduledEvent,
    "provider_credential.failing": ProviderCredentialFailingEvent,
    "speech.canceled": SpeechCanceledEvent,
    "speech.completed": SpeechCompletedEvent,
    "speech.deleted": SpeechDeletedEvent,
    "speech.failed": SpeechFailedEvent,
    "statement.ready": StatementReadyEvent,
    "transcription.canceled": TranscriptionCanceledEvent,
    "transcription.completed": TranscriptionCompletedEvent,
    "transcription.deleted": TranscriptionDeletedEvent,
    "transcription.failed": TranscriptionFailedEvent,
    "transcription.queued": TranscriptionQueuedEvent,
    "transcription.running": TranscriptionRunningEvent,
    "upload.completed": UploadCompletedEvent,
    "upload.expired": UploadExpiredEvent,
    "usage.threshold_reached": UsageThresholdReachedEvent,
    "wallet.low": WalletLowEvent,
    "webhook_endpoint.disabled": WebhookEndpointDisabledEvent,
    "webhook_endpoint.failing": WebhookEndpointFailingEvent,
    "webhook_endpoint.recovered": WebhookEndpointRecoveredEvent,
    "webhook_endpoint.test": WebhookEndpointTestEvent,
}
