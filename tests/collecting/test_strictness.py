"""The loopback refuses what Stripe refuses, so that a passing test says something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.stripe_loopback import cut
from tests.fakes.stripe_loopback.server import ROUTES, VERSION, LoopbackStripe
from tests.fakes.stripe_loopback.validation import API, Invalid, checked, decoded

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "stripe"


@pytest.fixture
def raw() -> Iterator[httpx.Client]:
    """Requests as the SDK sends them, but for what a test does wrong."""
    loopback = LoopbackStripe()
    headers = {"Authorization": f"Bearer {loopback.api_key}", "Stripe-Version": VERSION}
    with httpx.Client(base_url=loopback.url, headers=headers, trust_env=False) as client:
        yield client
    loopback.close()


def post(client: httpx.Client, path: str, data: dict[str, str], *, key: str) -> httpx.Response:
    return client.post(path, data=data, headers={"Idempotency-Key": key})


@pytest.mark.parametrize(
    ("operation", "form", "code", "param"),
    [
        ("post /v1/customers", "nme=a", "parameter_unknown", "nme"),
        ("post /v1/invoices", "automatic_tax[on]=true", "parameter_unknown", "automatic_tax[on]"),
        ("post /v1/invoices/{invoice}/add_lines", "", "parameter_missing", "lines"),
        ("post /v1/credit_notes", "amount=5", "parameter_missing", "invoice"),
        ("post /v1/credit_notes", "invoice=in_1&amount=5.5", "parameter_invalid_integer", "amount"),
        ("post /v1/invoices", "auto_advance=yes", "parameter_invalid_boolean", "auto_advance"),
        ("post /v1/invoices", "collection_method=by_post", "parameter_invalid_string", "collection_method"),
        ("post /v1/invoices/{invoice}/add_lines", "lines[1][amount]=5", "parameter_invalid", "lines"),
        ("post /v1/customers", "name=", "parameter_invalid_empty", "name"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(operation: str, form: str, code: str, param: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(operation, decoded(form))
    assert (refused.value.code, refused.value.param) == (code, param)


def test_every_operation_is_official_and_none_is_missing() -> None:
    assert set(API["operations"]) == set(ROUTES) == set(cut.OPERATIONS)


def test_the_data_is_what_the_official_files_say() -> None:
    if not SPECS.is_dir():
        pytest.skip("the official data is not beside this checkout")
    assert json.loads(json.dumps(cut.cut(SPECS))) == API


def test_a_key_replays_its_answer_and_refuses_other_parameters(raw: httpx.Client) -> None:
    first = post(raw, "/v1/customers", {"name": "a"}, key="k")
    again = post(raw, "/v1/customers", {"name": "a"}, key="k")
    other = post(raw, "/v1/customers", {"name": "b"}, key="k")
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
    assert len(raw.get("/v1/customers").json()["data"]) == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [({"Authorization": "Bearer sk_test_other"}, 401), ({"Stripe-Version": "2020-08-27"}, 400)],
)
def test_another_account_or_version_is_refused(raw: httpx.Client, change: dict[str, str], status: int) -> None:
    assert raw.get("/v1/customers", headers=change).status_code == status


def test_an_unknown_route_does_not_exist(raw: httpx.Client) -> None:
    assert raw.get("/v1/subscriptions").status_code == 404


def test_an_invoice_keeps_to_its_states(raw: httpx.Client) -> None:
    customer = post(raw, "/v1/customers", {"name": "a"}, key="1").json()["id"]
    invoice = post(raw, "/v1/invoices", {"customer": customer, "currency": "usd"}, key="2").json()["id"]
    codes = [
        post(raw, f"/v1/invoices/{invoice}/void", {}, key="3").status_code,  # a draft is deleted, not voided
        post(raw, f"/v1/invoices/{invoice}/finalize", {}, key="4").status_code,  # without lines
        post(raw, f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "100"}, key="5").status_code,
        post(raw, f"/v1/invoices/{invoice}/finalize", {}, key="6").status_code,
        post(raw, f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "100"}, key="7").status_code,
        post(raw, f"/v1/invoices/{invoice}/pay", {}, key="8").status_code,  # no card
        post(raw, f"/v1/invoices/{invoice}/void", {}, key="9").status_code,
    ]
    assert codes == [400, 400, 200, 200, 400, 400, 200]


def test_a_third_decimal_must_be_zero(raw: httpx.Client) -> None:
    customer = post(raw, "/v1/customers", {"name": "a"}, key="1").json()["id"]
    invoice = post(raw, "/v1/invoices", {"customer": customer, "currency": "kwd"}, key="2").json()["id"]
    post(raw, f"/v1/invoices/{invoice}/add_lines", {"lines[0][amount]": "5124"}, key="3")
    refused: dict[str, Any] = post(raw, f"/v1/invoices/{invoice}/finalize", {}, key="4").json()
    assert refused["error"]["code"] == "invalid_charge_amount_no_decimal_compatible"
