"""What a client has.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.resources.api_keys import AsyncApiKeysResource
from parlance._async.resources.audit_log import AsyncAuditLogResource
from parlance._async.resources.billing import AsyncBillingResource
from parlance._async.resources.content_policy import AsyncContentPolicyResource
from parlance._async.resources.deliveries import AsyncDeliveriesResource
from parlance._async.resources.destinations import AsyncDestinationsResource
from parlance._async.resources.dictionary import AsyncDictionaryResource
from parlance._async.resources.engines import AsyncEnginesResource
from parlance._async.resources.events import AsyncEventsResource
from parlance._async.resources.limits import AsyncLimitsResource
from parlance._async.resources.members import AsyncMembersResource
from parlance._async.resources.prices import AsyncPricesResource
from parlance._async.resources.provider_credentials import AsyncProviderCredentialsResource
from parlance._async.resources.speech import AsyncSpeechResource
from parlance._async.resources.spend import AsyncSpendResource
from parlance._async.resources.statements import AsyncStatementsResource
from parlance._async.resources.transcriptions import AsyncTranscriptionsResource
from parlance._async.resources.upload_origins import AsyncUploadOriginsResource
from parlance._async.resources.uploads import AsyncUploadsResource
from parlance._async.resources.usage import AsyncUsageResource
from parlance._async.resources.voices import AsyncVoicesResource
from parlance._async.resources.webhook_endpoints import AsyncWebhookEndpointsResource
from parlance._async.transport import AsyncTransport


class AsyncResources:
    """Every resource of the API."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self.api_keys = AsyncApiKeysResource(transport)
        self.audit_log = AsyncAuditLogResource(transport)
        self.billing = AsyncBillingResource(transport)
        self.content_policy = AsyncContentPolicyResource(transport)
        self.deliveries = AsyncDeliveriesResource(transport)
        self.destinations = AsyncDestinationsResource(transport)
        self.dictionary = AsyncDictionaryResource(transport)
        self.engines = AsyncEnginesResource(transport)
        self.events = AsyncEventsResource(transport)
        self.limits = AsyncLimitsResource(transport)
        self.members = AsyncMembersResource(transport)
        self.prices = AsyncPricesResource(transport)
        self.provider_credentials = AsyncProviderCredentialsResource(transport)
        self.speech = AsyncSpeechResource(transport)
        self.spend = AsyncSpendResource(transport)
        self.statements = AsyncStatementsResource(transport)
        self.transcriptions = AsyncTranscriptionsResource(transport)
        self.upload_origins = AsyncUploadOriginsResource(transport)
        self.uploads = AsyncUploadsResource(transport)
        self.usage = AsyncUsageResource(transport)
        self.voices = AsyncVoicesResource(transport)
        self.webhook_endpoints = AsyncWebhookEndpointsResource(transport)
