"""What the operator decides for a tenant: kept as typed values, carried by every caller, changed with a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from apikit import ids
from tenants import auth
from tenants.facade import Policies, authenticate, policies_of, set_policies
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


@pytest.mark.parametrize("policies", [Policies(), Policies(reuse=True), Policies(webhook_hosts=("a.example",))])
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
    assert json.loads(run("set", shown, "--json").stdout) == {"reuse": "auto", "webhook_hosts": []}
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
