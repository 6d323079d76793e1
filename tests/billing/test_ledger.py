"""The ledger only grows, and a tenant sees its own rows only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, connections, transaction

from billing.facade import HoldMissing, costs_of
from billing.models import Hold, UsageEntry, Wallet
from tenants.facade import tenant_context

TABLES = ("usage_entry", "usage_entry_{month}")
CHANGES = ("UPDATE {table} SET amount = 0", "DELETE FROM {table}", "TRUNCATE {table}")


@pytest.fixture
def settled(alice: Any, job: Callable[..., Any], inside: Callable[..., Any]) -> Any:
    done = job(alice)
    with inside(alice):
        done.hold()
        done.settle()
    return done


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("alias", ["default", "system", "owner"])
def test_no_role_can_change_the_ledger(
    settled: Any, entries_of: Callable[..., Any], alias: str, table: str, change: str
) -> None:
    sql = change.format(table=table.format(month=f"{settled.created_at:%Y%m}"))

    with (
        pytest.raises(DatabaseError, match=r"permission denied|is refused"),
        tenant_context(settled.owner.tenant),
        transaction.atomic(using=alias),
        connections[alias].cursor() as cursor,
    ):
        cursor.execute(sql)
    assert len(entries_of(settled)) == 1


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("table", TABLES)
def test_the_owner_is_stopped_by_the_trigger_itself(settled: Any, table: str, change: str) -> None:
    sql = change.format(table=table.format(month=f"{settled.created_at:%Y%m}"))

    with pytest.raises(DatabaseError, match="Add a correction"), connections["owner"].cursor() as cursor:
        cursor.execute(sql)


def test_a_partition_made_later_is_guarded_as_well() -> None:
    with connections["owner"].cursor() as cursor, transaction.atomic(using="owner"):
        cursor.execute("SELECT parlance_make_ledger_partitions(0, 9)")
        cursor.execute("SELECT to_char(now() + interval '9 months', '\"usage_entry_\"YYYYMM')")
        name = cursor.fetchone()[0]
        with pytest.raises(DatabaseError, match="Add a correction"), transaction.atomic(using="owner"):
            cursor.execute(f"TRUNCATE {name}")
        cursor.execute("SELECT parlance_make_ledger_partitions(0, 9)")
        assert cursor.fetchone()[0] == 0
        transaction.set_rollback(True, using="owner")


def counts() -> tuple[int, int, int]:
    return UsageEntry.objects.count(), Hold.objects.count(), Wallet.objects.count()


@pytest.fixture
def with_rows(alice: Any, settled: Any, job: Callable[..., Any], inside: Callable[..., Any]) -> Any:
    Wallet.objects.using("owner").create(tenant_id=alice.id, currency="USD", balance=1)
    with inside(alice):
        job(alice).hold()
    return alice


def test_a_tenant_sees_its_own_rows_and_nobody_elses(with_rows: Any, charlie: Any) -> None:
    with tenant_context(with_rows.tenant):
        assert counts() == (1, 1, 1)
    with tenant_context(charlie.tenant):
        assert counts() == (0, 0, 0)
    assert counts() == (0, 0, 0)


def see_nothing_and_fail(someone: Any) -> None:
    with tenant_context(someone.tenant):
        assert counts() == (0, 0, 0)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")


def test_a_reused_connection_forgets_the_tenant_on_rollback(with_rows: Any, charlie: Any) -> None:
    with tenant_context(charlie.tenant):
        assert counts() == (0, 0, 0)
    with transaction.atomic():
        with tenant_context(with_rows.tenant):
            assert counts() == (1, 1, 1)
        transaction.set_rollback(True)
    with tenant_context(charlie.tenant):
        assert counts() == (0, 0, 0)
    assert counts() == (0, 0, 0)


def test_a_reused_connection_forgets_the_tenant_after_an_error(with_rows: Any, charlie: Any) -> None:
    with tenant_context(with_rows.tenant):
        assert counts() == (1, 1, 1)
        with pytest.raises(DatabaseError), transaction.atomic():
            see_nothing_and_fail(charlie)
        assert counts() == (1, 1, 1)
    with tenant_context(charlie.tenant):
        assert counts() == (0, 0, 0)


def test_an_error_inside_a_savepoint_leaves_the_outer_tenant_in_force(with_rows: Any, charlie: Any) -> None:
    with tenant_context(with_rows.tenant), transaction.atomic():
        with pytest.raises(DatabaseError), transaction.atomic():
            see_nothing_and_fail(charlie)
        assert counts() == (1, 1, 1)
        with tenant_context(charlie.tenant):
            assert counts() == (0, 0, 0)


def test_a_tenant_cannot_hold_or_settle_for_another(
    alice: Any, charlie: Any, job: Callable[..., Any], inside: Callable[..., Any]
) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), inside(charlie):
        job(alice).hold()
    theirs = job(alice)
    with inside(alice):
        theirs.hold()
    with pytest.raises(HoldMissing), inside(charlie):
        theirs.settle()
    with tenant_context(alice.tenant):
        assert Hold.objects.filter(pk=theirs.id).exists()


def test_costs_come_from_the_months_asked_for_only(settled: Any, charlie: Any, statements: Callable[[], Any]) -> None:
    with tenant_context(settled.owner.tenant):
        with statements() as done:
            costs = costs_of([(settled.id, settled.created_at), (uuid4(), settled.created_at)])
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + done[-1])
            plan = "\n".join(row[0] for row in cursor.fetchall())
    with tenant_context(charlie.tenant):
        assert costs_of([(settled.id, settled.created_at)]) == {}

    assert list(costs) == [settled.id]
    assert set(re.findall(r"usage_entry_(\d{6})", plan)) == {f"{settled.created_at:%Y%m}"}


def test_the_app_role_can_neither_make_a_wallet_nor_widen_its_credit(with_rows: Any) -> None:
    with tenant_context(with_rows.tenant):
        for change in ({"credit_limit": 10**6}, {"currency": "KRW"}):
            with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                Wallet.objects.update(**change)
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            Wallet.objects.create(tenant_id=uuid4(), currency="USD", balance=1)


def test_no_costs_are_asked_for_without_jobs(statements: Callable[[], Any]) -> None:
    with statements() as done:
        assert costs_of([]) == {}
    assert len(done) == 0
