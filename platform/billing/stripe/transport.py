"""The official SDK's requests through egress: exactly one origin, no proxies, no redirects, bounded answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import stripe
from stripe import HTTPClient

from egress.facade import Client, EgressError, operator

TIMEOUT_S = 40  # Stripe's own slowest answers, finalising and paying, take tens of seconds
MAX_ANSWER_BYTES = 8_000_000  # a list of 100 invoices with their lines


class EgressHttp(HTTPClient):
    """What `stripe.StripeClient` sends with. The SDK never repeats a call: repeating is the outbox's business."""

    name = "egress"

    def __init__(self, base_url: str) -> None:
        super().__init__()
        origin = re.match(r"https?://[^/]+", base_url)
        assert origin is not None, "settings check the URL"
        self._client = Client(operator({origin[0]}), total_timeout_s=TIMEOUT_S, max_body_bytes=MAX_ANSWER_BYTES)

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: object
    ) -> tuple[str, int, Mapping[str, str]]:
        """Raises `stripe.APIConnectionError` when no whole answer came: the call may have worked all the same."""
        content = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            answer = self._client.request(method.upper(), url=url, headers=dict(headers or {}), content=content)
        except EgressError as error:
            raise _unheard(f"Stripe did not answer ({error.code}).") from None
        if answer.truncated:
            raise _unheard("Stripe's answer is too large.")
        return answer.body.decode(), answer.status, dict(answer.headers)

    def close(self) -> None:
        self._client.close()


def _unheard(text: str) -> stripe.APIConnectionError:
    return stripe.APIConnectionError(text, should_retry=False)  # type: ignore[no-untyped-call]  # the SDK's
