"""A tenant's own names for voices: what an application says stays when the voice behind it changes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from events.facade import record_audit
from speech.models import VoiceAlias
from speech.synthesis.errors import AliasTaken, NoVoice
from speech.synthesis.shelves import require_room
from speech.synthesis.voices import known_voices
from tenants.facade import Caller, Kept

MAX_ALIASES = 200  # per tenant and mode
# No slash: every voice's id has one, so that an alias can never stand in for an id.
_NAME = re.compile(r"[^\W_][\w.-]{0,63}")

_kept: Kept[tuple[UUID, bool], dict[str, str]] = Kept("voice_aliases", size=1_000)


def name_of(text: str) -> str | None:
    """The name as it is kept and compared, or None when it cannot be one.

    >>> name_of("Narrator"), name_of("아나운서"), name_of("espeak-ng/ko")
    ('narrator', '아나운서', None)
    """
    normal = unicodedata.normalize("NFC", text).lower()
    return normal if _NAME.fullmatch(normal) else None


def voice_id_of(name: str, *, caller: Caller) -> str | None:
    """The voice that the tenant calls so. It wins over a voice's own short name: the tenant has said what it means."""
    wanted = name_of(name)
    if wanted is None:
        return None
    return _kept.get((caller.tenant_id, caller.livemode), partial(_voices_by_name, caller)).get(wanted)


def _voices_by_name(caller: Caller) -> dict[str, str]:
    return dict(VoiceAlias.objects.filter(livemode=caller.livemode).values_list("name", "voice"))


def names_by_voice(caller: Caller) -> dict[str, list[str]]:
    """The tenant's names of each voice that has any; one query."""
    names: dict[str, list[str]] = {}
    for row in VoiceAlias.objects.filter(livemode=caller.livemode).order_by("name"):
        names.setdefault(row.voice, []).append(row.name)
    return names


def find_alias(caller: Caller, name: str) -> VoiceAlias | None:
    """The caller's alias of the key's own mode, or None."""
    wanted = name_of(name)
    return VoiceAlias.objects.filter(livemode=caller.livemode, name=wanted).first() if wanted else None


def list_aliases(caller: Caller, *, limit: int, after: UUID | None) -> list[VoiceAlias]:
    """Up to `limit` aliases, newest first."""
    rows = VoiceAlias.objects.filter(livemode=caller.livemode)
    return list((rows.filter(id__lt=after) if after else rows).order_by("-id")[:limit])


def create_alias(caller: Caller, *, name: str, voice: str) -> VoiceAlias:
    """Name a voice; raises `AliasTaken`, `NoVoice` or `ShelfFull`."""
    own, known = VoiceAlias.objects.filter(livemode=caller.livemode), _known(voice)
    with transaction.atomic():
        require_room(caller, own, limit=MAX_ALIASES, kind="voice aliases")
        if own.filter(name=name).exists():
            raise AliasTaken(name)
        row = VoiceAlias.objects.create(livemode=caller.livemode, name=name, voice=known)
        _changed(caller, "voice_alias.created", row, after={"voice": known})
    return row


def change_alias(caller: Caller, name: str, *, voice: str) -> VoiceAlias | None:
    """Let the name mean another voice from the next request on; None when there is no such name."""
    known = _known(voice)
    with transaction.atomic():
        row = _locked(caller, name)
        if row is not None:
            before, row.voice = row.voice, known
            row.save(update_fields=["voice"])
            _changed(caller, "voice_alias.changed", row, before={"voice": before}, after={"voice": known})
    return row


def delete_alias(caller: Caller, name: str) -> bool:
    """Forget the name; False when there is none. Jobs accepted with it keep their voice."""
    with transaction.atomic():
        row = _locked(caller, name)
        if row is None:
            return False
        _changed(caller, "voice_alias.deleted", row, before={"voice": row.voice})
        row.delete()
    return True


def _locked(caller: Caller, name: str) -> VoiceAlias | None:
    return VoiceAlias.objects.select_for_update().filter(livemode=caller.livemode, name=name_of(name) or "").first()


def _known(voice: str) -> str:
    if voice not in {one.id for one in known_voices()}:
        raise NoVoice(
            "unknown_voice", "There is no voice of that id. GET /v1/voices lists them; use an `id` from there."
        )
    return voice


def _changed(
    caller: Caller, action: str, row: VoiceAlias, *, before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """For the log and for every process. Names are the tenant's content and stay out of the log: the row's id stands
    for it."""
    _kept.changed()
    record_audit(
        action, actor=str(caller.key_id), subject=str(row.id), tenant_id=caller.tenant_id, before=before, after=after
    )
