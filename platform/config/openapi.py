"""The OpenAPI document made whole: what can go wrong on every route, in the shape and type in which it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from apikit.dialects import OpenAIErrorOut, speaks_openai
from apikit.problems import MEDIA_TYPE, TITLES
from config.formats import mark_fields, mark_operation
from webhooks.facade import webhooks_section

EVERYWHERE = (401, 403, 405, 422, 500, 503)
OPENAI = (400, 401, 403, 405, 500, 503)
OPENAI_JOBS = (404, 409, 413, 429, 504)
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
OPENAI_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIErrorOut"}}}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with every webhook, and every error of every operation: RFC 9457, or OpenAI's shape."""
    document = _lifted(document)
    schema = OpenAIErrorOut.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] |= schema.pop("$defs") | {"OpenAIErrorOut": schema}
    mark_fields(document["components"]["schemas"])
    for path, method, operation in _operations(document):
        mark_operation(operation)
        if speaks_openai(path):
            operation["responses"] |= _openai(path, operation)
            continue
        statuses = {*EVERYWHERE, *(int(status) for status in operation["responses"] if int(status) >= 400)}
        if "requestBody" in operation:
            statuses |= {400, 413}
        if "{" in path or any(given["name"].endswith("_id") for given in operation["parameters"]):
            statuses |= {404} if method == "get" else {404, 409}
        fine = {status: shown for status, shown in operation["responses"].items() if int(status) < 400}
        operation["responses"] = fine | {str(status): _problem(status) for status in sorted(statuses)}
    document["webhooks"] = webhooks_section()
    return document


def _lifted(document: dict[str, Any]) -> dict[str, Any]:
    """A copy in which schemas that routes wrote by hand keep their parts where all objects are."""
    text = json.dumps(document).replace('"#/$defs/', '"#/components/schemas/')
    copied: dict[str, Any] = json.loads(text)
    for _, _, operation in _operations(copied):
        for kind in operation.get("requestBody", {}).get("content", {}).values():
            copied["components"]["schemas"] |= kind["schema"].pop("$defs", {})
    return copied


def _openai(path: str, operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    statuses = {*OPENAI, *(OPENAI_JOBS if "requestBody" in operation else ()), *((404,) if "{" in path else ())}
    return {str(status): {"description": TITLES[status], "content": OPENAI_ERROR} for status in sorted(statuses)}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((path, method, operation) for method, operation in methods.items())


def _problem(status: int) -> dict[str, Any]:
    return {"description": TITLES[status], "content": PROBLEM}
