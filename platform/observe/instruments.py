"""Every metric there is, as data: what it is called, what it counts, its labels. Names follow Prometheus' conventions.

A label's values are few by nature: routes, engines, codes. Tenants appear in one gauge only, and there the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
AUDIO: Final = (1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 10_800.0, 43_200.0)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric; `buckets` are the upper bounds of a histogram."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = SECONDS


HTTP_SECONDS: Final = Instrument(
    "parlance_http_request_seconds", "histogram", "Time to the end of an answer, waits and streams included.",
    ("method", "route", "status"),
)  # fmt: skip
STEP_SECONDS: Final = Instrument(
    "parlance_step_seconds", "histogram", "Time a worker spent on one step of a job.",
    ("executor", "step", "outcome"),
)  # fmt: skip
ENGINE_SECONDS: Final = Instrument(
    "parlance_engine_call_seconds", "histogram", "Time of one call of an engine; `outcome` is ok or the error's code.",
    ("engine", "operation", "outcome"),
)  # fmt: skip
AUDIO_SECONDS: Final = Instrument(
    "parlance_audio_seconds", "histogram", "Length of recordings that were decoded; the average is sum over count.",
    ("engine",), AUDIO,
)  # fmt: skip
WEBHOOK_SECONDS: Final = Instrument(
    "parlance_webhook_attempt_seconds", "histogram", "Time of one webhook attempt; `outcome` is its state afterwards.",
    ("outcome",),
)  # fmt: skip
QUEUE_ITEMS: Final = Instrument(
    "parlance_queue_items",
    "gauge",
    "Steps of a queue by state: queued, leased, waiting.",
    ("executor", "class", "state"),
)
QUEUE_AUDIO_SECONDS: Final = Instrument(
    "parlance_queue_audio_seconds", "gauge", "Audio that waits to be heard.", ("executor", "class")
)
QUEUE_WORK_SECONDS: Final = Instrument(
    "parlance_queue_work_seconds", "gauge", "Expected engine time of what waits.", ("executor", "class")
)
QUEUE_OLDEST_SECONDS: Final = Instrument(
    "parlance_queue_oldest_seconds", "gauge", "Age of the oldest step that waits.", ("executor", "class")
)
SLOTS: Final = Instrument("parlance_executor_slots", "gauge", "Slots of all living workers.", ("executor",))
TENANT_BACKLOG_SECONDS: Final = Instrument(
    "parlance_tenant_backlog_seconds",
    "gauge",
    "Expected engine time that waits, of the tenants with most.",
    ("tenant",),
)
DEAD_LETTERS: Final = Instrument("parlance_dead_letters", "gauge", "Steps that failed for good and were not replayed.")
EVENTS_UNSENT: Final = Instrument("parlance_events_undispatched", "gauge", "Events that have no position yet.")
WEBHOOKS_DUE: Final = Instrument("parlance_webhooks_due", "gauge", "Deliveries whose next attempt is due.")
WEBHOOK_LAG_SECONDS: Final = Instrument(
    "parlance_webhook_lag_seconds", "gauge", "How long the delivery that is due the longest has been due."
)
LEDGER_LAG_SECONDS: Final = Instrument(
    "parlance_ledger_lag_seconds", "gauge", "How long ago the oldest job ended that still has a hold; 0 when none has."
)
RECONCILIATION_DIFFERENCES: Final = Instrument(
    "parlance_reconciliation_differences", "gauge", "What the last reconciliation found: 0 when everything agrees."
)
RECONCILIATION_AGE_SECONDS: Final = Instrument(
    "parlance_reconciliation_age_seconds", "gauge", "Since the last reconciliation that ended; above a day it fails."
)
CIRCUIT_STATE: Final = Instrument(
    "parlance_circuit_state", "gauge", "A provider's circuit: 0 closed, 1 half open (one call tries), 2 open.",
    ("provider", "region", "operation"),
)  # fmt: skip

WHISPER_STEP_ROWS: Final = Instrument(
    "parlance_whisper_step_rows", "histogram", "Windows that shared a step of the Whisper pool: how full its batch is.",
    (), (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0),
)  # fmt: skip
WHISPER_TOKENS: Final = Instrument("parlance_whisper_tokens", "counter", "Tokens that the Whisper pool has picked.")
WHISPER_AUDIO_SECONDS: Final = Instrument(
    "parlance_whisper_audio_seconds", "counter", "Audio that the Whisper pool has heard.", ("class",)
)
WHISPER_WAIT_SECONDS: Final = Instrument(
    "parlance_whisper_wait_seconds", "histogram", "How long a window waited in the pool for a row.", ("class",)
)

INSTRUMENTS: Final = (
    HTTP_SECONDS, STEP_SECONDS, ENGINE_SECONDS, AUDIO_SECONDS, WEBHOOK_SECONDS, QUEUE_ITEMS, QUEUE_AUDIO_SECONDS,
    QUEUE_WORK_SECONDS, QUEUE_OLDEST_SECONDS, SLOTS, TENANT_BACKLOG_SECONDS, DEAD_LETTERS, EVENTS_UNSENT, WEBHOOKS_DUE,
    WEBHOOK_LAG_SECONDS, LEDGER_LAG_SECONDS, RECONCILIATION_DIFFERENCES, RECONCILIATION_AGE_SECONDS, CIRCUIT_STATE,
    WHISPER_STEP_ROWS, WHISPER_TOKENS, WHISPER_AUDIO_SECONDS, WHISPER_WAIT_SECONDS,
)  # fmt: skip
