"""What the installation says of Stripe."""

from __future__ import annotations

from dataclasses import dataclass, field

# The adapter was written and tested against this version: an account's own default never changes it.
API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """`base_url` is Stripe's own origin, but for tests; both secrets are needed, or none."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    base_url: str = "https://api.stripe.com"


def stripe_settings() -> StripeSettings | None:
    """The settings in force; None when Stripe is off (the default)."""
    from django.conf import settings

    found: StripeSettings | None = settings.STRIPE
    return found
