"""Tags by keyed hash: 16 bytes that say nothing without the name beside them in the tenant's schema."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from apikit.arrays import array

DIGEST_BYTES = 16

# Inside a statement that an app joins with its own rows; `job` must be one of its parts.
KEEP_NAMES = """INSERT INTO usage_tag (digest, tag)
  SELECT t.digest, t.tag FROM job, unnest(%(tag_digests)s::bytea[], %(tag_names)s::varchar[]) AS t (digest, tag)
  ON CONFLICT DO NOTHING"""
_KEEP = """INSERT INTO usage_tag (digest, tag) SELECT * FROM unnest(%(tag_digests)s::bytea[], %(tag_names)s::varchar[])
  ON CONFLICT DO NOTHING"""


def tag_digests(tenant_id: UUID, tags: Sequence[str]) -> list[bytes]:
    """One digest per different tag, in a fixed order."""
    return sorted({_digest(tenant_id, tag) for tag in tags})


def tag_values(tenant_id: UUID, tags: Sequence[str]) -> dict[str, Any]:
    """What `KEEP_NAMES` takes."""
    names = sorted(set(tags))
    return {"tag_digests": array([_digest(tenant_id, tag) for tag in names]), "tag_names": array(names)}


def keep_names(tenant_id: UUID, tags: Sequence[str]) -> None:
    """Keep the names beside their digests, in the caller's transaction and tenant."""
    if tags:
        with connection.cursor() as cursor:
            cursor.execute(_KEEP, tag_values(tenant_id, tags))


def erase_tag(tag: str) -> bool:
    """Forget the name, in the tenant in force; usage keeps its sums. False when it was not known."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM usage_tag WHERE tag = %s", [tag])
        return bool(cursor.rowcount)


def names_of(digests: Sequence[bytes]) -> dict[bytes, str]:
    """The names that are known, in the tenant in force."""
    if not digests:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest, tag FROM usage_tag WHERE digest = ANY(%s)", [list(digests)])
        return {bytes(digest): tag for digest, tag in cursor.fetchall()}


def digests_of(tag: str) -> list[bytes]:
    """Every digest of the name, older keys' too, in the tenant in force."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM usage_tag WHERE tag = %s", [tag])
        return [bytes(digest) for (digest,) in cursor.fetchall()]


def _digest(tenant_id: UUID, tag: str) -> bytes:
    name = unicodedata.normalize("NFC", tag).encode()
    return hmac.digest(_key(tenant_id), name, hashlib.sha256)[:DIGEST_BYTES]


@lru_cache(maxsize=4096)
def _key(tenant_id: UUID) -> bytes:
    return hmac.digest(settings.SECRET_KEY.encode(), b"usage tags\0" + tenant_id.bytes, hashlib.sha256)
