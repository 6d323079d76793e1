"""Settings of the comparison: Django as it comes, a new database connection for each request, no pool."""

from __future__ import annotations

from config.settings import *  # noqa: F403
from config.settings import DATABASES

ROOT_URLCONF = "benchmarks.stock_app"
DATABASES["default"] |= {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
