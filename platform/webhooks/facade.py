"""The only door to `webhooks`."""

from tenants.facade import CLOSED_DUE
from webhooks.alerts import AlertAddressWrong, set_alert_addresses
from webhooks.alerts import recipients as alert_recipients
from webhooks.api import deliveries_router, endpoints_router, events_router
from webhooks.catalogue import webhooks_section
from webhooks.closing import end_endpoints
from webhooks.errors import TooManyJobUrls, WebhookError, WebhookUrlRefused
from webhooks.event_types import EVENT_TYPES
from webhooks.expiry import forget_old_log
from webhooks.fanout import dispatch_events
from webhooks.gauges import webhook_gauges
from webhooks.job_urls import FORGET_DUE, check_job_url, forget_job_url, forget_old_links, send_job_events_to
from webhooks.mail import run_mailer
from webhooks.public_keys import PATH as PUBLIC_KEYS_PATH
from webhooks.public_keys import serve_keys
from webhooks.replay_api import router as replays_router
from webhooks.sending import deliver_due, run_sender
from webhooks.texts import TEXT_IS_WANTED, forget_text, keep_text

# Made ahead and dropped by the sweeper (`parlance_make_partitions`, `parlance_drop_partitions`), in days.
DAILY_TABLES = ("delivery", "delivery_attempt", "event_text")
KEEP_DAYS = 30

DUE_HANDLERS = {FORGET_DUE: forget_job_url, CLOSED_DUE: end_endpoints}

__all__ = [
    "DAILY_TABLES",
    "DUE_HANDLERS",
    "EVENT_TYPES",
    "KEEP_DAYS",
    "PUBLIC_KEYS_PATH",
    "TEXT_IS_WANTED",
    "AlertAddressWrong",
    "TooManyJobUrls",
    "WebhookError",
    "WebhookUrlRefused",
    "alert_recipients",
    "check_job_url",
    "deliver_due",
    "deliveries_router",
    "dispatch_events",
    "endpoints_router",
    "events_router",
    "forget_old_links",
    "forget_old_log",
    "forget_text",
    "keep_text",
    "replays_router",
    "run_mailer",
    "run_sender",
    "send_job_events_to",
    "serve_keys",
    "set_alert_addresses",
    "webhook_gauges",
    "webhooks_section",
]
