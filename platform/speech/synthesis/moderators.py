"""Asking a tenant's own moderator: one POST through the guarded way out, and a short patience."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from egress.facade import Client, EgressError, Policy, UrlBlocked, check_url, untrusted

DEADLINE_S = 3.0  # a request waits for it
AT_ONCE = 4  # of one tenant in one process: a moderator that hangs must not take every thread of the web service
MAX_REASON_CHARACTERS = 200
_busy: Counter[UUID] = Counter()
_busy_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a moderator said."""

    allowed: bool
    reason: str = ""


class ModeratorFailed(Exception):
    """No verdict: unreachable, too slow, busy, or an answer that is none."""


def check_moderator_url(url: str) -> None:
    """Raises `UrlBlocked` unless a moderator may stand there: https, and plain http for development's own receiver."""
    target = check_url(url, policy=_policy(), resolve=True)
    if target.scheme != "https" and (target.host, target.port) not in _policy().exact:
        raise UrlBlocked("scheme")


def ask(url: str, *, text: str, tenant_id: UUID) -> Verdict:
    """The verdict on a text; raises `ModeratorFailed`, which holds nothing of the text or the URL."""
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "user-agent": "Parlance/1 (+content-policy)"}
    with _seat(tenant_id):
        try:
            answer = _client().request("POST", url=url, headers=headers, content=body)
        except EgressError as error:
            raise ModeratorFailed(error.code) from None
    if answer.status != 200 or answer.truncated:
        raise ModeratorFailed(f"status_{answer.status}")
    return _verdict(answer.body)


def _verdict(body: bytes) -> Verdict:
    try:
        answer = json.loads(body)
        allowed, reason = answer["allowed"], answer.get("reason") or ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ModeratorFailed("not_a_verdict") from None
    if not isinstance(allowed, bool) or not isinstance(reason, str):
        raise ModeratorFailed("not_a_verdict")
    shown = "".join(letter for letter in reason if letter.isprintable())
    return Verdict(allowed, shown[:MAX_REASON_CHARACTERS])


@contextmanager
def _seat(tenant_id: UUID) -> Iterator[None]:
    with _busy_lock:
        if _busy[tenant_id] >= AT_ONCE:
            raise ModeratorFailed("busy")
        _busy[tenant_id] += 1
    try:
        yield
    finally:
        with _busy_lock:
            _busy[tenant_id] -= 1
            if not _busy[tenant_id]:
                del _busy[tenant_id]


@lru_cache(maxsize=1)
def _policy() -> Policy:
    return untrusted(allow=settings.EGRESS_ALLOW, development=settings.MODE == "development")


@lru_cache(maxsize=1)
def _client() -> Client:
    return Client(_policy(), connect_timeout_s=DEADLINE_S, total_timeout_s=DEADLINE_S)
