"""The reference and the problem pages, as a browser gets them; and that no code is without its page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from stack import Stack

from config.pages import reference
from config.pages.app import Pages
from config.pages.codes import CODES

ROOT = Path(__file__).parents[2]
LINK = re.compile(r'href="(/[^"#]*)')
# Errors of the operator's commands, of processes among themselves, and warnings: never an answer of the API.
NOT_ANSWERS = {"key_invalid", "parts_missing", "tenant_error", "wrong_entry"}
INSIDE = {"Refused", "SandboxDied", "EspeakFailed", "ModeratorFailed", "SpeakError"}
ELSEWHERE = {"/openapi.json"}
CODE = re.compile(r"^[a-z][a-z0-9]*(_[a-z0-9]+)+$")


@pytest.fixture
def visitor(stack: Stack) -> httpx.Client:
    return stack.client(None)


def test_a_problem_leads_to_its_page(visitor: httpx.Client) -> None:
    problem = visitor.get("/v1/transcriptions").json()

    page = visitor.get(httpx.URL(problem["type"]).path, headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "<code>invalid_api_key</code>" in page.text
    assert "script" not in page.text


def test_a_problem_page_is_data_for_programs(visitor: httpx.Client) -> None:
    found = visitor.get("/problems/overloaded", headers={"Accept": "application/json"}).json()

    assert found["retryable"] is True
    assert found["status"] == 503


@pytest.fixture(scope="module")
def pages(migrated: None) -> Pages:
    from config.api import openapi

    return Pages(openapi, base_url="http://test")


def test_every_link_of_the_reference_leads_somewhere(pages: Pages) -> None:
    seen, todo = set(ELSEWHERE), ["/docs"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        make = pages.maker(path)
        assert make is not None, path
        todo += LINK.findall(make().decode())
    assert set(CODES) < {path.rpartition("/")[2] for path in seen}


def test_every_operation_has_a_page(pages: Pages) -> None:
    for operation in reference.operations(pages.document(), base_url="http://test"):
        make = pages.maker(f"/docs/{operation.id}")
        assert make is not None
        assert operation.path in make().decode()


@pytest.mark.parametrize("path", ["/docs/nothing", "/problems/nothing", "/docs/objects/Nothing", "/docs/../etc/passwd"])
def test_other_paths_are_not_found(visitor: httpx.Client, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 404 or answer.json()["code"] == "invalid_api_key"


def test_pages_are_only_read(visitor: httpx.Client) -> None:
    answer = visitor.post("/docs", json={})

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


def test_what_the_document_says_is_text_and_never_markup() -> None:
    document: dict[str, Any] = {
        "info": {"title": "<script>", "version": "1", "description": "<b>"},
        "paths": {"/x": {"get": {"operationId": "x", "description": "<img src=x>", "responses": {}}}},
        "components": {"schemas": {}},
    }
    pages = Pages(lambda: document, base_url="http://test")

    assert b"<script>" not in pages.maker("/docs")()
    assert b"<img" not in pages.maker("/docs/x")()


def test_every_code_has_a_page() -> None:
    missing = sorted({code for code, _ in _codes_of_the_code()} - set(CODES) - NOT_ANSWERS)

    assert not missing, f"say what they mean in config/pages/codes.py: {missing}"


def test_no_page_is_about_a_code_that_is_gone() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "platform").rglob("*.py") if path.name != "codes.py")

    assert not [code for code in CODES if f'"{code}"' not in sources]


def _codes_of_the_code() -> Iterator[tuple[str, Path]]:
    """Literal codes of errors' classes, and those with which an error is made."""
    trees = {path: ast.parse(path.read_text()) for path in (ROOT / "platform").rglob("*.py")}
    errors = _error_classes(trees.values())
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in errors - INSIDE:
                yield from ((code, path) for code in _code_of_class(node))
            elif isinstance(node, ast.Call) and (code := _code_of_call(node, errors - INSIDE)):
                yield code, path


def _error_classes(trees: Iterable[ast.AST]) -> set[str]:
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found, before = {"Exception"}, 0
    while len(found) > before:
        before = len(found)
        found |= {node.name for node in classes if {getattr(base, "id", "") for base in node.bases} & found}
    return found | {"refused"}  # what makes errors of providers


def _code_of_class(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "code":
            yield ast.literal_eval(statement.value)


def _code_of_call(node: ast.Call, errors: set[str]) -> str | None:
    if getattr(node.func, "id", getattr(node.func, "attr", "")) not in errors:
        return None
    named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    given = (named or list(node.args) or [None])[0]
    code = given.value if isinstance(given, ast.Constant) else None
    return code if isinstance(code, str) and CODE.match(code) else None
