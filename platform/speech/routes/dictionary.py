"""Routes of the pronunciation dictionary."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from apikit import ids
from apikit.facade import MAX_LIMIT, ProblemOut, decode_cursor, not_found, page
from speech.contradictions import check_language
from speech.models import DictionaryEntry
from speech.resources import stamp
from speech.routes.shared import answer
from speech.schemas import Language
from speech.synthesis import dictionary
from speech.synthesis.custom_schemas import (
    CustomDeletedOut,
    DictionaryEntryIn,
    DictionaryEntryOut,
    DictionaryEntryPatch,
    DictionaryOut,
)
from speech.synthesis.pronouncing import Saying
from tenants.facade import ApiKeyAuth, caller_with

READ, MANAGE = "speech:read", "speech:manage"

router = Router(auth=ApiKeyAuth(), tags=["speech"])


@router.post("", response={201: DictionaryEntryOut, 409: ProblemOut}, summary="Add a pronunciation")
def create_dictionary_entry(request: HttpRequest, body: DictionaryEntryIn) -> HttpResponse:
    """How a term is said in plain text from now on; SSML is never changed."""
    caller = caller_with(request, MANAGE)
    check_language(body.language, field="language")
    row = dictionary.create_entry(caller, Saying(body.language, body.term, body.say_as))
    location = f"/v1/dictionary/{ids.show(ids.DICTIONARY_ENTRY, row.id)}"
    return answer(_shown(row), status=201, headers={"Location": location})


@router.get("", response={200: DictionaryOut}, summary="List pronunciations")
def list_dictionary(
    request: HttpRequest,
    language: Language | None = None,
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20,
    cursor: str | None = None,
) -> HttpResponse:
    """Newest first; `language` as it was sent with the entry."""
    caller, after = caller_with(request, READ), decode_cursor(cursor) if cursor else None
    check_language(language, field="language")
    rows = dictionary.list_entries(caller, limit=limit + 1, after=after, language=language)
    return answer(page(rows, limit=limit, id_of=lambda row: row.id, shown=_shown))


@router.get("/{entry_id}", response={200: DictionaryEntryOut}, summary="Get a pronunciation")
def get_dictionary_entry(request: HttpRequest, entry_id: str) -> HttpResponse:
    """One entry."""
    return answer(_shown(_found(dictionary.find_entry(caller_with(request, READ), _id(entry_id)))))


@router.patch("/{entry_id}", response={200: DictionaryEntryOut}, summary="Change a pronunciation")
def change_dictionary_entry(request: HttpRequest, entry_id: str, body: DictionaryEntryPatch) -> HttpResponse:
    """Holds for every order from now on; audio of before is not given out for texts that would sound otherwise."""
    caller, change = caller_with(request, MANAGE), dictionary.EntryChange(body.term, body.say_as)
    return answer(_shown(_found(dictionary.change_entry(caller, _id(entry_id), change=change))))


@router.delete("/{entry_id}", response={200: CustomDeletedOut}, summary="Delete a pronunciation")
def delete_dictionary_entry(request: HttpRequest, entry_id: str) -> HttpResponse:
    """The term is said as it is written from now on."""
    if not dictionary.delete_entry(caller_with(request, MANAGE), _id(entry_id)):
        raise not_found("dictionary entry")
    return answer({"object": "dictionary_entry", "deleted": True})


def _id(shown: str) -> UUID:
    parsed = ids.parse(ids.DICTIONARY_ENTRY, shown)
    if parsed is None:
        raise not_found("dictionary entry")
    return parsed


def _found(row: DictionaryEntry | None) -> DictionaryEntry:
    if row is None:
        raise not_found("dictionary entry")
    return row


def _shown(row: DictionaryEntry) -> dict[str, Any]:
    return {
        "id": ids.show(ids.DICTIONARY_ENTRY, row.id),
        "object": "dictionary_entry",
        "livemode": row.livemode,
        "language": row.language,
        "term": row.term,
        "say_as": row.say_as,
        "created": stamp(row.created_at),
    }
