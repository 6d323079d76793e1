"""Arrays for PostgreSQL as text: psycopg works out the type of each list anew, which costs more than the statement."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def array(values: Sequence[str | bytes | int | Decimal]) -> str:
    r"""A parameter for a placeholder that names its type, such as `%s::text[]`; no element may be None.

    >>> array([]), array([1, 2]), array(['a "b"', ""]), array([b"\x01\xff"])
    ('{}', '{1,2}', '{"a \\"b\\"",""}', '{"\\\\x01ff"}')
    """
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | bytes | int | Decimal) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f'"\\\\x{value.hex()}"' if isinstance(value, bytes) else str(value)
