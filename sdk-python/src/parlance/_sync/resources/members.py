"""`client.members`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from typing import Literal

from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import DeletedMember, InvitedMember, Member
from parlance._model import Model
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.transport import Transport


class MembersResourceWithRawResponse:
    def __init__(self, resource: MembersResource) -> None:
        self.list = raw_page(resource.list)
        self.create = raw(resource.create)
        self.delete = raw(resource.delete)
        self.get = raw(resource.get)
        self.update = raw(resource.update)
        self.invite = raw(resource.invite)


class MembersResource:
    """`client.members`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> MembersResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return MembersResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> Pager[Member]:
        """List Members.

        People of the tenant, newest first. A test key sees none.
        """
        call = Call("GET", "/v1/members", query={"limit": limit, "cursor": cursor}, options=options)
        return Pager(self._transport, call, Member, Model)

    def create(
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
        response = self._transport.send(call)
        return parse(response, InvitedMember)

    def delete(self, member_id: str, *, options: RequestOptions | None = None) -> DeletedMember:
        """Delete.

        Remove somebody. Keys stay: revoke those that the person knew.
        """
        call = Call("DELETE", f"/v1/members/{quoted(member_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, DeletedMember)

    def get(self, member_id: str, *, options: RequestOptions | None = None) -> Member:
        """Get Member.

        One of them.
        """
        call = Call("GET", f"/v1/members/{quoted(member_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, Member)

    def update(
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
        response = self._transport.send(call)
        return parse(response, Member)

    def invite(self, member_id: str, *, options: RequestOptions | None = None) -> InvitedMember:
        """Invite.

        A new link for who lost the old one, or password and authenticator: it has these chosen anew. Older
        links end.
        """
        call = Call("POST", f"/v1/members/{quoted(member_id)}/invite", options=options)
        response = self._transport.send(call)
        return parse(response, InvitedMember)
