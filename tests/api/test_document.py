"""The OpenAPI document: the served one is the committed one, and the server keeps to it under fire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from stack import Stack, Tenant

from apikit.dialects import speaks_openai

COMMITTED = Path(__file__).parents[2] / "openapi.json"
PROBLEM = "application/problem+json"
ALWAYS = {"401", "403", "405", "422", "500", "503"}
OPENAI_ALWAYS = {"400", "401", "403", "405", "500", "503"}  # wrong fields are a 400 there
EXAMPLES = 30  # per operation; a first run with 300 found what there was
WATCHED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
JOBS = ("POST", "/v1/transcriptions")


def _operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (method.upper(), path, shown)
        for path, methods in document["paths"].items()
        for method, shown in methods.items()
    ]


@pytest.fixture
def document(nobody_http: httpx.Client) -> Any:
    return nobody_http.get("/openapi.json").json()


def test_the_served_document_is_the_committed_one(document: Any) -> None:
    if not COMMITTED.exists():
        pytest.skip("openapi.json is not committed yet: run `make openapi`")
    assert document == json.loads(COMMITTED.read_text("utf-8"))


def test_every_operation_tells_its_errors(document: Any) -> None:
    for method, path, operation in _operations(document):
        responses = operation["responses"]
        openai = speaks_openai(path)
        expected = (
            (OPENAI_ALWAYS if openai else ALWAYS)
            | ({"404"} if "{" in path else set())
            | ({"400", "413"} if "requestBody" in operation else set())
        )
        assert expected <= responses.keys(), (method, path)
        for status, response in responses.items():
            if int(status) >= 400:
                shape = "application/json" if openai else PROBLEM
                assert list(response["content"]) == [shape], (method, path, status)
            else:
                assert (status == "204") == ("content" not in response), (method, path, status)


def test_every_operation_needs_a_key_and_has_one_name(document: Any) -> None:
    operations = _operations(document)
    assert all(operation["security"] for *_, operation in operations)
    assert len({operation["operationId"] for *_, operation in operations}) == len(operations)
    assert all(operation["summary"] for *_, operation in operations)


def test_the_server_keeps_to_its_document(stack: Stack, alice_http: Tenant, document: Any) -> None:
    schema = schemathesis.openapi.from_dict(document)
    checks = [CHECKS.get_one(name) for name in WATCHED]
    operators = json.loads(stack.parlance("operator", "create", "fuzzer", "--json"))["operator_key"]
    for found in schema.get_all_operations():
        operation = found.ok()
        key = operators if operation.path.startswith("/v1/admin/") else alice_http.test_api_key
        _fire(operation, base_url=stack.url, headers={"Authorization": f"Bearer {key}"}, checks=checks)


def _fire(operation: Any, **how: Any) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def one(case: Any) -> None:
        case.call_and_validate(**how)

    _run(one, operation)


def _run(one: Any, operation: Any) -> None:
    from hypothesis import given

    given(case=operation.as_strategy())(one)()
