"""`client.audit_log`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions
from parlance._generated.models import AuditEntry
from parlance._model import Model


class AsyncAuditLogResourceWithRawResponse:
    def __init__(self, resource: AsyncAuditLogResource) -> None:
        self.list = a_raw_page(resource.list)


class AsyncAuditLogResource:
    """`client.audit_log`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncAuditLogResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncAuditLogResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        actor: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[AuditEntry]:
        """List Audit Log.

        Changes of the key's mode, newest first; a live key sees those of both modes' concern too. Kept for
        good.

        `action`: `api_key.created`, or `api_key.*` for all of a kind.
        `subject`: What was changed: an id such as key_….
        `actor`: Who changed it: an id such as key_…, or `operator`.
        `from_`: RFC 3339; not earlier.
        `to`: RFC 3339; earlier than this.
        """
        call = Call(
            "GET",
            "/v1/audit-log",
            query={
                "limit": limit,
                "cursor": cursor,
                "action": action,
                "subject": subject,
                "actor": actor,
                "from": from_,
                "to": to,
            },
            options=options,
        )
        return AsyncPager(self._transport, call, AuditEntry, Model)
