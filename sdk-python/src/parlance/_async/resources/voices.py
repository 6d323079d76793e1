"""`client.voices`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import CustomDeleted, Voice, VoiceAlias
from parlance._model import Model


class AsyncVoicesAliasesResourceWithRawResponse:
    def __init__(self, resource: AsyncVoicesAliasesResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.delete = a_raw(resource.delete)
        self.get = a_raw(resource.get)
        self.update = a_raw(resource.update)


class AsyncVoicesAliasesResource:
    """`client.voices.aliases`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncVoicesAliasesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncVoicesAliasesResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> AsyncPager[VoiceAlias]:
        """List names of voices.

        Newest first.
        """
        call = Call("GET", "/v1/voices/aliases", query={"limit": limit, "cursor": cursor}, options=options)
        return AsyncPager(self._transport, call, VoiceAlias, Model)

    async def create(self, *, name: str, voice: str, options: RequestOptions | None = None) -> VoiceAlias:
        """Name a voice.

        A name that may stand wherever a voice is asked for, in this key's mode.

        `name`: Letters of any script, digits, `-`, `.` and `_`; upper and lower case alike.
        `voice`: The `id` of a voice, such as espeak-ng/ko.
        """
        call = Call("POST", "/v1/voices/aliases", body={"name": name, "voice": voice}, options=options)
        response = await self._transport.send(call)
        return parse(response, VoiceAlias)

    async def delete(self, alias_name: str, *, options: RequestOptions | None = None) -> CustomDeleted:
        """Delete a name of a voice.

        Requests that use the name are refused from now on.
        """
        call = Call("DELETE", f"/v1/voices/aliases/{quoted(alias_name)}", options=options)
        response = await self._transport.send(call)
        return parse(response, CustomDeleted)

    async def get(self, alias_name: str, *, options: RequestOptions | None = None) -> VoiceAlias:
        """Get a name of a voice.

        The voice that the name means.
        """
        call = Call("GET", f"/v1/voices/aliases/{quoted(alias_name)}", options=options)
        response = await self._transport.send(call)
        return parse(response, VoiceAlias)

    async def update(self, alias_name: str, *, voice: str, options: RequestOptions | None = None) -> VoiceAlias:
        """Change what a name means.

        Holds for every request from now on.

        `voice`: The `id` of the voice that the name means from now on.
        """
        call = Call("PATCH", f"/v1/voices/aliases/{quoted(alias_name)}", body={"voice": voice}, options=options)
        response = await self._transport.send(call)
        return parse(response, VoiceAlias)


class AsyncVoicesResourceWithRawResponse:
    def __init__(self, resource: AsyncVoicesResource) -> None:
        self.list = a_raw_page(resource.list)


class AsyncVoicesResource:
    """`client.voices`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self.aliases = AsyncVoicesAliasesResource(transport)

    @property
    def with_raw_response(self) -> AsyncVoicesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncVoicesResourceWithRawResponse(self)

    def list(
        self,
        *,
        language: str | None = None,
        engine: str | None = None,
        gender: str | None = None,
        style: str | None = None,
        alias: str | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[Voice]:
        """List voices.

        Every voice that can be asked for, filtered, with the tenant's own names of it.
        """
        call = Call(
            "GET",
            "/v1/voices",
            query={"language": language, "engine": engine, "gender": gender, "style": style, "alias": alias},
            options=options,
        )
        return AsyncPager(self._transport, call, Voice, Model)
