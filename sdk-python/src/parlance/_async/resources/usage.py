"""`client.usage`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from parlance._async.raw import a_raw
from parlance._async.transport import AsyncTransport
from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import Usage


class AsyncUsageResourceWithRawResponse:
    def __init__(self, resource: AsyncUsageResource) -> None:
        self.get = a_raw(resource.get)


class AsyncUsageResource:
    """`client.usage`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> AsyncUsageResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return AsyncUsageResourceWithRawResponse(self)

    async def get(
        self,
        *,
        from_: str | None = None,
        to: str | None = None,
        group: str | None = None,
        time_zone: str | None = None,
        by: str | None = None,
        meter: str | None = None,
        engine: str | None = None,
        api_key: str | None = None,
        tag: str | None = None,
        options: RequestOptions | None = None,
    ) -> Usage:
        """Get Usage.

        Usage and its price by meter, engine and mode. A test key's jobs cost nothing and are not listed.

        `from_`: An RFC 3339 time with its offset. In a URL write `+` as `%2B`, or use `Z`. Default: the
          month's first moment (UTC).
        `to`: An RFC 3339 time with its offset. In a URL write `+` as `%2B`, or use `Z`. Not included itself.
          Default: now.
        `group`: `hour` or `day`; without it, one line for the whole range.
        `time_zone`: IANA name; decides where a day begins.
        `by`: What lines are by: meter, engine, model, mode, key, tag, with commas between.
        `meter`: Only this meter.
        `engine`: Only this engine.
        `api_key`: Only this key (`key_…`).
        `tag`: Only jobs with this tag.
        """
        call = Call(
            "GET",
            "/v1/usage",
            query={
                "from": from_,
                "to": to,
                "group": group,
                "time_zone": time_zone,
                "by": by,
                "meter": meter,
                "engine": engine,
                "api_key": api_key,
                "tag": tag,
            },
            options=options,
        )
        response = await self._transport.send(call)
        return parse(response, Usage)
