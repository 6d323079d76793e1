"""The peppers in force."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from tenants import keys


@lru_cache(maxsize=1)
def peppers() -> keys.Peppers:
    """Read once."""
    return keys.Peppers(keys.parse_versions(settings.KEY_PEPPERS))
