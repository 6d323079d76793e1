"""A tenant's pronunciation dictionary: kept per mode, applied when an order is accepted.

The order keeps the text as it is to be said. So a change of the dictionary never reaches a job that is under way, and
never gives out old audio for a text that would sound otherwise now.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from events.facade import record_audit
from speech.models import DictionaryEntry
from speech.synthesis.errors import TermTaken, TextUnusable
from speech.synthesis.pronouncing import Pronounced, Saying, languages_for, pronounced
from speech.synthesis.shelves import require_room
from tenants.facade import Caller, Kept

MAX_ENTRIES = 1_000  # per tenant and mode
# What the customer sent is billed, so what is spoken may not grow without end.
MAX_GROWTH = 3
FREE_CHARACTERS = 400
MAX_KEPT = 50  # entries of a language: a longer list is read for each text
_ENTRIES = "SELECT language, term, say_as FROM dictionary_entry WHERE livemode = %s AND language = ANY(%s)"
_kept: Kept[tuple[UUID, bool, str], list[Saying]] = Kept(
    "dictionary", size=2_000, worth=lambda entries: len(entries) <= MAX_KEPT
)


def said_as(text: str, *, language: str, caller: Caller) -> Pronounced:
    """The text as the tenant's dictionary wants it said; `said` is "" when nothing of it applies."""
    entries = _kept.get((caller.tenant_id, caller.livemode, language), partial(_read, caller, language=language))
    found = pronounced(text, entries)
    if len(found.said) > MAX_GROWTH * len(text) + FREE_CHARACTERS:
        detail = f"The dictionary makes this text more than {MAX_GROWTH} times as long. Shorten its say_as."
        raise TextUnusable("dictionary_too_long", detail)
    return Pronounced("") if found.said == text else found


def _read(caller: Caller, *, language: str) -> list[Saying]:
    with connection.cursor() as cursor:
        cursor.execute(_ENTRIES, [caller.livemode, languages_for(language)])
        return [Saying(*values) for values in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class EntryChange:
    """What to change of an entry; None leaves it as it is."""

    term: str | None = None
    say_as: str | None = None


def find_entry(caller: Caller, entry_id: UUID) -> DictionaryEntry | None:
    """The caller's entry of the key's own mode, or None."""
    return DictionaryEntry.objects.filter(pk=entry_id, livemode=caller.livemode).first()


def list_entries(caller: Caller, *, limit: int, after: UUID | None, language: str | None) -> list[DictionaryEntry]:
    """Up to `limit` entries, newest first."""
    rows = DictionaryEntry.objects.filter(livemode=caller.livemode)
    rows = rows.filter(language=language.lower()) if language else rows
    return list((rows.filter(id__lt=after) if after else rows).order_by("-id")[:limit])


def create_entry(caller: Caller, saying: Saying) -> DictionaryEntry:
    """Add an entry; raises `TermTaken` or `ShelfFull`."""
    own, language = DictionaryEntry.objects.filter(livemode=caller.livemode), saying.language.lower()
    with transaction.atomic():
        require_room(caller, own, limit=MAX_ENTRIES, kind="dictionary entries")
        if own.filter(language=language, term=saying.term).exists():
            raise TermTaken
        row = DictionaryEntry.objects.create(
            livemode=caller.livemode, language=language, term=saying.term, say_as=saying.say_as
        )
        _changed(caller, "created", row, after={"language": language})
    return row


def change_entry(caller: Caller, entry_id: UUID, *, change: EntryChange) -> DictionaryEntry | None:
    """Change an entry for every order from now on; None when there is none. Raises `TermTaken`."""
    with transaction.atomic():
        row = DictionaryEntry.objects.select_for_update().filter(pk=entry_id, livemode=caller.livemode).first()
        if row is None:
            return None
        before = row.term, row.say_as
        row.term, row.say_as = change.term or row.term, change.say_as or row.say_as
        others = DictionaryEntry.objects.filter(livemode=row.livemode, language=row.language, term=row.term)
        if others.exclude(pk=row.pk).exists():
            raise TermTaken
        row.save(update_fields=["term", "say_as"])
        told = {"language": row.language}
        changed = {"term_changed": row.term != before[0], "say_as_changed": row.say_as != before[1]}
        _changed(caller, "changed", row, before=told, after=told | changed)
    return row


def delete_entry(caller: Caller, entry_id: UUID) -> bool:
    """Forget an entry; False when there is none."""
    with transaction.atomic():
        row = DictionaryEntry.objects.select_for_update().filter(pk=entry_id, livemode=caller.livemode).first()
        if row is None:
            return False
        _changed(caller, "deleted", row, before={"language": row.language})
        row.delete()
    return True


def _changed(caller: Caller, action: str, row: DictionaryEntry, **states: Any) -> None:
    """For the log and for every process. Terms are the tenant's content and stay out of the log: the row's id stands
    for them."""
    _kept.changed()
    record_audit(
        f"dictionary_entry.{action}", actor=str(caller.key_id), subject=str(row.id), tenant_id=caller.tenant_id,
        **states,
    )  # fmt: skip
