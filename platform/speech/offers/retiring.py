"""Telling tenants that a model which their jobs used is about to end: once each at so many days before it.

One statement finds them all, whatever the number of tenants; a row per notice makes a second run say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction

from apikit.ids import new_id
from events.facade import publish, record_audit
from speech.catalogue import Catalogue, EngineModel
from speech.offers.current import catalogue

SYSTEM: Final = "system"
EVENT: Final = "model.shutdown_scheduled"
STAGES: Final = (1, 7, 30, 90)  # days before the end
LATELY_DAYS: Final = 30  # who has not used it for longer has moved on

_TELL = """WITH ending AS (
  SELECT * FROM unnest(%s::text[], %s::text[], %s::date[], %s::int[]) AS e (engine, model, shutdown, stage)
), told AS (
  INSERT INTO model_notice (tenant_id, engine, model, livemode, shutdown_date, days_before)
  SELECT u.tenant_id, u.engine, u.model, u.livemode, e.shutdown, e.stage FROM model_use u
    JOIN ending e ON e.engine = u.engine AND e.model = u.model WHERE u.last_used_on > %s::date - %s
  ON CONFLICT DO NOTHING RETURNING tenant_id, engine, model, livemode
) SELECT t.tenant_id, t.engine, t.model, t.livemode, u.last_used_on FROM told t
 JOIN model_use u USING (tenant_id, livemode, engine, model)"""


@dataclass(frozen=True, slots=True)
class Ending:
    """A model that will be shut down, and which of the stages has been reached."""

    model: EngineModel
    shutdown: date
    stage: int


def endings(known: Catalogue, *, today: date) -> list[Ending]:
    """The models that end soon.

    >>> from speech.catalogue_seeds import SEEDS
    >>> {one.stage for one in endings(SEEDS, today=date(2027, 2, 10)) if one.model.id == "openai/whisper-1"}
    {30}
    """
    found = []
    for model in known.values():
        shutdown = model.lifecycle.shutdown
        days = (shutdown - today).days if shutdown else 0
        stage = next((stage for stage in STAGES if 0 < days <= stage), None)
        if shutdown is not None and stage is not None:
            found.append(Ending(model, shutdown, stage))
    return found


def tell(today: date | None = None) -> int:
    """Tell every tenant that has not been told yet; how many notices that made."""
    today = today or datetime.now(UTC).date()
    soon = {ending.model.id: ending for ending in endings(catalogue(), today=today)}
    if not soon:
        return 0
    with transaction.atomic(using=SYSTEM), connections[SYSTEM].cursor() as cursor:
        cursor.execute(_TELL, [*_columns(soon.values()), today, LATELY_DAYS])
        rows = cursor.fetchall()
        for tenant_id, engine, model, livemode, last_used_on in rows:
            _tell_one(tenant_id, soon[f"{engine}/{model}"], today=today, livemode=livemode, last_used_on=last_used_on)
    return len(rows)


def _columns(soon: Iterable[Ending]) -> tuple[list[Any], ...]:
    rows = [(one.model.engine, one.model.model, one.shutdown, one.stage) for one in soon]
    return tuple(list(column) for column in zip(*rows, strict=True))


def _tell_one(tenant_id: UUID, ending: Ending, *, today: date, livemode: bool, last_used_on: date) -> None:
    facts = {
        "id": ending.model.id,
        "shutdown_date": ending.shutdown.isoformat(),
        "replacement": ending.model.lifecycle.replacement,
        "days_left": (ending.shutdown - today).days,
        "last_used_on": last_used_on.isoformat(),
    }
    data = {"object": "model", "livemode": livemode, "url": f"{settings.PUBLIC_URL}/v1/engines"} | facts
    publish(EVENT, tenant_id=tenant_id, livemode=livemode, subject_id=new_id(), sequence=1, data=data, using=SYSTEM)
    record_audit(
        EVENT, actor="scheduler", subject=ending.model.id, tenant_id=tenant_id, after=facts, using=SYSTEM
    )  # fmt: skip
