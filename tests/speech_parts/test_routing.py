"""The choice of an engine: what takes one out, in which order the rest is tried, and the sentences for it."""

from __future__ import annotations

import doctest
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from speech import catalogue, kept, routing, routing_order
from speech.catalogue import EngineModel, Lifecycle
from speech.contracts import NoEngine
from speech.engines.simulated import CAPABILITIES
from speech.options import FEATURES, Options
from speech.routing import Outlook, Route, Wishes, choose
from speech.routing_order import Measured
from tenants import routing_policy
from tenants.facade import RoutingPolicy, narrowed

LOCAL = replace(
    CAPABILITIES, name="local", languages=frozenset({"en"}), features=frozenset(), quality="demo", models=("small",)
)
EU = replace(CAPABILITIES, name="eu", quality="production", models=("a", "b"), executor="cloud:deepgram:eu-west-1")
US = replace(CAPABILITIES, name="us", quality="production", models=("c",), executor="cloud:assemblyai:us")
ALL = (LOCAL, EU, US)
TODAY = date(2027, 1, 1)
SHUT = Lifecycle(date(2026, 1, 1), shutdown=date(2026, 9, 2), replacement="eu/b")


def route(policy: RoutingPolicy | None = None, *, outlook: Outlook | None = None, **options: Any) -> Route:
    wishes = Wishes(livemode=True, options=Options(**options), policy=policy or RoutingPolicy())
    return choose(wishes, available=ALL, outlook=outlook or Outlook(today=TODAY))


@pytest.mark.parametrize("module", [routing, routing_order, catalogue, kept, routing_policy])
def test_examples_hold(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


def test_production_goes_before_demo_and_everybody_has_a_reason() -> None:
    found = route()
    assert found.engines == ("eu", "us", "local")
    assert found.reasons == {"local": "fits", "eu": "fits", "us": "fits"}
    assert found.models == {"eu": "a", "us": "c", "local": "small"}


def test_what_cannot_be_done_takes_an_engine_out() -> None:
    assert route(language="ko").reasons["local"] == "does not know the language ko"
    assert route(diarize=True).reasons["local"] == f"cannot do {FEATURES['diarization']}"


@pytest.mark.parametrize(
    ("policy", "engines", "reason"),
    [
        (RoutingPolicy(deny=("eu",)), ("us", "local"), "denied by the routing policy"),
        (RoutingPolicy(allow=("us",)), ("us",), "not among the engines that the routing policy allows"),
        (RoutingPolicy(local_only=True), ("local",), "local_only: it would send what is yours to a provider"),
        (RoutingPolicy(regions=("us",)), ("us", "local"), "runs in the region eu-west-1, outside of us"),
        (RoutingPolicy(regions=("eu",), deny=("local",)), ("eu",), None),
        (RoutingPolicy(regions=()), ("local",), "runs in the region eu-west-1, outside of every allowed one"),
    ],
)
def test_policies_take_engines_out(policy: RoutingPolicy, engines: tuple[str, ...], reason: str | None) -> None:
    found = route(policy)
    assert found.engines == engines
    if reason is not None:
        assert found.reasons["eu"] == reason


def test_cost_puts_the_cheapest_model_first_and_the_unpriced_out() -> None:
    outlook = Outlook(rates={"eu": Decimal("0.4"), "eu/b": Decimal("0.1"), "us": Decimal("0.2")}, currency="USD")
    found = route(RoutingPolicy(optimize="cost"), outlook=outlook)
    assert (found.engines, found.models["eu"]) == (("eu", "us"), "b")
    assert found.reasons == {
        "eu": "fits: 0.1 USD an hour", "us": "fits: 0.2 USD an hour", "local": "has no price in USD",
    }  # fmt: skip


def test_quality_follows_what_was_measured_and_says_so_when_nothing_was() -> None:
    measured = {("us", "c", "ko"): Measured(Decimal("0.042"), True, 40, None)}
    found = route(RoutingPolicy(optimize="quality"), outlook=Outlook(measured=measured), language="ko-KR")
    assert found.engines == ("us", "eu")
    assert found.reasons["us"] == "fits: 4.2 % CER over 40 clips of ko-KR"
    assert found.reasons["eu"] == "fits: not measured for ko-KR, so it is behind those that are"


def test_latency_prefers_what_was_measured_over_what_is_declared() -> None:
    measured = {("us", "c", "en"): Measured(Decimal("0.1"), False, 3, Decimal("1.5"))}
    found = route(RoutingPolicy(optimize="latency"), outlook=Outlook(measured=measured), language="en")
    assert found.reasons["us"] == "fits: 2 ms per second of audio, measured"
    assert "as declared and not measured" in found.reasons["eu"]


def test_an_engine_in_trouble_goes_last_and_stays_better_than_none() -> None:
    found = route(outlook=Outlook(troubled={"eu": 4.0}))
    assert found.engines == ("us", "local", "eu")
    assert found.reasons["eu"] == "fits; its provider is in trouble, so it is tried last"
    assert route(RoutingPolicy(allow=("eu",)), outlook=Outlook(troubled={"eu": 4.0})).engines == ("eu",)


def test_so_many_fallbacks_and_no_more() -> None:
    found = route(RoutingPolicy(fallbacks=0))
    assert found.engines == ("eu",)
    assert found.reasons["us"] == "fits; no more fallbacks are wanted"


def test_a_model_past_its_time_is_not_taken_and_refused_with_its_replacement() -> None:
    outlook = Outlook(models={"eu/a": EngineModel("eu", "a", SHUT)}, today=TODAY)
    assert route(outlook=outlook).models["eu"] == "b"
    with pytest.raises(NoEngine) as refused:
        route(outlook=outlook, model="a")
    assert (refused.value.code, refused.value.field) == ("model_shut_down", "model")
    assert refused.value.detail == "The model eu/a was shut down on 2026-09-02. Use eu/b instead."


def test_a_model_that_lacks_the_language_leaves_it_to_its_sibling() -> None:
    outlook = Outlook(models={"eu/a": EngineModel("eu", "a", languages=("en",))}, today=TODAY)
    assert route(outlook=outlook, language="ko").models["eu"] == "b"
    assert route(outlook=outlook, language="en").models["eu"] == "a"


def of_models(**features: set[Any]) -> Any:
    """The engine "eu", whose models have these features."""
    models = {name: frozenset(has) for name, has in features.items()}
    every = frozenset(feature for has in features.values() for feature in has)
    return replace(EU, models=tuple(models), model_features=models, features=every)


def test_a_model_that_lacks_an_option_leaves_it_to_its_sibling() -> None:
    engine = of_models(a={"prompt"}, b={"diarization", "word_timestamps"})

    def model(**options: Any) -> str:
        return choose(Wishes(livemode=True, options=Options(**options)), available=[engine]).models["eu"]

    assert (model(), model(prompt="x"), model(diarize=True)) == ("a", "a", "b")
    assert model(diarize=True, word_timestamps=True) == "b"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"diarize": True, "prompt": "x"}, "eu: has no model that can do all of this at once: "),
        ({"diarize": True, "model": "a"}, f"eu: cannot do {FEATURES['diarization']} with a"),
        ({"redact_pii": ("all",)}, f"eu: cannot do {FEATURES['pii_redaction']}"),
    ],
)
def test_what_no_model_can_do_takes_its_engine_out(options: dict[str, Any], reason: str) -> None:
    engine, other = of_models(a={"prompt"}, b={"diarization"}), replace(US, models=("a",))
    found = choose(Wishes(livemode=True, options=Options(**options)), available=[engine, other])
    assert found.engines == ("us",)
    assert f"eu: {found.reasons['eu']}".startswith(reason)
    with pytest.raises(NoEngine) as refused:
        choose(Wishes(livemode=True, engine="eu", options=Options(**options)), available=[engine, other])
    assert refused.value.field == "options"
    assert "Engines that do: us." in refused.value.detail


def test_when_policies_leave_nobody_the_refusal_says_why_for_each() -> None:
    with pytest.raises(NoEngine) as refused:
        route(RoutingPolicy(local_only=True, deny=("local", "eu")))
    assert (refused.value.code, refused.value.field) == ("no_engine_allowed", "routing")
    assert "eu: denied by the routing policy; us: local_only" in refused.value.detail


def test_a_test_keys_job_is_simulated_whatever_a_policy_says() -> None:
    wishes = Wishes(livemode=False, policy=RoutingPolicy(deny=("simulated",), optimize="cost"))
    assert choose(wishes, available=(*ALL, CAPABILITIES)).engines == ("simulated",)


def test_a_policy_is_never_widened_by_another() -> None:
    found = narrowed(
        [RoutingPolicy(regions=("eu-west-1", "us")), RoutingPolicy(), RoutingPolicy(regions=("eu",), fallbacks=2)]
    )
    assert found == RoutingPolicy(regions=("eu-west-1",), fallbacks=2)
    assert narrowed([RoutingPolicy(allow=("a",)), RoutingPolicy(allow=("b",))]).allow == ()
    assert narrowed([RoutingPolicy(local_only=True), RoutingPolicy(optimize="cost")]).local_only


@pytest.mark.parametrize(
    "stored",
    [{"optimise": "cost"}, {"optimize": "price"}, {"regions": "eu"}, {"allow": [1]}, {"local_only": 1},
     {"fallbacks": -1}, {"fallbacks": True}],
)  # fmt: skip
def test_a_stored_policy_that_cannot_be_read_is_refused(stored: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="routing policies"):
        RoutingPolicy.parse(stored)
