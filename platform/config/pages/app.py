"""`/docs` and `/problems`: the reference and what every code means, rendered here, without scripts or third parties.

Public and the same for everybody, so pages are made once per process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from django.template import Context, Engine

from apikit.asgi import Receive, Scope, Send, header, refuse, send_json
from apikit.dialects import render
from apikit.facade import Problem
from config.guard import TAKES_FILES
from config.pages import reference
from config.pages.codes import CODES, SECTIONS, Code

FOLDER: Final = Path(__file__).parent / "templates"
HEADERS: Final = (
    (b"cache-control", b"public, max-age=300"),
    (b"content-security-policy", b"default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
HTML, CSS = b"text/html; charset=utf-8", b"text/css; charset=utf-8"


class Pages:
    """The ASGI application of both; `document` gives the OpenAPI document."""

    def __init__(self, document: Callable[[], Mapping[str, Any]], *, base_url: str) -> None:
        self.document, self._base_url = lru_cache(maxsize=1)(document), base_url
        self._made: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/")
        if scope["method"] not in {"GET", "HEAD"}:
            detail = "This path takes GET. Check the method against the API reference."
            await self._refuse(
                Problem("method_not_allowed", 405, detail, headers={"Allow": "GET"}), scope, receive, send
            )
        elif (make := self.maker(path)) is None:
            detail = "There is no such page. See /docs and /problems."
            await self._refuse(Problem("not_found", 404, detail), scope, receive, send)
        elif path.startswith("/problems/") and _wants_json(scope):
            await send_json(send, status=200, body=_as_json(path.rpartition("/")[2]))
        else:
            body = self._made.setdefault(path, self._made.get(path) or make())
            kind = CSS if path.endswith(".css") else HTML
            await _send(send, body, kind=kind, with_body=scope["method"] == "GET")

    def maker(self, path: str) -> Callable[[], bytes] | None:
        """Who makes the page of this path; only paths that exist are kept."""
        section, _, name = path[1:].partition("/")
        if section == "problems":
            return self._problem_page(name)
        if name in {"", "style.css"}:
            return self._overview if not name else _style
        kind, _, found = name.rpartition("/")
        if kind == "objects" and found in self.document()["components"]["schemas"]:
            return partial(self._object, found)
        return partial(self._operation, name) if name in self._operations else None

    def _problem_page(self, name: str) -> Callable[[], bytes] | None:
        if not name:
            return partial(_rendered, "problems.html", sections=SECTIONS)
        return partial(_problem, name, CODES[name]) if name in CODES else None

    @cached_property
    def _operations(self) -> dict[str, reference.Operation]:
        found = reference.operations(self.document(), base_url=self._base_url, take_files=TAKES_FILES)
        return {operation.id: operation for operation in found}

    def _overview(self) -> bytes:
        tags: dict[str, list[reference.Operation]] = {}
        for operation in self._operations.values():
            tags.setdefault(operation.tag, []).append(operation)
        info, names = self.document()["info"], sorted(self.document()["components"]["schemas"])
        return _rendered("overview.html", info=info, tags=tags, objects=names, base_url=self._base_url)

    def _operation(self, name: str) -> bytes:
        return _rendered("operation.html", operation=self._operations[name])

    def _object(self, name: str) -> bytes:
        schema = self.document()["components"]["schemas"][name]
        fields = reference.objects(self.document())[name]
        return _rendered("object.html", name=name, description=schema.get("description", ""), fields=fields)

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        shown = render(problem, path=scope["path"], base_url=self._base_url, request_id=scope["parlance.request_id"])
        await refuse(shown, receive=receive, send=send, body_read=True)


def _problem(name: str, code: Code) -> bytes:
    return _rendered("problem.html", name=name, code=code, phrase=HTTPStatus(code.status).phrase if code.status else "")


def _as_json(name: str) -> dict[str, Any]:
    code = CODES[name]
    return {
        "code": name, "status": code.status or None, "meaning": code.meaning, "action": code.action,
        "retryable": code.again,
    }  # fmt: skip


def _wants_json(scope: Scope) -> bool:
    accepted = header(scope, b"accept") or ""
    return "json" in accepted and "text/html" not in accepted


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(dirs=[str(FOLDER)], autoescape=True, libraries={"prose": "config.pages.prose"})


def _rendered(template: str, **values: object) -> bytes:
    return _engine().get_template(template).render(Context(values)).encode()


def _style() -> bytes:
    return (FOLDER / "style.css").read_bytes()


async def _send(send: Send, body: bytes, *, kind: bytes, with_body: bool) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body if with_body else b""})
