"""Errors of collecting through Stripe.

BillingError
├── StripeOff        no Stripe key is set
├── NotCollectable   Stripe does not take this currency, or not this amount
├── WalletMissing    money is to be put into a wallet that is not there
└── Disagreement     what Stripe holds is not what was sent; a person has to look
"""

from __future__ import annotations

from billing.errors import BillingError


class StripeOff(BillingError):
    code = "stripe_off"

    def __init__(self) -> None:
        super().__init__("Payments are not set up here. The operator sets PARLANCE_STRIPE_API_KEY.")


class NotCollectable(BillingError):
    code = "currency_not_collectable"

    def __init__(self, currency: str) -> None:
        super().__init__(f"Stripe does not collect {currency} for us. Collect this statement another way.")
        self.currency = currency


class WalletMissing(BillingError):
    code = "wallet_missing"

    def __init__(self) -> None:
        super().__init__("There is no prepaid wallet to top up. Ask the operator for one, or pay by statement.")


class Disagreement(BillingError):
    code = "stripe_disagreement"
