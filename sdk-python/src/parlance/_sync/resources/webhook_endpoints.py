"""`client.webhook_endpoints`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, overload

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
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.transport import Transport


class WebhookEndpointsJobSecretResourceWithRawResponse:
    def __init__(self, resource: WebhookEndpointsJobSecretResource) -> None:
        self.get = raw(resource.get)
        self.rotate = raw(resource.rotate)


class WebhookEndpointsJobSecretResource:
    """`client.webhook_endpoints.job_secret`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> WebhookEndpointsJobSecretResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return WebhookEndpointsJobSecretResourceWithRawResponse(self)

    def get(self, *, options: RequestOptions | None = None) -> WebhookJobSecret:
        """Get Job Secret.

        The secret that verifies the events sent to the `webhook_url` of jobs of the key's mode.
        """
        call = Call("GET", "/v1/webhook-endpoints/job-secret", options=options)
        response = self._transport.send(call)
        return parse(response, WebhookJobSecret)

    def rotate(self, *, overlap_hours: int | None = None, options: RequestOptions | None = None) -> WebhookJobSecret:
        """Rotate Job Secret.

        A new secret for jobs' URLs; for `overlap_hours` every delivery is signed with both.
        """
        call = Call(
            "POST", "/v1/webhook-endpoints/job-secret/rotate", body={"overlap_hours": overlap_hours}, options=options
        )
        response = self._transport.send(call)
        return parse(response, WebhookJobSecret)


class WebhookEndpointsReplaysResourceWithRawResponse:
    def __init__(self, resource: WebhookEndpointsReplaysResource) -> None:
        self.list = raw_page(resource.list)
        self.get = raw(resource.get)
        self.cancel = raw(resource.cancel)


class WebhookEndpointsReplaysResource:
    """`client.webhook_endpoints.replays`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> WebhookEndpointsReplaysResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return WebhookEndpointsReplaysResourceWithRawResponse(self)

    def list(
        self,
        endpoint_id: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[WebhookReplay]:
        """List Replays.

        The endpoint's replays, newest first.
        """
        call = Call(
            "GET",
            f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replays",
            query={"limit": limit, "cursor": cursor},
            options=options,
        )
        return Pager(self._transport, call, WebhookReplay, Model)

    def get(self, endpoint_id: str, replay_id: str, *, options: RequestOptions | None = None) -> WebhookReplay:
        """Get Replay.

        One replay and how far it is.
        """
        call = Call("GET", f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replays/{quoted(replay_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, WebhookReplay)

    def cancel(self, endpoint_id: str, replay_id: str, *, options: RequestOptions | None = None) -> WebhookReplay:
        """Cancel.

        Stop a replay; deliveries that are open already go out.
        """
        call = Call(
            "POST", f"/v1/webhook-endpoints/{quoted(endpoint_id)}/replays/{quoted(replay_id)}/cancel", options=options
        )
        response = self._transport.send(call)
        return parse(response, WebhookReplay)


class WebhookEndpointsResourceWithRawResponse:
    def __init__(self, resource: WebhookEndpointsResource) -> None:
        self.list = raw_page(resource.list)
        self.create = raw(resource.create)
        self.delete = raw(resource.delete)
        self.get = raw(resource.get)
        self.update = raw(resource.update)
        self.recover = raw(resource.recover)
        self.replay = raw(resource.replay)
        self.rotate_secret = raw(resource.rotate_secret)
        self.test = raw(resource.test)


class WebhookEndpointsResource:
    """`client.webhook_endpoints`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.job_secret = WebhookEndpointsJobSecretResource(transport)
        self.replays = WebhookEndpointsReplaysResource(transport)

    @property
    def with_raw_response(self) -> WebhookEndpointsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return WebhookEndpointsResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        kind: Literal["endpoint", "job"] | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[WebhookEndpoint]:
        """List Endpoints.

        Endpoints of the key's mode, newest first, without secrets. `kind=job`: the URLs that jobs named
        instead.
        """
        call = Call(
            "GET", "/v1/webhook-endpoints", query={"limit": limit, "cursor": cursor, "kind": kind}, options=options
        )
        return Pager(self._transport, call, WebhookEndpoint, Model)

    def create(
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
        response = self._transport.send(call)
        return parse(response, WebhookEndpoint)

    def delete(self, endpoint_id: str, *, options: RequestOptions | None = None) -> DeletedEndpoint:
        """Delete.

        Delete an endpoint, its URL and its secrets; the delivery log stays until it expires.
        """
        call = Call("DELETE", f"/v1/webhook-endpoints/{quoted(endpoint_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, DeletedEndpoint)

    def get(self, endpoint_id: str, *, options: RequestOptions | None = None) -> WebhookEndpoint:
        """Get Endpoint.

        One endpoint with its secret.
        """
        call = Call("GET", f"/v1/webhook-endpoints/{quoted(endpoint_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, WebhookEndpoint)

    def update(
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
        response = self._transport.send(call)
        return parse(response, WebhookEndpoint)

    @overload
    def recover(
        self, endpoint_id: str, *, since: datetime | str, dry_run: Literal[True], options: RequestOptions | None = None
    ) -> ReplayCount: ...
    @overload
    def recover(
        self,
        endpoint_id: str,
        *,
        since: datetime | str,
        dry_run: Literal[False] | None = None,
        options: RequestOptions | None = None,
    ) -> WebhookReplay: ...
    @overload
    def recover(
        self,
        endpoint_id: str,
        *,
        since: datetime | str,
        dry_run: bool | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount | WebhookReplay: ...
    def recover(
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
        response = self._transport.send(call)
        if response.status_code == 202:
            return parse(response, WebhookReplay)
        return parse(response, ReplayCount)

    @overload
    def replay(
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
    def replay(
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
    def replay(
        self,
        endpoint_id: str,
        *,
        from_: datetime | str,
        to: datetime | str,
        dry_run: bool | None = None,
        event_types: Sequence[str] | None = None,
        options: RequestOptions | None = None,
    ) -> ReplayCount | WebhookReplay: ...
    def replay(
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
        response = self._transport.send(call)
        if response.status_code == 202:
            return parse(response, WebhookReplay)
        return parse(response, ReplayCount)

    def rotate_secret(
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
        response = self._transport.send(call)
        return parse(response, WebhookEndpoint)

    def test(self, endpoint_id: str, *, options: RequestOptions | None = None) -> TestSent:
        """Send Test.

        Send a `webhook_endpoint.test` event to this endpoint alone.
        """
        call = Call("POST", f"/v1/webhook-endpoints/{quoted(endpoint_id)}/test", options=options)
        response = self._transport.send(call)
        return parse(response, TestSent)
