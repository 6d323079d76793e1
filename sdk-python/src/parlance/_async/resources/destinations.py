"""`client.destinations`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.pages import AsyncPager
from parlance._async.raw import a_raw, a_raw_page
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Destination, DestinationDeleted
from parlance._model import Model


class AsyncDestinationsResourceWithRawResponse:
    def __init__(self, resource: AsyncDestinationsResource) -> None:
        self.list = a_raw_page(resource.list)
        self.create = a_raw(resource.create)
        self.delete = a_raw(resource.delete)
        self.get = a_raw(resource.get)
        self.verify = a_raw(resource.verify)


class AsyncDestinationsResource:
    """`client.destinations`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncDestinationsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncDestinationsResourceWithRawResponse(self)

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, options: RequestOptions | None = None
    ) -> AsyncPager[Destination]:
        """List destinations.

        Newest first.
        """
        call = Call("GET", "/v1/destinations", query={"limit": limit, "cursor": cursor}, options=options)
        return AsyncPager(self._transport, call, Destination, Model)

    async def create(
        self,
        *,
        bucket: str,
        region: str,
        role_arn: str,
        endpoint_url: str | None = None,
        prefix: str | None = None,
        options: RequestOptions | None = None,
    ) -> Destination:
        """Register a bucket of yours.

        The answer's `external_id` goes into the role's trust policy; then verify the destination.

        `endpoint_url`: Not AWS, but a service the operator allows.
        `prefix`: What every key begins with, such as `parlance/`.
        `region`: The bucket's, such as ap-northeast-2.
        `role_arn`: We take this role on; its trust policy must require the `external_id` of the answer.
        """
        call = Call(
            "POST",
            "/v1/destinations",
            body={
                "bucket": bucket,
                "endpoint_url": endpoint_url,
                "prefix": prefix,
                "region": region,
                "role_arn": role_arn,
            },
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, Destination)

    async def delete(self, destination_id: str, *, options: RequestOptions | None = None) -> DestinationDeleted:
        """Delete a destination.

        Copies that are still to be made fail; what is in the bucket stays there.
        """
        call = Call("DELETE", f"/v1/destinations/{quoted(destination_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, DestinationDeleted)

    async def get(self, destination_id: str, *, options: RequestOptions | None = None) -> Destination:
        """Get a destination.

        One bucket.
        """
        call = Call("GET", f"/v1/destinations/{quoted(destination_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, Destination)

    async def verify(self, destination_id: str, *, options: RequestOptions | None = None) -> Destination:
        """Verify a destination.

        Take the role on, write an object and delete it. The role must refuse everybody without the external
        id.
        """
        call = Call("POST", f"/v1/destinations/{quoted(destination_id)}/verify", options=options)
        response = await self._transport.send(call)
        return parse(response, Destination)
