"""`client.upload_origins`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence

from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import UploadOrigins
from parlance._sync.raw import raw
from parlance._sync.transport import Transport


class UploadOriginsResourceWithRawResponse:
    def __init__(self, resource: UploadOriginsResource) -> None:
        self.get = raw(resource.get)
        self.set = raw(resource.set)


class UploadOriginsResource:
    """`client.upload_origins`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> UploadOriginsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return UploadOriginsResourceWithRawResponse(self)

    def get(self, *, options: RequestOptions | None = None) -> UploadOrigins:
        """Get the origins of uploads.

        From which web pages browsers may send to signed URLs.
        """
        call = Call("GET", "/v1/upload-origins", options=options)
        response = self._transport.send(call)
        return parse(response, UploadOrigins)

    def set(self, *, origins: Sequence[str], options: RequestOptions | None = None) -> UploadOrigins:
        """Replace the origins of uploads.

        In force within seconds, for live and test keys and for uploads created before.
        """
        call = Call("PUT", "/v1/upload-origins", body={"origins": origins}, options=options)
        response = self._transport.send(call)
        return parse(response, UploadOrigins)
