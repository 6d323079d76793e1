"""`client.api_keys`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import OMIT, Call, Omit, RequestOptions, parse, quoted
from parlance._generated.models import ApiKey, NewApiKey
from parlance._generated.params import KeyLimitsParams
from parlance._model import Model


class AsyncApiKeysResourceWithRawResponse:
    def __init__(self, resource: AsyncApiKeysResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.current = a_raw(resource.current)
        self.get = a_raw(resource.get)
        self.update = a_raw(resource.update)
        self.revoke = a_raw(resource.revoke)
        self.rotate = a_raw(resource.rotate)


class AsyncApiKeysResource:
    """`client.api_keys`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncApiKeysResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncApiKeysResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> AsyncPager[ApiKey]:
        """List Keys.

        Keys of the calling key's mode, revoked ones too, newest first.
        """
        call = Call("GET", "/v1/api-keys", query={"limit": limit, "cursor": cursor}, options=options)
        return AsyncPager(self._transport, call, ApiKey, Model)

    async def create(
        self,
        *,
        scopes: Sequence[
            Literal[
                "api_keys:manage",
                "audit_log:read",
                "billing:manage",
                "content_policy:manage",
                "destinations:manage",
                "members:manage",
                "provider_credentials:manage",
                "speech:manage",
                "speech:read",
                "speech:write",
                "transcriptions:read",
                "transcriptions:write",
                "uploads:manage",
                "usage:read",
                "webhooks:manage",
            ]
        ],
        expires_at: datetime | str | None = None,
        ip_allow: Sequence[str] | None = None,
        limits: Any = None,
        name: str | None = None,
        routing: Any = None,
        options: RequestOptions | None = None,
    ) -> NewApiKey:
        """Create.

        Make a key. `secret` is in this answer and nowhere else.

        `expires_at`: When it ends; left out: when the calling key does, if ever.
        `ip_allow`: Where it may be used; left out: where the calling key may.
        `scopes`: What it may do; only scopes that the calling key has.
        """
        call = Call(
            "POST",
            "/v1/api-keys",
            body={
                "expires_at": expires_at,
                "ip_allow": ip_allow,
                "limits": limits,
                "name": name,
                "routing": routing,
                "scopes": scopes,
            },
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, NewApiKey)

    async def current(self, *, options: RequestOptions | None = None) -> ApiKey:
        """Get Current.

        The calling key itself; needs no scope.
        """
        call = Call("GET", "/v1/api-keys/current", options=options)
        response = await self._transport.send(call)
        return parse(response, ApiKey)

    async def get(self, key_id: str, *, options: RequestOptions | None = None) -> ApiKey:
        """Get Key.

        One key.
        """
        call = Call("GET", f"/v1/api-keys/{quoted(key_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, ApiKey)

    async def update(
        self,
        key_id: str,
        *,
        expires_at: datetime | str | Omit | None = OMIT,
        ip_allow: Sequence[str] | Omit | None = OMIT,
        limits: KeyLimitsParams | Omit | None = OMIT,
        name: str | Omit | None = OMIT,
        scopes: Sequence[
            Literal[
                "api_keys:manage",
                "audit_log:read",
                "billing:manage",
                "content_policy:manage",
                "destinations:manage",
                "members:manage",
                "provider_credentials:manage",
                "speech:manage",
                "speech:read",
                "speech:write",
                "transcriptions:read",
                "transcriptions:write",
                "uploads:manage",
                "usage:read",
                "webhooks:manage",
            ]
        ]
        | Omit
        | None = OMIT,
        options: RequestOptions | None = None,
    ) -> ApiKey:
        """Patch.

        Rename a key, or change its rights within those of the calling key. In force at once.

        `ip_allow`: All of them anew; [] for anywhere.
        `limits`: All of them anew; {} for none of its own.
        """
        call = Call(
            "PATCH",
            f"/v1/api-keys/{quoted(key_id)}",
            body={"expires_at": expires_at, "ip_allow": ip_allow, "limits": limits, "name": name, "scopes": scopes},
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, ApiKey)

    async def revoke(self, key_id: str, *, options: RequestOptions | None = None) -> ApiKey:
        """Revoke.

        End a key now, in every process. A key may revoke itself; revoking a second time changes nothing.
        """
        call = Call("POST", f"/v1/api-keys/{quoted(key_id)}/revoke", options=options)
        response = await self._transport.send(call)
        return parse(response, ApiKey)

    async def rotate(
        self, key_id: str, *, overlap_hours: int | None = None, options: RequestOptions | None = None
    ) -> NewApiKey:
        """Rotate.

        A new key with the same rights; the old one works for `overlap_hours` more.
        """
        call = Call(
            "POST", f"/v1/api-keys/{quoted(key_id)}/rotate", body={"overlap_hours": overlap_hours}, options=options
        )
        response = await self._transport.send(call)
        return parse(response, NewApiKey)
