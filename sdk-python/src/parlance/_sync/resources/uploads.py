"""`client.uploads`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._call import Call, RequestOptions, parse, quoted
from parlance._generated.models import Upload
from parlance._sync.raw import raw
from parlance._sync.transport import Transport


class UploadsResourceWithRawResponse:
    def __init__(self, resource: UploadsResource) -> None:
        self.create = raw(resource.create)
        self.get = raw(resource.get)
        self.complete = raw(resource.complete)
        self.resume = raw(resource.resume)


class UploadsResource:
    """`client.uploads`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> UploadsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return UploadsResourceWithRawResponse(self)

    def create(
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
        response = self._transport.send(call)
        return parse(response, Upload)

    def get(self, upload_id: str, *, options: RequestOptions | None = None) -> Upload:
        """Get an upload.

        Whether the file has arrived, or which parts of it.
        """
        call = Call("GET", f"/v1/uploads/{quoted(upload_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, Upload)

    def complete(self, upload_id: str, *, options: RequestOptions | None = None) -> Upload:
        """Complete an upload.

        Joins the parts and compares size and SHA-256. The first transcription of an upload does it too.
        """
        call = Call("POST", f"/v1/uploads/{quoted(upload_id)}/complete", is_harmless=True, options=options)
        response = self._transport.send(call)
        return parse(response, Upload)

    def resume(self, upload_id: str, *, options: RequestOptions | None = None) -> Upload:
        """Resume an upload.

        New signed requests for what has not arrived, whatever became of the first ones.
        """
        call = Call("POST", f"/v1/uploads/{quoted(upload_id)}/resume", is_harmless=True, options=options)
        response = self._transport.send(call)
        return parse(response, Upload)
