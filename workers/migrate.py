"""Brings the database up to date: public schema, walls, then every tenant's schema that is behind."""

from __future__ import annotations

import os
import sys

import django


def main() -> int:
    """Run all migrations; prints one line per tenant upgraded."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from billing.facade import seed_default_books
    from config import wiring
    from tenants.facade import migrate_public, outdated, upgrade

    migrate_public(wiring.WALLS, wiring.FUNCTIONS)
    seed_default_books()
    behind = outdated()
    for number, tenant in enumerate(behind, start=1):
        upgrade(tenant)
        sys.stdout.write(f"tenant {number}/{len(behind)} upgraded\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
