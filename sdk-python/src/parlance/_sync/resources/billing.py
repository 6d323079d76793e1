"""`client.billing`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from parlance._call import Call, RequestOptions, parse
from parlance._generated.models import BillingLink
from parlance._sync.raw import raw
from parlance._sync.transport import Transport


class BillingResourceWithRawResponse:
    def __init__(self, resource: BillingResource) -> None:
        self.checkout = raw(resource.checkout)
        self.portal = raw(resource.portal)


class BillingResource:
    """`client.billing`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> BillingResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return BillingResourceWithRawResponse(self)

    def checkout(
        self,
        *,
        purpose: Literal["top_up", "card"],
        return_url: str,
        amount: Decimal | str | None = None,
        options: RequestOptions | None = None,
    ) -> BillingLink:
        """Create Billing Checkout.

        A link on which a person tops up the wallet or saves a card. The wallet is credited once Stripe has
        the money.

        `amount`: Decimal string such as `50` or `49.90`; for `top_up` only.
        `return_url`: https URL that the browser is led to afterwards.
        """
        call = Call(
            "POST",
            "/v1/billing/checkout",
            body={"amount": amount, "purpose": purpose, "return_url": return_url},
            options=options,
        )
        response = self._transport.send(call)
        return parse(response, BillingLink)

    def portal(self, *, return_url: str, options: RequestOptions | None = None) -> BillingLink:
        """Create Billing Portal.

        A link to Stripe's own pages with the tenant's invoices, receipts and cards.

        `return_url`: https URL that the browser is led to afterwards.
        """
        call = Call("POST", "/v1/billing/portal", body={"return_url": return_url}, options=options)
        response = self._transport.send(call)
        return parse(response, BillingLink)
