"""Routes of a tenant's own names for voices."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit.facade import MAX_LIMIT, ProblemOut, decode_cursor, not_found, page
from speech.models import VoiceAlias
from speech.resources import stamp
from speech.routes.shared import answer
from speech.synthesis import aliases
from speech.synthesis.custom_schemas import (
    CustomDeletedOut,
    VoiceAliasIn,
    VoiceAliasListOut,
    VoiceAliasOut,
    VoiceAliasPatch,
)
from tenants.facade import ApiKeyAuth, caller_with

READ, MANAGE = "speech:read", "speech:manage"

router = Router(auth=ApiKeyAuth(), tags=["speech"])


@router.post("", response={201: VoiceAliasOut, 409: ProblemOut}, summary="Name a voice")
def create_voice_alias(request: HttpRequest, body: VoiceAliasIn) -> HttpResponse:
    """A name that may stand wherever a voice is asked for, in this key's mode."""
    row = aliases.create_alias(caller_with(request, MANAGE), name=body.name, voice=body.voice)
    return answer(_shown(row), status=201)


@router.get("", response={200: VoiceAliasListOut}, summary="List names of voices")
def list_voice_aliases(
    request: HttpRequest, limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20, cursor: str | None = None
) -> HttpResponse:
    """Newest first."""
    caller = caller_with(request, READ)
    rows = aliases.list_aliases(caller, limit=limit + 1, after=decode_cursor(cursor) if cursor else None)
    return answer(page(rows, limit=limit, id_of=lambda row: row.id, shown=_shown))


@router.get("/{alias_name}", response={200: VoiceAliasOut}, summary="Get a name of a voice")
def get_voice_alias(request: HttpRequest, alias_name: str) -> HttpResponse:
    """The voice that the name means."""
    return answer(_shown(_found(aliases.find_alias(caller_with(request, READ), alias_name))))


@router.patch("/{alias_name}", response={200: VoiceAliasOut}, summary="Change what a name means")
def change_voice_alias(request: HttpRequest, alias_name: str, body: VoiceAliasPatch) -> HttpResponse:
    """Holds for every request from now on."""
    return answer(_shown(_found(aliases.change_alias(caller_with(request, MANAGE), alias_name, voice=body.voice))))


@router.delete("/{alias_name}", response={200: CustomDeletedOut}, summary="Delete a name of a voice")
def delete_voice_alias(request: HttpRequest, alias_name: str) -> HttpResponse:
    """Requests that use the name are refused from now on."""
    if not aliases.delete_alias(caller_with(request, MANAGE), alias_name):
        raise not_found("voice alias")
    return answer({"object": "voice_alias", "deleted": True})


def _found(row: VoiceAlias | None) -> VoiceAlias:
    if row is None:
        raise not_found("voice alias")
    return row


def _shown(row: VoiceAlias) -> dict[str, Any]:
    return {
        "name": row.name,
        "object": "voice_alias",
        "livemode": row.livemode,
        "voice": row.voice,
        "created": stamp(row.created_at),
    }
