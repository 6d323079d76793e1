"""What a client has.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._sync.resources.api_keys import ApiKeysResource
from parlance._sync.resources.audit_log import AuditLogResource
from parlance._sync.resources.billing import BillingResource
from parlance._sync.resources.content_policy import ContentPolicyResource
from parlance._sync.resources.deliveries import DeliveriesResource
from parlance._sync.resources.destinations import DestinationsResource
from parlance._sync.resources.dictionary import DictionaryResource
from parlance._sync.resources.engines import EnginesResource
from parlance._sync.resources.events import EventsResource
from parlance._sync.resources.limits import LimitsResource
from parlance._sync.resources.members import MembersResource
from parlance._sync.resources.prices import PricesResource
from parlance._sync.resources.provider_credentials import ProviderCredentialsResource
from parlance._sync.resources.speech import SpeechResource
from parlance._sync.resources.spend import SpendResource
from parlance._sync.resources.statements import StatementsResource
from parlance._sync.resources.transcriptions import TranscriptionsResource
from parlance._sync.resources.upload_origins import UploadOriginsResource
from parlance._sync.resources.uploads import UploadsResource
from parlance._sync.resources.usage import UsageResource
from parlance._sync.resources.voices import VoicesResource
from parlance._sync.resources.webhook_endpoints import WebhookEndpointsResource
from parlance._sync.transport import Transport


class Resources:
    """Every resource of the API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.api_keys = ApiKeysResource(transport)
        self.audit_log = AuditLogResource(transport)
        self.billing = BillingResource(transport)
        self.content_policy = ContentPolicyResource(transport)
        self.deliveries = DeliveriesResource(transport)
        self.destinations = DestinationsResource(transport)
        self.dictionary = DictionaryResource(transport)
        self.engines = EnginesResource(transport)
        self.events = EventsResource(transport)
        self.limits = LimitsResource(transport)
        self.members = MembersResource(transport)
        self.prices = PricesResource(transport)
        self.provider_credentials = ProviderCredentialsResource(transport)
        self.speech = SpeechResource(transport)
        self.spend = SpendResource(transport)
        self.statements = StatementsResource(transport)
        self.transcriptions = TranscriptionsResource(transport)
        self.upload_origins = UploadOriginsResource(transport)
        self.uploads = UploadsResource(transport)
        self.usage = UsageResource(transport)
        self.voices = VoicesResource(transport)
        self.webhook_endpoints = WebhookEndpointsResource(transport)
