"""`client.webhook_endpoints`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, overload

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import OMIT, Call, Omit, RequestOptions, parse, quoted
from parlance._generated.models import (
    DeletedEndpoint,
    ReplayCount,
    TestSent,
    WebhookEndpoint,
    WebhookJobSecret,
    WebhookReplay,
)
from parlance._model import Model


class AsyncWebhookEndpointsJobSecretResourceWithRawResponse:
    def __init__(self, resource: AsyncWebhookEndpointsJobSecretResource) -> None:
        self.get = a_raw(resource.get)
        self.rotate = a_raw(resource.rotate)


class AsyncWebhookEndpointsJobSecretResource:
    """`client.webhook_endpoints.job_secret`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncWebhookEndpointsJobSecretResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncWebhookEndpointsJobSecretResourceWithRawResponse(self)

    async def get(self, *, options: RequestOptions | None = None) -> WebhookJobSecret:
        """Get Job Secret.

        The secret that verifies the events sent to the `webhook_url` of jobs of the key's mode.
        """
        call = Call("GET", "/v1/webhook-endpoints/job-secret", options=options)
        response = await self._transport.send(call)
        return parse(response, WebhookJobSecret)

    async def rotate(
        self, *, overlap_hours: int | None = None, options: RequestOptions | None = None
    ) -> WebhookJobSecret:
        """Rotate Job Secret.

        A new secret for jobs' URLs; for `overlap_hours` every delivery is signed with both.
        """
        call = Call(
            "POST", "/v1/webhook-endpoints/job-secret/rotate", body={"overlap_hours": overlap_hours}, options=options
        )
        response = await self._transport.send(call)
        return parse(response, WebhookJobSecret)


class AsyncWebhookEndpointsReplaysResourceWithRawResponse:
    def __init__(self, resource: AsyncWebhookEndpointsReplaysResource) -> None:
        self.list = a_raw_page(resource.list)
        self.get = a_raw(resource.get)
        self.cancel = a_raw(resource.cancel)


class AsyncWebhookEndpointsReplaysResource:
    """`client.webhook_endpoints.replays`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncWebhookEndpointsReplaysResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncWebhookEndpointsReplaysResourceWithRawResponse(self)

    def list(
        self,
        endpoint_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[WebhookReplay]:
        """List Replays.

        The endpoint's replays, newest first.
        """
        call = Call(
            "GET",
            f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replays",
            query={"limit": limit, "cursor": cursor},
            options=options,
        )
        return AsyncPager(self._transport, call, WebhookReplay, Model)

    async def get(self, endpoint_id: str, replay_id: str, *, options: RequestOptions | None = None) -> WebhookReplay:
        """Get Replay.

        One replay and how far it is.
        """
        call = Call("GET", f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replays/{quoted(replay_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, WebhookReplay)

    async def cancel(self, endpoint_id: str, replay_id: str, *, options: RequestOptions | None = None) -> WebhookReplay:
        """Cancel.

        Stop a replay; deliveries that are open already go out.
        """
        call = Call(
            "POST", f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replays/{quoted(replay_id)}/cancel", options=options
        )
        response = await self._transport.send(call)
        return parse(response, WebhookReplay)


class AsyncWebhookEndpointsResourceWithRawResponse:
    def __init__(self, resource: AsyncWebhookEndpointsResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.delete = a_raw(resource.delete)
        self.get = a_raw(resource.get)
        self.update = a_raw(resource.update)
        self.recover = a_raw(resource.recover)
        self.replay = a_raw(resource.replay)
        self.rotate_secret = a_raw(resource.rotate_secret)
        self.test = a_raw(resource.test)


class AsyncWebhookEndpointsResource:
    """`client.webhook_endpoints`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport
        self.job_secret = AsyncWebhookEndpointsJobSecretResource(transport)
        self.replays = AsyncWebhookEndpointsReplaysResource(transport)

    @property
    def with_raw_response(self) -> AsyncWebhookEndpointsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncWebhookEndpointsResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        kind: Literal["endpoint", "job"] | None = None,
        options: RequestOptions | None = None,
    ) -> AsyncPager[WebhookEndpoint]:
        """List Endpoints.

        Endpoints of the key's mode, newest first, without secrets. `kind=job`: the URLs that jobs named
        instead.
        """
        call = Call(
            "GET", "/v1/webhook-endpoints", query={"limit": limit, "cursor": cursor, "kind": kind}, options=options
        )
        return AsyncPager(self._transport, call, WebhookEndpoint, Model)

    async def create(
        self,
        *,
        event_types: Sequence[str],
        url: str,
        description: str | None = None,
        headers: Mapping[str, str] | None = None,
        include: Sequence[Literal["text"]] | None = None,
        max_in_flight: int | None = None,
        metadata: Mapping[str, str] | None = None,
        rate_per_s: float | None = None,
        schedule: Sequence[int] | None = None,
        signature: Literal["v1", "v1+v1a"] | None = None,
        options: RequestOptions | None = None,
    ) -> WebhookEndpoint:
        """Create.

        Make an endpoint. Its `secret` verifies every delivery (Standard Webhooks).

        `headers`: Sent with every delivery; values are shown only now.
        `include`: `["text"]`: bodies carry the text, up to 16 kB of it.
        `max_in_flight`: Deliveries under way at once.
        `rate_per_s`: Deliveries per second at most; null: no limit of its own.
        `schedule`: Seconds to wait before each attempt, the first included; null: ten attempts over 75 hours.
        `signature`: `v1+v1a` adds ed25519 signatures, which need no shared secret.
        """
        call = Call(
            "POST",
            "/v1/webhook-endpoints",
            body={
                "description": description,
                "event_types": event_types,
                "headers": headers,
                "include": include,
                "max_in_flight": max_in_flight,
                "metadata": metadata,
                "rate_per_s": rate_per_s,
                "schedule": schedule,
                "signature": signature,
                "url": url,
            },
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, WebhookEndpoint)

    async def delete(self, endpoint_id: str, *, options: RequestOptions | None = None) -> DeletedEndpoint:
        """Delete.

        Delete an endpoint, its URL and its secrets; the delivery log stays until it expires.
        """
        call = Call("DELETE", f"/v1/webhook-endpoints/{quoted(endpoint_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, DeletedEndpoint)

    async def get(self, endpoint_id: str, *, options: RequestOptions | None = None) -> WebhookEndpoint:
        """Get Endpoint.

        One endpoint with its secret.
        """
        call = Call("GET", f"/v1/webhook-endpoints/{quoted(endpoint_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, WebhookEndpoint)

    async def update(
        self,
        endpoint_id: str,
        *,
        description: str | Omit | None = OMIT,
        enabled: bool | Omit | None = OMIT,
        event_types: Sequence[str] | Omit | None = OMIT,
        headers: Mapping[str, str] | Omit | None = OMIT,
        include: Sequence[Literal["text"]] | Omit | None = OMIT,
        max_in_flight: int | Omit | None = OMIT,
        metadata: Mapping[str, str] | Omit | None = OMIT,
        rate_per_s: float | Omit | None = OMIT,
        schedule: Sequence[int] | Omit | None = OMIT,
        signature: Literal["v1", "v1+v1a"] | Omit | None = OMIT,
        url: str | Omit | None = OMIT,
        options: RequestOptions | None = None,
    ) -> WebhookEndpoint:
        """Patch.

        Change an endpoint. Disabling cancels its open deliveries; enabling forgets its failures.

        `headers`: All of them anew; {} for none.
        """
        call = Call(
            "PATCH",
            f"/v1/webhook-endpoints/{quoted(endpoint_id)}",
            body={
                "description": description,
                "enabled": enabled,
                "event_types": event_types,
                "headers": headers,
                "include": include,
                "max_in_flight": max_in_flight,
                "metadata": metadata,
                "rate_per_s": rate_per_s,
                "schedule": schedule,
                "signature": signature,
                "url": url,
            },
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, WebhookEndpoint)

    @overload
    async def recover(
        self, endpoint_id: str, *, since: datetime | str, dry_run: Literal[True], options: RequestOptions | None = None
    ) -> ReplayCount: ...
    @overload
    async def recover(
        self,
        endpoint_id: str,
        *,
        since: datetime | str,
        dry_run: Literal[False] | None = None,
        options: RequestOptions | None = None,
    ) -> WebhookReplay: ...
    @overload
    async def recover(
        self,
        endpoint_id: str,
        *,
        since: datetime | str,
        dry_run: bool | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount | WebhookReplay: ...
    async def recover(
        self,
        endpoint_id: str,
        *,
        since: datetime | str,
        dry_run: bool | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount | WebhookReplay:
        """Recover.

        Send everything since a time that this endpoint wants and has not received, at most 30 days back.
        """
        call = Call(
            "POST",
            f"/v1/webhook-endpoints/{quoted(endpoint_id)}/recover",
            body={"dry_run": dry_run, "since": since},
            options=options,
        )
        response = await self._transport.send(call)
        if response.status_code == 202:
            return parse(response, WebhookReplay)
        return parse(response, ReplayCount)

    @overload
    async def replay(
        self,
        endpoint_id: str,
        *,
        from_: datetime | str,
        to: datetime | str,
        dry_run: Literal[True],
        event_types: Sequence[str] | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount: ...
    @overload
    async def replay(
        self,
        endpoint_id: str,
        *,
        from_: datetime | str,
        to: datetime | str,
        dry_run: Literal[False] | None = None,
        event_types: Sequence[str] | None = None,
        options: RequestOptions | None = None,
    ) -> WebhookReplay: ...
    @overload
    async def replay(
        self,
        endpoint_id: str,
        *,
        from_: datetime | str,
        to: datetime | str,
        dry_run: bool | None = None,
        event_types: Sequence[str] | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount | WebhookReplay: ...
    async def replay(
        self,
        endpoint_id: str,
        *,
        from_: datetime | str,
        to: datetime | str,
        dry_run: bool | None = None,
        event_types: Sequence[str] | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount | WebhookReplay:
        """Replay Range.

        Send everything of a time range again, with the same `webhook-id`s, at most 30 days back.
        """
        call = Call(
            "POST",
            f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replay",
            body={"dry_run": dry_run, "event_types": event_types, "from": from_, "to": to},
            options=options,
        )
        response = await self._transport.send(call)
        if response.status_code == 202:
            return parse(response, WebhookReplay)
        return parse(response, ReplayCount)

    async def rotate_secret(
        self, endpoint_id: str, *, overlap_hours: int | None = None, options: RequestOptions | None = None
    ) -> WebhookEndpoint:
        """Rotate.

        A new secret, and with v1a a new key; for `overlap_hours` every delivery is signed with both.
        """
        call = Call(
            "POST",
            f"/v1/webhook-endpoints/{quoted(endpoint_id)}/rotate-secret",
            body={"overlap_hours": overlap_hours},
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, WebhookEndpoint)

    async def test(self, endpoint_id: str, *, options: RequestOptions | None = None) -> TestSent:
        """Send Test.

        Send a `webhook_endpoint.test` event to this endpoint alone.
        """
        call = Call("POST", f"/v1/webhook-endpoints/{quoted(endpoint_id)}/test", options=options)
        response = await self._transport.send(call)
        return parse(response, TestSent)
