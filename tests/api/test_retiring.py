"""Tenants are told in time of models that will be shut down, each once and only those who use them."""

from __future__ import annotations

import doctest
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from told import check_told

from speech.catalogue_seeds import SEEDS
from speech.offers import editing, retiring, uses
from speech.offers.current import catalogue
from tenants.facade import tenant_context

TODAY = date(2027, 1, 30)  # 27 days before the end of openai/whisper-1
DYING = {"engine": "openai", "model": "whisper-1"}


@pytest.fixture(autouse=True)
def _noted_anew() -> Iterator[None]:
    catalogue.forget()
    yield
    uses._noted.clear()
    catalogue.forget()


def use(person: Any, *, on: date, engine: str, model: str) -> None:
    with tenant_context(person.tenant):
        uses.note(person.id, engine=engine, model=model)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE model_use SET last_used_on = %s WHERE tenant_id = %s", [on, person.id])


def told(person: Any) -> list[Any]:
    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT body FROM outbox_event WHERE tenant_id = %s AND type = %s ORDER BY created_at",
            [person.id, retiring.EVENT],
        )
        return [check_told(json.loads(bytes(body))).data for (body,) in cursor.fetchall()]


def test_examples_hold() -> None:
    assert doctest.testmod(retiring).failed == 0


def test_who_used_it_lately_is_told_once_at_each_stage(alice: Any, charlie: Any) -> None:
    use(alice, on=TODAY - timedelta(days=3), **DYING)
    use(charlie, on=TODAY, engine="openai", model="gpt-transcribe")
    assert retiring.tell(TODAY) >= 1
    retiring.tell(TODAY)
    assert len(told(alice)) == 1
    assert (told(alice)[0].replacement, told(alice)[0].days_left) == ("openai/gpt-transcribe", 27)
    assert told(charlie) == []
    retiring.tell(TODAY + timedelta(days=21))
    assert len(told(alice)) == 2


def test_who_has_moved_on_is_left_alone(alice: Any) -> None:
    use(alice, on=TODAY - timedelta(days=31), **DYING)
    retiring.tell(TODAY)
    assert told(alice) == []


def test_it_is_in_the_audit_log(alice: Any) -> None:
    use(alice, on=TODAY, **DYING)
    retiring.tell(TODAY)
    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT subject FROM audit_entry WHERE tenant_id = %s AND action = %s", [alice.id, retiring.EVENT]
        )
        assert cursor.fetchall() == [("openai/whisper-1",)]


def test_it_takes_as_many_statements_for_many_tenants_as_for_none(new_tenant: Any, alice: Any) -> None:
    with CaptureQueriesContext(connections["system"]) as nobody:
        retiring.tell(TODAY)
    for person in (alice, new_tenant("bob")):
        use(person, on=TODAY - timedelta(days=40), **DYING)
    with CaptureQueriesContext(connections["system"]) as some:
        retiring.tell(TODAY)
    assert len(some) <= len(nobody)


def test_a_use_is_written_once_a_day(alice: Any) -> None:
    with tenant_context(alice.tenant), CaptureQueriesContext(connection) as statements:
        for _ in range(3):
            uses.note(alice.id, engine="a", model="b")
    assert sum("model_use" in statement["sql"] for statement in statements) == 1


def test_an_edit_changes_the_end_and_is_taken_back(migrated: None) -> None:
    editing.set_facts("openai/whisper-1", {"shutdown": "2027-06-30", "replacement": None})
    assert catalogue()["openai/whisper-1"].lifecycle.shutdown == date(2027, 6, 30)
    assert editing.reset("openai/whisper-1")
    assert catalogue()["openai/whisper-1"] == SEEDS["openai/whisper-1"]
    assert not editing.reset("openai/whisper-1")


@pytest.mark.parametrize(
    ("name", "facts", "adding"),
    [
        ("openai/whisper-1", {"shutdown": "soon"}, False),
        ("openai/whisper-1", {"cost_per_hour": "cheap"}, False),
        ("openai/whisper-1", {"replacement": "openai/whisper-1"}, False),
        ("openai/whisper-1", {"price": "1"}, False),
        ("openai/whisper-1", {}, True),
        ("openai/whisper-9", {}, False),
        ("openai", {}, True),
    ],
)
def test_a_wrong_edit_changes_nothing(migrated: None, name: str, facts: dict[str, Any], adding: bool) -> None:
    with pytest.raises(ValueError):
        editing.set_facts(name, facts, adding=adding)
    assert catalogue() == SEEDS
