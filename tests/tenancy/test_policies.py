"""What the operator decides for a tenant: kept as typed values, carried by every caller, changed with a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from apikit import ids
from tenants import auth
from tenants.facade import (
    Policies,
    RoutingPolicy,
    authenticate,
    create_key,
    narrowed,
    policies_of,
    rotate_key,
    set_policies,
)
from workers.cli.tenants import tenant_app

HERE = "127.0.0.1"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    auth.forget_keys()
    yield
    auth.forget_keys()


def policies_seen_by(person: Any) -> Policies:
    auth.forget_keys()
    return authenticate(person.secret, address=HERE).policies


def run(*arguments: str) -> Any:
    return CliRunner().invoke(tenant_app, list(arguments))


def test_a_new_tenant_has_the_defaults(alice: Any) -> None:
    assert policies_seen_by(alice) == Policies(reuse=False, webhook_hosts=None)


def test_every_caller_carries_its_own_tenants_policies_only(alice: Any, charlie: Any) -> None:
    set_policies(alice.id, policies=Policies(reuse=True, webhook_hosts=("b.example", "A.example")))
    assert policies_seen_by(alice) == Policies(reuse=True, webhook_hosts=("a.example", "b.example"))
    assert policies_seen_by(charlie) == Policies()


def test_policies_cost_a_request_no_query_more(alice: Any) -> None:
    set_policies(alice.id, policies=Policies(webhook_hosts=()))
    auth.forget_keys()
    with CaptureQueriesContext(connection) as queries:
        assert authenticate(alice.secret, address=HERE).policies.webhook_hosts == ()
    assert len(queries) == 2  # the key, and that it was used


@pytest.mark.parametrize(
    "stored", [{"webhook_host": ["a.example"]}, {"reuse": "never"}, {"webhook_hosts": "a.example"}]
)
def test_what_is_unknown_or_of_a_wrong_type_is_refused(stored: Any) -> None:
    with pytest.raises(ValueError, match="polic"):
        Policies.parse(stored)


@pytest.mark.parametrize(
    "policies", [Policies(), Policies(reuse=True), Policies(webhook_hosts=("a.example",)), Policies(speech_keep_mb=1)]
)
def test_what_is_stored_reads_back_the_same(policies: Policies) -> None:
    assert Policies.parse(json.loads(json.dumps(policies.stored()))) == policies


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "a.example:8443", "a.example/x", "a.example?x", "a.example#x", "u@a.example", "127.0.0.1",
     "*.example", "https://a.example", "훅.example", "a b.example"],
)  # fmt: skip
def test_only_a_public_host_name_can_be_allowed(alice: Any, host: str) -> None:
    with pytest.raises(ValueError, match="not a public host name"):
        set_policies(alice.id, policies=Policies(webhook_hosts=("ok.example", host)))
    assert policies_of(alice.id) == Policies()


def test_a_change_is_in_the_audit_log_with_before_and_after(alice: Any) -> None:
    set_policies(alice.id, policies=Policies(reuse=True))
    set_policies(alice.id, policies=Policies(webhook_hosts=()))
    with connections["system"].cursor() as cursor:
        cursor.execute(
            "SELECT before, after FROM audit_entry WHERE tenant_id = %s AND action = 'tenant.policies_changed'"
            " ORDER BY id", [alice.id],
        )  # fmt: skip
        entries = [(json.loads(before), json.loads(after)) for before, after in cursor.fetchall()]
    assert entries == [({}, {"reuse": True}), ({"reuse": True}, {"webhook_hosts": []})]


def test_the_command_sets_one_policy_and_leaves_the_others(alice: Any) -> None:
    shown = ids.show(ids.TENANT, alice.id)
    assert run("set", shown, "--reuse", "never").exit_code == 0
    assert run("set", shown, "--webhook-hosts", "a.example, b.example").exit_code == 0
    assert policies_of(alice.id) == Policies(reuse=False, webhook_hosts=("a.example", "b.example"))
    assert run("set", shown, "--no-webhook-url", "--reuse", "auto").exit_code == 0
    assert policies_of(alice.id) == Policies(reuse=True, webhook_hosts=())
    told = json.loads(run("set", shown, "--json").stdout)
    assert told == {
        "reuse": "auto", "webhook_hosts": [], "routing": {}, "speech_keep_days": 30, "speech_keep_mb": 50_000,
        "plan": None, "limits": {}, "delete_after_s": None,
    }  # fmt: skip
    assert run("set", shown, "--any-webhook-url").exit_code == 0
    assert policies_of(alice.id) == Policies(reuse=True)


@pytest.mark.parametrize(
    "wrong",
    [["--no-webhook-url", "--any-webhook-url"], ["--webhook-hosts", " , "], ["--webhook-hosts", "localhost"],
     ["--reuse", "sometimes"]],
)  # fmt: skip
def test_the_command_refuses_what_it_cannot_mean(alice: Any, wrong: list[str]) -> None:
    assert run("set", ids.show(ids.TENANT, alice.id), *wrong).exit_code == 2
    assert policies_of(alice.id) == Policies()


def test_the_command_knows_no_tenant_of_a_made_up_name(migrated: None) -> None:
    assert run("set", "nobody-of-that-name", "--reuse", "never").exit_code == 2


def test_the_command_sets_and_takes_back_a_routing_policy(alice: Any) -> None:
    shown = ids.show(ids.TENANT, alice.id)
    assert (
        run("set", shown, "--regions", "eu, us", "--deny", "openai", "--local-only", "--fallbacks", "1").exit_code == 0
    )
    assert run("set", shown, "--hedge", "no").exit_code == 0
    wanted = RoutingPolicy(regions=("eu", "us"), deny=("openai",), local_only=True, fallbacks=1, hedge=False)
    assert policies_of(alice.id).routing == policies_seen_by(alice).routing == wanted
    assert run("set", shown, "--optimize", "cost", "--no-local-only", "--fallbacks", "any").exit_code == 0
    eu_or_us = RoutingPolicy(optimize="cost", regions=("eu", "us"), deny=("openai",), hedge=False)
    assert policies_of(alice.id).routing == eu_or_us
    assert (
        run("set", shown, "--hedge", "any", "--optimize", "none", "--regions", "any", "--deny", "none").exit_code == 0
    )
    assert policies_of(alice.id) == Policies()


@pytest.mark.parametrize(
    "wrong", [["--optimize", "price"], ["--deny", "opnai"], ["--fallbacks", "11"], ["--hedge", "2"]]
)
def test_the_command_refuses_a_routing_policy_that_nobody_can_mean(alice: Any, wrong: list[str]) -> None:
    assert run("set", ids.show(ids.TENANT, alice.id), *wrong).exit_code == 2
    assert policies_of(alice.id) == Policies()


def test_who_forbids_a_second_call_is_heard_before_who_wants_one() -> None:
    yes, no, deny = RoutingPolicy(hedge=True), RoutingPolicy(hedge=False), RoutingPolicy(deny=("openai",))
    assert [narrowed(each).hedge for each in ([yes, deny], [yes, no], [no, yes], [deny, deny])] == [
        True,
        False,
        False,
        None,
    ]


def test_a_key_carries_its_own_routing_policy_and_hands_it_on(alice: Any) -> None:
    strict = create_key(alice.id, routing=RoutingPolicy(local_only=True))
    caller = authenticate(strict.secret, address=HERE)
    assert caller.routing == RoutingPolicy(local_only=True)
    minted = create_key(alice.id, routing=RoutingPolicy(optimize="cost"), by=caller)
    assert authenticate(minted.secret, address=HERE).routing == RoutingPolicy(optimize="cost", local_only=True)
    rotated = rotate_key(strict.id, overlap=timedelta(0))
    assert authenticate(rotated.secret, address=HERE).routing == caller.routing
