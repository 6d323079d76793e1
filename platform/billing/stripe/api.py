"""`/v1/billing/…`: links to Stripe's pages, on which a tenant's people save a card, top up, and see their invoices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import urlsplit

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from apikit.facade import Body, FieldError, Problem, ProblemOut
from billing.errors import BillingError
from events.facade import record_audit
from tenants.facade import Caller, caller_with

router = Router(tags=["billing"])
MAX_TOP_UP = Decimal(999_999)  # in the currency's own unit; Stripe's own limit is eight digits of the smallest one


class CheckoutIn(Body):
    """What is wanted: `top_up` takes an `amount` in the wallet's currency, `card` saves one for statements to come."""

    purpose: Literal["top_up", "card"]
    amount: str | None = Field(None, description="Decimal string such as `50` or `49.90`; for `top_up` only.")
    return_url: str = Field(description="https URL that the browser is led to afterwards.")


class PortalIn(Body):
    """Where Stripe's portal leads back to."""

    return_url: str = Field(description="https URL that the browser is led to afterwards.")


class LinkOut(BaseModel):
    """A page at Stripe for one person, soon; make a new link for each visit."""

    object: Literal["billing_link"]
    purpose: Literal["top_up", "card", "portal"]
    url: str
    expires_at: datetime | None


@router.post("/billing/checkout", response={201: LinkOut, 409: ProblemOut}, operation_id="create_billing_checkout")
def create_billing_checkout(request: HttpRequest, wanted: CheckoutIn) -> tuple[int, dict[str, Any]]:
    """A link on which a person tops up the wallet or saves a card. The wallet is credited once Stripe has the money."""
    caller = _live_caller(request)
    url = _url(wanted.return_url)
    urls = {"success_url": url, "cancel_url": url}
    from billing.stripe import topups  # late: the SDK takes 31 MB, and only few installations need it

    with _own_problems():
        if wanted.purpose == "top_up":
            session = topups.top_up_link(caller.tenant_id, amount=_amount(wanted.amount), urls=urls)
        else:
            if wanted.amount is not None:
                raise _refused("amount", "unexpected_field", "Leave it out, or use the purpose top_up.")
            session = topups.card_link(caller.tenant_id, currency=caller.currency, urls=urls)
    _audit(caller, "checkout_started", purpose=wanted.purpose, amount=wanted.amount)
    return 201, _link(wanted.purpose, session.url, expires_at=datetime.fromtimestamp(session.expires_at, UTC))


@router.post("/billing/portal", response={201: LinkOut, 409: ProblemOut}, operation_id="create_billing_portal")
def create_billing_portal(request: HttpRequest, wanted: PortalIn) -> tuple[int, dict[str, Any]]:
    """A link to Stripe's own pages with the tenant's invoices, receipts and cards."""
    caller = _live_caller(request)
    url = _url(wanted.return_url)
    from billing.stripe import topups

    with _own_problems():
        session = topups.portal_link(caller.tenant_id, return_url=url)
    _audit(caller, "portal_opened")
    return 201, _link("portal", session.url, expires_at=None)


def _audit(caller: Caller, action: str, **told: str | None) -> None:
    record_audit(
        f"billing.{action}", actor=str(caller.key_id), subject=str(caller.tenant_id), tenant_id=caller.tenant_id,
        after=told,
    )  # fmt: skip


class _own_problems:  # reads as a function where it is used
    """Turns our own refusals and Stripe's into problems."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BillingError):
            raise Problem(error.code, 409, str(error)) from None
        if kind is not None and kind.__module__.startswith("stripe"):
            detail = "The payment provider does not answer as it should. Try again in a minute."
            raise Problem("payments_unavailable", 503, detail, headers={"Retry-After": "30"}) from None


def _live_caller(request: HttpRequest) -> Caller:
    caller = caller_with(request, "billing:manage")
    if not caller.livemode:
        raise Problem("live_key_needed", 409, "Test keys cost nothing, so there is nothing to pay. Use a live key.")
    return caller


def _amount(raw: str | None) -> Decimal:
    try:
        amount = Decimal(raw or "")
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or not 0 < amount <= MAX_TOP_UP:
        raise _refused("amount", "invalid_amount", f"Use a decimal string above 0, at most {MAX_TOP_UP}.")
    return amount


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    here = parts.hostname in {"localhost", "127.0.0.1"}
    if not parts.hostname or len(raw) > 2_000 or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise _refused("return_url", "invalid_url", "Use an https URL.")
    return raw


def _refused(field: str, code: str, detail: str) -> Problem:
    return Problem("invalid_request", 422, f"{field}: {detail}", [FieldError(field, code, detail)])


def _link(purpose: str, url: str, *, expires_at: datetime | None) -> dict[str, Any]:
    return {"object": "billing_link", "purpose": purpose, "url": url, "expires_at": expires_at}
