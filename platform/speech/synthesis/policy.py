"""What a tenant does not want said: checked before anything is held, spoken or taken from the cache.

Two checks, both optional: a list of terms, and a moderator of the tenant's own that is asked over HTTPS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal
from uuid import UUID

from django.db import connection, transaction

from apikit.facade import Problem
from events.facade import record_audit
from observe.facade import get_logger
from speech.models import ContentPolicy
from speech.synthesis import moderators, terms
from speech.synthesis.contracts import SpeechOrder
from speech.synthesis.errors import ContentRefused
from speech.synthesis.ssml import spoken_of, substitutes_in
from tenants.facade import Caller, Kept

WhenDown = Literal["refuse", "allow"]
_RULES = "SELECT deny_terms, moderator_url, when_moderator_fails FROM content_policy WHERE livemode = %s"
MAX_KEPT = 50  # terms: a longer list is read for each text
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """A tenant's content policy in one mode; without a row nothing is forbidden."""

    deny_terms: tuple[str, ...] = ()
    moderator_url: str | None = None
    when_moderator_fails: WhenDown = "refuse"


_kept: Kept[tuple[UUID, bool], Rules] = Kept(
    "content_policy", size=2_000, worth=lambda rules: len(rules.deny_terms) <= MAX_KEPT
)


def rules_of(caller: Caller) -> Rules:
    """The policy in force for the key's mode."""
    with connection.cursor() as cursor:
        cursor.execute(_RULES, [caller.livemode])
        row = cursor.fetchone()
    if row is None:
        return Rules()
    deny_terms, moderator_url, when_moderator_fails = row
    return Rules(tuple(deny_terms), moderator_url or None, when_moderator_fails)


def set_rules(caller: Caller, rules: Rules) -> None:
    """Replace the policy, from the next request on; raises `UrlBlocked`. The log gets counts, never terms or URLs."""
    if rules.moderator_url is not None:
        moderators.check_moderator_url(rules.moderator_url)
    fields = {
        "deny_terms": list(rules.deny_terms), "moderator_url": rules.moderator_url or "",
        "when_moderator_fails": rules.when_moderator_fails,
    }  # fmt: skip
    with transaction.atomic():
        _kept.changed()
        before = _told(rules_of(caller))
        ContentPolicy.objects.update_or_create(livemode=caller.livemode, defaults=fields)
        record_audit(
            "content_policy.changed", actor=str(caller.key_id), subject="live" if caller.livemode else "test",
            tenant_id=caller.tenant_id, before=before, after=_told(rules),
        )  # fmt: skip


def check(caller: Caller, order: SpeechOrder) -> None:
    """Raises `ContentRefused` for what may not be said; a 503 `Problem` when nobody could tell."""
    rules = _kept.get((caller.tenant_id, caller.livemode), partial(rules_of, caller))
    said = _said(order)
    if rules.deny_terms:
        seen = [order.text, *said] if order.said_as else said  # as it was sent and as it will sound
        if terms.contains_any(terms.folded("\n".join(seen)), _folded(rules.deny_terms)):
            raise ContentRefused("The text holds a term that the content policy forbids. Change the text.")
    if rules.moderator_url is not None:
        _moderate(rules, text="\n".join(said), caller=caller)


def _said(order: SpeechOrder) -> list[str]:
    """Everything that would be heard, also what stands in SSML's attributes."""
    if order.is_ssml:
        return [spoken_of(order.text), *substitutes_in(order.text)]
    return [order.said_as or order.text]


@lru_cache(maxsize=64)
def _folded(listed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(terms.folded, listed))


def _moderate(rules: Rules, *, text: str, caller: Caller) -> None:
    try:
        verdict = moderators.ask(rules.moderator_url or "", text=text, tenant_id=caller.tenant_id)
    except moderators.ModeratorFailed as error:
        log.warning("moderator_failed", tenant_id=str(caller.tenant_id), reason=str(error))
        if rules.when_moderator_fails == "allow":
            return
        detail = "The moderator of the content policy gave no verdict, so the text was refused. Send it again later."
        raise Problem("moderator_unavailable", 503, detail, headers={"Retry-After": "5"}) from None
    if not verdict.allowed:
        why = f": {verdict.reason}" if verdict.reason else ""
        raise ContentRefused(f"The content policy's moderator refused the text{why}. Change the text.")


def _told(rules: Rules) -> dict[str, object]:
    return {
        "deny_terms": len(rules.deny_terms), "moderator": rules.moderator_url is not None,
        "when_moderator_fails": rules.when_moderator_fails,
    }  # fmt: skip


def cleaned(listed: Sequence[str]) -> tuple[str, ...]:
    """The terms NFC, once each, in their order."""
    return tuple({terms.folded(term): term for term in reversed(listed)}.values())[::-1]
