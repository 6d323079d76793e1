"""`client.voices`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import CustomDeleted, Voice, VoiceAlias
from parlance._model import Model
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.transport import Transport


class VoicesAliasesResourceWithRawResponse:
    def __init__(self, resource: VoicesAliasesResource) -> None:
        self.list = raw_page(resource.list)
        self.create = raw(resource.create)
        self.delete = raw(resource.delete)
        self.get = raw(resource.get)
        self.update = raw(resource.update)


class VoicesAliasesResource:
    """`client.voices.aliases`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> VoicesAliasesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return VoicesAliasesResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> Pager[VoiceAlias]:
        """List names of voices.

        Newest first.
        """
        call = Call("GET", "/v1/voices/aliases", query={"limit": limit, "cursor": cursor}, options=options)
        return Pager(self._transport, call, VoiceAlias, Model)

    def create(self, *, name: str, voice: str, options: RequestOptions | None = None) -> VoiceAlias:
        """Name a voice.

        A name that may stand wherever a voice is asked for, in this key's mode.

        `name`: Letters of any script, digits, `-`, `.` and `_`; upper and lower case alike.
        `voice`: The `id` of a voice, such as espeak-ng/ko.
        """
        call = Call("POST", "/v1/voices/aliases", body={"name": name, "voice": voice}, options=options)
        response = self._transport.send(call)
        return parse(response, VoiceAlias)

    def delete(self, alias_name: str, *, options: RequestOptions | None = None) -> CustomDeleted:
        """Delete a name of a voice.

        Requests that use the name are refused from now on.
        """
        call = Call("DELETE", f"/v1/voices/aliases/{quoted(alias_name)}", options=options)
        response = self._transport.send(call)
        return parse(response, CustomDeleted)

    def get(self, alias_name: str, *, options: RequestOptions | None = None) -> VoiceAlias:
        """Get a name of a voice.

        The voice that the name means.
        """
        call = Call("GET", f"/v1/voices/aliases/{quoted(alias_name)}", options=options)
        response = self._transport.send(call)
        return parse(response, VoiceAlias)

    def update(self, alias_name: str, *, voice: str, options: RequestOptions | None = None) -> VoiceAlias:
        """Change what a name means.

        Holds for every request from now on.

        `voice`: The `id` of the voice that the name means from now on.
        """
        call = Call("PATCH", f"/v1/voices/aliases/{quoted(alias_name)}", body={"voice": voice}, options=options)
        response = self._transport.send(call)
        return parse(response, VoiceAlias)


class VoicesResourceWithRawResponse:
    def __init__(self, resource: VoicesResource) -> None:
        self.list = raw_page(resource.list)


class VoicesResource:
    """`client.voices`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.aliases = VoicesAliasesResource(transport)

    @property
    def with_raw_response(self) -> VoicesResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return VoicesResourceWithRawResponse(self)

    def list(
        self,
        *,
        language: str | None = None,
        engine: str | None = None,
        gender: str | None = None,
        style: str | None = None,
        alias: str | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[Voice]:
        """List voices.

        Every voice that can be asked for, filtered, with the tenant's own names of it.
        """
        call = Call(
            "GET",
            "/v1/voices",
            query={"language": language, "engine": engine, "gender": gender, "style": style, "alias": alias},
            options=options,
        )
        return Pager(self._transport, call, Voice, Model)
