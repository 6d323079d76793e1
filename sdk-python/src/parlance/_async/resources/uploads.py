"""`client.uploads`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.raw import a_raw
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Upload


class AsyncUploadsResourceWithRawResponse:
    def __init__(self, resource: AsyncUploadsResource) -> None:
        self.create = a_raw(resource.create)
        self.get = a_raw(resource.get)
        self.complete = a_raw(resource.complete)
        self.resume = a_raw(resource.resume)


class AsyncUploadsResource:
    """`client.uploads`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncUploadsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncUploadsResourceWithRawResponse(self)

    async def create(
        self,
        *,
        filename: str,
        size_bytes: int,
        content_type: str | None = None,
        part_size_bytes: int | None = None,
        sha256: str | None = None,
        options: RequestOptions | None = None,
    ) -> Upload:
        """Create an upload.

        A ticket to PUT one file, without a key: from a browser, a phone or a server. Above 100 MB it comes in
        parts.

        `filename`: Shown again; its ending is not trusted.
        `part_size_bytes`: Send even a small file in parts of this size, for connections that break; above 100
          MB always so.
        `sha256`: Checked on arrival, if given.
        `size_bytes`: Exactly this many bytes may be sent.
        """
        call = Call(
            "POST",
            "/v1/uploads",
            body={
                "content_type": content_type,
                "filename": filename,
                "part_size_bytes": part_size_bytes,
                "sha256": sha256,
                "size_bytes": size_bytes,
            },
            is_harmless=True,
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, Upload)

    async def get(self, upload_id: str, *, options: RequestOptions | None = None) -> Upload:
        """Get an upload.

        Whether the file has arrived, or which parts of it.
        """
        call = Call("GET", f"/v1/uploads/{quoted(upload_id)}", options=options)
        response = await self._transport.send(call)
        return parse(response, Upload)

    async def complete(self, upload_id: str, *, options: RequestOptions | None = None) -> Upload:
        """Complete an upload.

        Joins the parts and compares size and SHA-256. The first transcription of an upload does it too.
        """
        call = Call("POST", f"/v1/uploads/{quoted(upload_id)}/complete", is_harmless=True, options=options)
        response = await self._transport.send(call)
        return parse(response, Upload)

    async def resume(self, upload_id: str, *, options: RequestOptions | None = None) -> Upload:
        """Resume an upload.

        New signed requests for what has not arrived, whatever became of the first ones.
        """
        call = Call("POST", f"/v1/uploads/{quoted(upload_id)}/resume", is_harmless=True, options=options)
        response = await self._transport.send(call)
        return parse(response, Upload)
