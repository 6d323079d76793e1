"""`client.members`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from typing import Literal

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import DeletedMember, InvitedMember, Member
from parlance._model import Model


class AsyncMembersResourceWithRawResponse:
    def __init__(self, resource: AsyncMembersResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.delete = a_raw(resource.delete)
        self.get = a_raw(resource.get)
        self.update = a_raw(resource.update)
        self.invite = a_raw(resource.invite)


class AsyncMembersResource:
    """`client.members`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncMembersResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncMembersResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> AsyncPager[Member]:
        """List Members.

        People of the tenant, newest first. A test key sees none.
        """
        call = Call("GET", "/v1/members", query={"limit": limit, "cursor": cursor}, options=options)
        return AsyncPager(self._transport, call, Member, Model)

    async def create(
        self,
        *,
        email: str,
        role: Literal["owner", "admin", "developer", "billing", "viewer"],
        options: RequestOptions | None = None,
    ) -> InvitedMember:
        """Create.

        Invite somebody. `join_url` is in this answer and nowhere else: pass it on; it works once, for a day.
        """
        call = Call("POST", "/v1/members", body={"email": email, "role": role}, options=options)
        response = await self._transport.send(call)
        return parse(response, InvitedMember)

    async def delete(self, member_id: str, *, options: RequestOptions | None = None) -> DeletedMember:
        """Delete.

        Remove somebody. Keys stay: revoke those that the person knew.
        """
        call = Call("DELETE", f"/v1/members/{quoted(member_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, DeletedMember)

    async def get(self, member_id: str, *, options: RequestOptions | None = None) -> Member:
        """Get Member.

        One of them.
        """
        call = Call("GET", f"/v1/members/{quoted(member_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, Member)

    async def update(
        self,
        member_id: str,
        *,
        role: Literal["owner", "admin", "developer", "billing", "viewer"],
        options: RequestOptions | None = None,
    ) -> Member:
        """Patch.

        Change the role. The last owner who has joined stays one.
        """
        call = Call("PATCH", f"/v1/members/{quoted(member_id)}", body={"role": role}, options=options)
        response = await self._transport.send(call)
        return parse(response, Member)

    async def invite(self, member_id: str, *, options: RequestOptions | None = None) -> InvitedMember:
        """Invite.

        A new link for who lost the old one, or password and authenticator: it has these chosen anew. Older
        links end.
        """
        call = Call("POST", f"/v1/members/{quoted(member_id)}/invite", options=options)
        response = await self._transport.send(call)
        return parse(response, InvitedMember)
