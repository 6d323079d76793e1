"""`client.content_policy`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import ContentPolicy
from parlance._sync.raw import raw
from parlance._sync.transport import Transport


class ContentPolicyResourceWithRawResponse:
    def __init__(self, resource: ContentPolicyResource) -> None:
        self.get = raw(resource.get)
        self.set = raw(resource.set)


class ContentPolicyResource:
    """`client.content_policy`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> ContentPolicyResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return ContentPolicyResourceWithRawResponse(self)

    def get(self, *, options: RequestOptions | None = None) -> ContentPolicy:
        """Get the content policy.

        What may not be said with keys of this mode.
        """
        call = Call("GET", "/v1/content-policy", options=options)
        response = self._transport.send(call)
        return parse(response, ContentPolicy)

    def set(
        self,
        *,
        deny_terms: Sequence[str] | None = None,
        moderator_url: str | None = None,
        when_moderator_fails: Literal["refuse", "allow"] | None = None,
        options: RequestOptions | None = None,
    ) -> ContentPolicy:
        """Replace the content policy.

        Holds for every order from now on, cached speech too. A refused text is billed nothing.

        `deny_terms`: Compared without case and as whole words; Korean, Chinese and Japanese without regard to
          spaces.
        `moderator_url`: An https URL that gets {"text"} and answers {"allowed": true|false, "reason"} within
          3 seconds.
        `when_moderator_fails`: What happens to a text when the moderator gives no verdict.
        """
        call = Call(
            "PUT",
            "/v1/content-policy",
            body={
                "deny_terms": deny_terms,
                "moderator_url": moderator_url,
                "when_moderator_fails": when_moderator_fails,
            },
            options=options,
        )
        response = self._transport.send(call)
        return parse(response, ContentPolicy)
