"""`client.dictionary`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import OMIT, Call, Omit, RequestOptions, parse, quoted
from parlance._generated.models import CustomDeleted, DictionaryEntry
from parlance._model import Model


class AsyncDictionaryResourceWithRawResponse:
    def __init__(self, resource: AsyncDictionaryResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.delete = a_raw(resource.delete)
        self.get = a_raw(resource.get)
        self.update = a_raw(resource.update)


class AsyncDictionaryResource:
    """`client.dictionary`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncDictionaryResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncDictionaryResourceWithRawResponse(self)

    def list(
        self,
        *,
        language: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[DictionaryEntry]:
        """List pronunciations.

        Newest first; `language` as it was sent with the entry.
        """
        call = Call(
            "GET", "/v1/dictionary", query={"language": language, "limit": limit, "cursor": cursor}, options=options
        )
        return AsyncPager(self._transport, call, DictionaryEntry, Model)

    async def create(
        self, *, language: str, say_as: str, term: str, options: RequestOptions | None = None
    ) -> DictionaryEntry:
        """Add a pronunciation.

        How a term is said in plain text from now on; SSML is never changed.

        `language`: `en` holds for every English, `en-US` for that one and before `en`.
        `say_as`: Plain text that sounds right. The text that was sent is what is billed.
        `term`: Found as whole words. Without capitals in any case, with one as it is written.
        """
        call = Call(
            "POST", "/v1/dictionary", body={"language": language, "say_as": say_as, "term": term}, options=options
        )
        response = await self._transport.send(call)
        return parse(response, DictionaryEntry)

    async def delete(self, entry_id: str, *, options: RequestOptions | None = None) -> CustomDeleted:
        """Delete a pronunciation.

        The term is said as it is written from now on.
        """
        call = Call("DELETE", f"/v1/dictionary/{quoted(entry_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, CustomDeleted)

    async def get(self, entry_id: str, *, options: RequestOptions | None = None) -> DictionaryEntry:
        """Get a pronunciation.

        One entry.
        """
        call = Call("GET", f"/v1/dictionary/{quoted(entry_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, DictionaryEntry)

    async def update(
        self,
        entry_id: str,
        *,
        say_as: str | Omit | None = OMIT,
        term: str | Omit | None = OMIT,
        options: RequestOptions | None = None,
    ) -> DictionaryEntry:
        """Change a pronunciation.

        Holds for every order from now on; audio of before is not given out for texts that would sound
        otherwise.
        """
        call = Call(
            "PATCH", f"/v1/dictionary/{quoted(entry_id)}", body={"say_as": say_as, "term": term}, options=options
        )
        response = await self._transport.send(call)
        return parse(response, DictionaryEntry)
