"""A statement's way from `rated` to `closed`: each step is one conditional statement with its audit entry."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from apikit import ids
from billing.errors import SamePerson, WrongStatus
from billing.models import Statement as Row
from billing.statements.contracts import Statement
from billing.statements.reading import statement_of
from events.facade import publish, record_audit

Status = Row.Status


def review_statement(statement_id: UUID, *, actor: str, using: str = "system") -> Statement:
    """Somebody has looked at every line. Raises `WrongStatus`."""
    return _step(
        statement_id, Status.RATED, Status.REVIEWED, actor, {"reviewed_by": actor, "reviewed_at": Now()}, using
    )


def approve_statement(statement_id: UUID, *, actor: str, using: str = "system") -> Statement:
    """Another person agrees. Raises `SamePerson` for whoever reviewed it, and `WrongStatus`."""
    if statement_of(statement_id, using=using).reviewed_by == actor:
        raise SamePerson(actor)
    values = {"approved_by": actor, "approved_at": Now()}
    return _step(statement_id, Status.REVIEWED, Status.APPROVED, actor, values, using)


def mark_pushed(statement_id: UUID, *, actor: str, using: str = "system") -> Statement:
    """The collector has the whole statement (or there is none). Again: nothing changes. Raises `WrongStatus`."""
    return _step(statement_id, Status.APPROVED, Status.PUSHED, actor, {"pushed_at": Now()}, using)


def close_statement(statement_id: UUID, *, actor: str, using: str = "system") -> Statement:
    """It never changes from here on; the tenant is told by `statement.ready`. Raises `WrongStatus`."""
    with transaction.atomic(using=using):
        closed = _step(statement_id, Status.PUSHED, Status.CLOSED, actor, {"closed_at": Now()}, using)
        publish(
            "statement.ready", tenant_id=closed.terms.tenant_id, livemode=True, subject_id=closed.id, sequence=1,
            data=event_data(closed), using=using,
        )  # fmt: skip
    return closed


def event_data(statement: Statement) -> dict[str, Any]:
    """What `statement.ready` tells."""
    shown = ids.show(ids.STATEMENT, statement.id)
    return {
        "object": "statement", "id": shown, "livemode": True, "status": statement.status,
        "period": f"{statement.terms.period:%Y-%m}", "currency": statement.terms.currency,
        "total": f"{statement.totals.total:f}", "due": f"{statement.totals.due:f}", "url": f"/v1/statements/{shown}",
    }  # fmt: skip


def _step(
    statement_id: UUID, before: Status, after: Status, actor: str, values: dict[str, Any], using: str
) -> Statement:
    with transaction.atomic(using=using):
        moved = Row.objects.using(using).filter(pk=statement_id, status=before).update(status=after, **values)
        statement = statement_of(statement_id, using=using)
        if moved:
            record_audit(
                f"statement.{after}", actor=actor, subject=str(statement_id), tenant_id=statement.terms.tenant_id,
                using=using, after={"content_hash": statement.content_hash},
            )  # fmt: skip
        elif statement.status != after:
            raise WrongStatus("statement", status=statement.status, wanted=before)
    return statement
