"""The generator: a new route is there without hand work, and what is made says so when it is old."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
ANSWER = {"application/json": {"schema": {"$ref": "#/components/schemas/MoonOut"}}}
MOON = {
    "type": "object", "required": ["id"],
    "properties": {"id": {"type": "string"}, "rises_at": {"type": "string", "format": "date-time"}},
}  # fmt: skip
PATH = [{"name": "moon_id", "in": "path", "required": True, "schema": {"type": "string"}}]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project with its document, elsewhere."""
    for name in ("generate", "src"):
        shutil.copytree(PROJECT / name, tmp_path / "sdk" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "REFERENCE.md"):
        shutil.copy(PROJECT / name, tmp_path / "sdk")
    shutil.copy(PROJECT.parent / "openapi.json", tmp_path)
    return tmp_path / "sdk"


def add_route(copy: Path, path: str = "/v1/moons/{moon_id}", **more: Any) -> None:
    document = json.loads((copy.parent / "openapi.json").read_text("utf-8"))
    answers = {"200": {"content": ANSWER}}
    route = {"operationId": "get_moon", "summary": "Get a moon", "parameters": PATH, "responses": answers}
    document["paths"][path] = {"get": route | more}
    document["components"]["schemas"]["MoonOut"] = MOON
    (copy.parent / "openapi.json").write_text(json.dumps(document), "utf-8")


def generate(copy: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(copy / "generate"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_what_is_committed_is_what_the_document_gives(copy: Path) -> None:
    assert generate(copy, "--check").returncode == 0


def test_a_new_route_is_told_and_appears_without_hand_work(copy: Path) -> None:
    add_route(copy)
    told = generate(copy, "--check")
    assert told.returncode == 1
    assert "Run `make sdk`" in told.stderr
    assert generate(copy).returncode == 0
    program = (
        "from parlance import Parlance, models; from parlance.testing import FakeParlance\n"
        "client = FakeParlance().client(); assert callable(client.moons.get); print(models.Moon(id='m').rises_at)"
    )
    environ = {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("None\n", "")
    assert generate(copy, "--check").returncode == 0


def made(copy: Path, program: str) -> str:
    """What a program says that uses the package made of a changed document."""
    assert generate(copy).returncode == 0
    environ = {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


USE = "from parlance.testing import FakeParlance\nmoons = FakeParlance().client().moons\n"


@pytest.mark.parametrize("other", ["text/csv", "text/plain", "image/png"])
def test_an_answer_that_may_be_bytes_is_a_file(copy: Path, other: str) -> None:
    binary = {"schema": {"type": "string", "format": "binary"}}
    answers = {"200": {"content": {other: {"schema": {"type": "string"}}, "application/pdf": binary}}}
    add_route(copy, responses=answers)
    assert made(copy, USE + "print(type(moons.get('m')).__name__)") == "ByteStream"


def test_what_a_list_tells_beside_its_things_is_typed(copy: Path) -> None:
    fields: Any = {
        "data": {"type": "array", "items": {"$ref": "#/components/schemas/MoonOut"}}, "has_more": {"type": "boolean"},
        "next_cursor": {"type": ["string", "null"]}, "planet": {"type": "string"},
    }  # fmt: skip
    moons = {"type": "object", "required": list(fields), "properties": fields}
    add_route(copy, "/v1/moons", parameters=[], responses={"200": {"content": {"application/json": {"schema": moons}}}})
    document = json.loads((copy.parent / "openapi.json").read_text("utf-8"))
    document["components"]["schemas"]["MoonListOut"] = moons
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/MoonListOut"}}}
    document["paths"]["/v1/moons"]["get"]["responses"]["200"]["content"] = content
    (copy.parent / "openapi.json").write_text(json.dumps(document), "utf-8")
    program = "from parlance.models import MoonListExtra; print(moons.list()._extra.model_fields['planet'].annotation)"
    assert made(copy, USE + program) == "<class 'str'>"


def test_async_source_without_its_sync_twin_is_told(copy: Path) -> None:
    source = copy / "src" / "parlance" / "_async" / "pages.py"
    source.write_text(source.read_text("utf-8").replace("One request:", "A request:"), "utf-8")
    told = generate(copy, "--check")
    assert (told.returncode, "_sync/pages.py" in told.stderr) == (1, True)


def test_two_methods_of_one_name_are_refused_with_what_to_do(copy: Path) -> None:
    add_route(copy, "/v1/uploads/{moon_id}/x", **{"x-sdk-name": "uploads.get"})
    told = generate(copy)
    assert (told.returncode, "x-sdk-name" in told.stderr) == (1, True)
