"""The API this was made from.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

API_VERSION = "0.1.0"
