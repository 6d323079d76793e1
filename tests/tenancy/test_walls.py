"""Row-level security: the app role sees the rows of the tenant in force, and no others, whatever went before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, transaction

from apikit.walls import Wall
from tenants.facade import PUBLIC, tenant_context
from tenants.schemas import tenant_labels
from tests.tenancy.catalog import rows

# Tables of the public schema that hold no row of any tenant.
NOBODYS = {"django_migrations", "django_content_type"}
_VALUES = {
    "uuid": "gen_random_uuid()", "bool": "true", "jsonb": "'{}'", "bytea": "gen_random_uuid()::text::bytea",
    "timestamptz": "now()", "date": "current_date", "numeric": "1", "int2": "1", "int4": "1", "int8": "1",
    "varchar": "left(gen_random_uuid()::text, 3)", "text": "'x'",
}  # fmt: skip
# Where a check constraint wants a certain word.
_WORDS = {
    ("tenant", "schema_name"): "'t_' || md5(random()::text)", ("usage_entry", "kind"): "'usage'",
    ("usage_entry", "mode"): "'sync'", ("delivery", "state"): "'failed'",
    ("price_book", "version"): "(random() * 1e9)::int", ("price", "tier_mode"): "''",
    ("price", "book_id"): "(SELECT id FROM price_book WHERE tenant_id = %(tenant)s)",
    ("billing_contract", "starts_on"): "date '2001-01-01'", ("adjustment", "kind"): "'reversal'",
    ("adjustment", "status"): "'requested'",
    ("statement", "status"): "'draft'", ("statement", "total"): "2",
    **{(table, "staff_id"): "(SELECT id FROM staff WHERE tenant_id = %(tenant)s)"
       for table in ("staff_link", "staff_session")},
    ("staff", "language"): "''",
    ("statement_line", "statement_id"): "(SELECT id FROM statement WHERE tenant_id = %(tenant)s)",
}  # fmt: skip

# Rows that stand on a row of another table.
_PARENTS = {
    "price": "price_book", "statement_line": "statement", "staff_link": "staff", "staff_session": "staff",
}  # fmt: skip


def _walled() -> list[Wall]:
    from config.wiring import WALLS

    return [wall for wall in WALLS if wall.tenant_column]


WALLED = sorted(_walled(), key=lambda wall: wall.table)
NAMES = [wall.table for wall in WALLED]


def _made_up(wall: Wall) -> dict[str, str]:
    """A value for every column that needs one, from the catalog, so that a new table needs no line here."""
    columns = rows(
        """SELECT a.attname, t.typname, t.typcategory FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
         WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
         AND NOT a.attisdropped""",
        [f"public.{wall.table}"],
    )
    values = {name: "'{}'" if category == "A" else _VALUES.get(kind, "NULL") for name, kind, category in columns}
    words = {column: word for (table, column), word in _WORDS.items() if table == wall.table}
    return values | words | {str(wall.tenant_column): "%(tenant)s"}


def _insert(wall: Wall) -> str:
    values = _made_up(wall)
    return f"INSERT INTO public.{wall.table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


@contextmanager
def _a_row(wall: Wall, someone: Any) -> Iterator[None]:
    """The tenant has a row in the table: not to see it then means something."""
    where = f"FROM public.{wall.table} WHERE {wall.tenant_column} = %s"
    parent = _PARENTS.get(wall.table)
    with _a_row(next(one for one in WALLED if one.table == parent), someone) if parent else nullcontext():
        yield from _row_itself(wall, someone, where)


def _row_itself(wall: Wall, someone: Any, where: str) -> Iterator[None]:
    if wall.table == "usage_entry":
        _settle(someone)  # the ledger keeps what it gets: only a true entry may go there
    if wall.table == "wallet_entry":  # and so does a wallet's book
        _pay_in(someone)
    made_here = not rows(f"SELECT 1 {where}", [someone.id])
    with connections["owner"].cursor() as cursor:
        if made_here:
            cursor.execute(_insert(wall), {"tenant": someone.id})
        yield
        if made_here:
            cursor.execute(f"DELETE {where}", [someone.id])


def _pay_in(someone: Any) -> None:
    from billing.facade import set_wallet

    set_wallet(someone.id, currency="USD", balance=Decimal(1))


def _settle(someone: Any) -> None:
    from billing.facade import AUDIO_MS, MeasuredLine, place_hold, settle

    job_id, line = uuid4(), MeasuredLine("simulated", "", "batch", AUDIO_MS, 1_000, 1)
    owned: dict[str, Any] = {"tenant_id": someone.id, "livemode": True}
    with tenant_context(someone.tenant), transaction.atomic():
        place_hold(job_id, currency="USD", meter=AUDIO_MS, engines=["simulated"], expected=1_000, **owned)
        settle(job_id, api_key_id=someone.caller.key_id, subject_created_at=datetime.now(UTC), lines=[line], **owned)


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _owned(wall: Wall) -> str:
    """The rows that are somebody's: shared ones are everybody's to read."""
    return f"public.{wall.table} WHERE {wall.tenant_column} IS NOT NULL"


def _may(wall: Wall, right: str) -> bool:
    return right in wall.app


def test_every_public_table_with_a_tenant_stands_behind_a_wall(migrated: None) -> None:
    from config.wiring import WALLS

    tables = {
        name: (secured, forced)
        for name, secured, forced in rows(
            """SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"""
        )
    }
    assert set(tables) - NOBODYS == {wall.table for wall in WALLS}
    with_tenant = {
        name
        for (name,) in rows(
            """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
        )
    }
    assert with_tenant | {"tenant"} == set(NAMES)
    assert {tables[name] for name in NAMES} == {(True, True)}


def test_the_app_role_can_do_nothing_beside_the_walls(migrated: None) -> None:
    role = connection.settings_dict["USER"]
    assert rows("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = %s", [role]) == [
        (False, False, False)
    ]
    assert rows("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", [role]) == [(0,)]
    assert rows("SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole", [role]) == [(0,)]
    # A partition named directly has no policy of its own: only the right to it keeps the app out.
    partitions = rows(
        """SELECT relname FROM pg_class WHERE relispartition AND relnamespace = 'public'::regnamespace
         AND (has_table_privilege(%(role)s, oid, 'SELECT, INSERT, UPDATE, DELETE'))""",
        {"role": role},
    )
    assert partitions == []


@pytest.mark.parametrize("wall", WALLED, ids=NAMES)
def test_a_foreign_tenants_rows_are_invisible(alice: Any, charlie: Any, wall: Wall) -> None:
    column = f'"{wall.tenant_column}"'
    with _a_row(wall, alice), tenant_context(charlie.tenant), connection.cursor() as cursor:
        if _may(wall, "SELECT"):
            cursor.execute(f"SELECT count(*) FROM public.{wall.table} WHERE {column} <> %s", [charlie.id])
            assert cursor.fetchone()[0] == 0
        if _may(wall, "UPDATE") and not _may(wall, "UPDATE ("):
            cursor.execute(f"UPDATE public.{wall.table} SET {column} = {column} WHERE {column} = %s", [alice.id])
            assert cursor.rowcount == 0
        if _may(wall, "DELETE"):
            cursor.execute(f"DELETE FROM public.{wall.table} WHERE {column} = %s", [alice.id])
            assert cursor.rowcount == 0
        with tenant_context(alice.tenant):
            assert not _may(wall, "SELECT") or _count(f"public.{wall.table}") >= 1
    assert not _may(wall, "SELECT") or _count(_owned(wall)) == 0  # and without a tenant: nothing at all


@pytest.mark.parametrize("wall", [wall for wall in WALLED if _may(wall, "INSERT")], ids=lambda wall: wall.table)
def test_a_row_cannot_be_planted_on_a_foreign_tenant(alice: Any, charlie: Any, wall: Wall) -> None:
    refused = pytest.raises(DatabaseError, match="row-level security")
    with tenant_context(charlie.tenant), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_insert(wall), {"tenant": alice.id})


@pytest.mark.parametrize(
    "table", sorted(model._meta.db_table for model in apps.get_models() if model._meta.app_label in tenant_labels())
)
def test_a_qualified_name_reaches_no_foreign_schema(alice: Any, charlie: Any, table: str) -> None:
    qualified = f'"{alice.tenant.schema_name}"."{table}"'
    rights = rows("SELECT relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", [qualified])
    assert rights == [(True,)]
    for someone in (charlie.tenant, PUBLIC):
        with tenant_context(someone):
            assert _count(qualified) == 0
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO {qualified} DEFAULT VALUES")


def test_a_tenants_own_content_is_out_of_reach_by_a_qualified_name(alice: Any, charlie: Any) -> None:
    """The row is there, Alice sees it, and Charlie does not: neither by its table nor by its schema."""
    _keep_upload(alice)
    qualified = f'"{alice.tenant.schema_name}".upload'
    with tenant_context(alice.tenant):
        assert (_count("upload"), _count(qualified)) == (1, 1)
    with tenant_context(charlie.tenant):
        assert (_count("upload"), _count(qualified)) == (0, 0)


def _keep_upload(someone: Any) -> None:
    from speech.uploads import create_upload

    with tenant_context(someone.tenant):
        create_upload(someone.caller, filename="a", content_type="audio/wav", size_bytes=5, sha256="")


def _sees() -> tuple[int, int]:
    """Uploads and keys in sight: one of a tenant's schema, one of the public schema."""
    return _count("upload"), _count("public.api_key")


def _see_and_stumble(someone: Any) -> None:
    with tenant_context(someone.tenant):
        _sees()
    raise RuntimeError


def _break(kind: str, other: Any) -> None:
    """Leave the connection as accidents leave it."""
    if kind == "rollback":
        with pytest.raises(RuntimeError), transaction.atomic():
            _see_and_stumble(other)
    elif kind == "error":
        with pytest.raises(DatabaseError), transaction.atomic(), tenant_context(other.tenant):
            _count("no_such_table")
    elif kind == "savepoint":
        with transaction.atomic():
            with pytest.raises(RuntimeError), transaction.atomic():
                _see_and_stumble(other)
            _count("public.api_key")
    elif kind == "savepoint error":
        with transaction.atomic(), pytest.raises(DatabaseError), transaction.atomic(), tenant_context(other.tenant):
            _count("no_such_table")
    elif kind == "closed":
        connection.close()
    elif kind == "nested":
        with tenant_context(other.tenant), transaction.atomic():
            _sees()


ACCIDENTS = ["rollback", "error", "savepoint", "savepoint error", "closed", "nested"]


@pytest.mark.parametrize("accident", ACCIDENTS)
@pytest.mark.parametrize("looks", ["who was there", "who caused it"])
def test_a_reused_connection_shows_the_tenant_in_force(alice: Any, charlie: Any, accident: str, looks: str) -> None:
    _keep_upload(alice)
    for first, then in ((alice, charlie), (charlie, alice)):
        with tenant_context(first.tenant):
            _sees()
            _break(accident, then)
        someone = first if looks == "who was there" else then
        with tenant_context(someone.tenant):
            assert _sees() == ((1, 2) if someone is alice else (0, 2))
        assert _count("public.api_key") == 0


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_inside_a_transaction_a_savepoint_goes_back_to_its_own_tenant(alice: Any, charlie: Any, accident: str) -> None:
    if accident == "closed":
        return  # a transaction does not survive that
    _keep_upload(alice)
    with tenant_context(alice.tenant), transaction.atomic():
        assert _sees() == (1, 2)
        _break(accident, charlie)
        assert _sees() == (1, 2)


def test_a_thread_begins_without_a_tenant(alice: Any, charlie: Any) -> None:
    _keep_upload(alice)
    seen: list[Any] = []

    def work() -> None:
        try:
            seen.append(_count("public.api_key"))
            with tenant_context(alice.tenant):
                seen.append(_sees())
            seen.append(_count("public.api_key"))
            with tenant_context(charlie.tenant):
                seen.append(_sees())
        finally:
            connections.close_all()

    with tenant_context(alice.tenant):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == [0, (1, 2), 0, (0, 2)]


def test_a_request_thread_is_used_again_without_a_trace(alice: Any, charlie: Any) -> None:
    """One pool thread, many tenants in turn, as the web process does it."""
    import contextvars
    from concurrent.futures import ThreadPoolExecutor

    _keep_upload(alice)

    def see(someone: Any) -> tuple[int, int]:
        with tenant_context(someone.tenant):
            return _sees()

    with ThreadPoolExecutor(1) as pool:
        turns = [alice, charlie] * 10
        seen = [pool.submit(contextvars.copy_context().run, see, someone).result() for someone in turns]
        pool.submit(connections.close_all).result()
    assert seen == [(1, 2), (0, 2)] * 10


def test_nothing_of_a_tenant_is_seen_without_one(alice: Any) -> None:
    for wall in WALLED:
        if _may(wall, "SELECT"):
            assert _count(_owned(wall)) == 0
    with pytest.raises(DatabaseError, match="does not exist"):
        _count("upload")
    with tenant_context(alice.tenant):
        assert _count("public.tenant") == 1
