"""The database backend: before each cursor, schema and row-level security follow `tenants.context`.

Only the `default` connection (the role behind the walls) follows. `system` and `owner` stay in the schema they were
put in, which is `public` unless migration code selects another.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django_tenants.postgresql_backend import base as django_tenants_base

from tenants.context import current_tenant

TRUSTED_S = 1.0
_SET = "SELECT set_config('search_path', %s, false), set_config('app.tenant_id', %s, false)"


class DatabaseWrapper(django_tenants_base.DatabaseWrapper):  # type: ignore[misc]  # the library has no types
    """PostgreSQL, one schema per tenant, chosen by context."""

    search_path_set_schemas: tuple[str, Any] | None
    _setting_search_path: bool
    _used_at = 0.0

    def _cursor(self, name: str | None = None) -> Any:
        if self.alias == DEFAULT_DB_ALIAS:
            wanted = current_tenant()
            if wanted is not self.tenant:
                self.set_tenant(wanted)
        self._used_at = time.monotonic()
        return super()._cursor(name)

    def is_usable(self) -> bool:
        """Asks the server only when the connection lay still: under load every request would pay for the question."""
        if not self.errors_occurred and time.monotonic() - self._used_at < TRUSTED_S:
            return True
        return bool(super().is_usable())

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """Remember the tenant; the next cursor tells PostgreSQL. (The parent also clears a cache we do not use.)"""
        self.tenant = tenant
        self.schema_name = tenant.schema_name
        self.include_public_schema = include_public
        wanted = (self.schema_name, getattr(tenant, "id", None))
        if self.search_path_set_schemas != wanted:
            self.search_path_set_schemas = None

    def _handle_search_path(self, cursor: Any = None) -> None:
        """One statement sets path and tenant; none when the connection already stands there."""
        if self._setting_search_path or self.search_path_set_schemas is not None:
            return
        paths = ",".join(django_tenants_base.quote_schema_name(path) for path in self._get_cursor_search_paths())
        tenant_id = getattr(self.tenant, "id", None)
        self._setting_search_path = True
        own = cursor if cursor is not None else self.connection.cursor()
        try:
            own.execute(_SET, [paths, str(tenant_id or "")])
            self.search_path_set_schemas = (self.schema_name, tenant_id)
        except django_tenants_base.DatabaseError:
            # An aborted transaction: whatever comes next but a rollback fails as well.
            self.search_path_set_schemas = None
        finally:
            self._setting_search_path = False
            if cursor is None:
                own.close()
