"""From a request to a page: who asks, whether the form is ours, which view, and the headers that every page carries."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template import Context, Engine

from apikit.asgi import Scope
from apikit.front import REQUEST_ID
from billing.facade import BillingError
from console.finance import people
from console.finance.lists import PAGE, arranged, page_of
from console.finance.roles import rights_of
from console.finance.tables import Link, Table, as_csv, as_xlsx, text_of
from console.finance.words import language_of, said
from console.models import Staff
from events.facade import Origin, acting_from
from observe.facade import get_logger
from tenants.facade import PUBLIC, tenant_context

COOKIE: Final = "finance_session"
FOLDER: Final = Path(__file__).parent / "templates"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_engine: Final = Engine(dirs=[str(FOLDER)], autoescape=True)
log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one person; `staff` is None before the log-in."""

    request: HttpRequest
    staff: Staff | None
    language: str
    address: str

    @property
    def actor(self) -> str:
        assert self.staff is not None
        return self.staff.email

    def may(self, right: str) -> bool:
        return self.staff is not None and right in rights_of(self.staff.roles)

    def say(self, text: str) -> str:
        return said(text, self.language)


class Refusal(Exception):
    """A page that says why not, with a status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


View = Callable[..., HttpResponse]


def respond(scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of the answer."""
    request = ASGIRequest(scope, BytesIO(body))
    address = (scope.get("client") or ("", 0))[0]
    origin = Origin("operator", address, request.headers.get("user-agent", ""), scope.get(REQUEST_ID, ""))
    with tenant_context(PUBLIC), acting_from(origin):
        response = _guarded(request, address=address)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.items()]
    headers += [(b"set-cookie", morsel.OutputString().encode("latin-1")) for morsel in response.cookies.values()]
    headers.append((b"content-length", str(len(response.content)).encode()))
    return response.status_code, headers, response.content


_HEADERS: Final = {
    "Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
}  # fmt: skip


def _guarded(request: HttpRequest, *, address: str) -> HttpResponse:
    csrf = CsrfViewMiddleware(lambda _: HttpResponse())
    token = request.COOKIES.get(COOKIE, "")
    staff = people.who(token) if token else None
    chosen = staff.language if staff else ""
    visit = Visit(request, staff, chosen or language_of(request.headers.get("accept-language", "")), address)
    try:
        csrf.process_request(request)
        view, arguments, is_public = _route(request.path)
        if csrf.process_view(request, view, (), {}) is not None:
            raise Refusal(403, "The form is too old. Go back, reload the page and send it again.")
        if staff is None and not is_public:
            response = HttpResponse(status=303, headers={"Location": "/finance/login"})
        else:
            response = view(visit, **arguments)
    except Refusal as refusal:
        response = page(visit, "refused.html", status=refusal.status, text=visit.say(str(refusal)))
    except BillingError as error:
        response = page(visit, "refused.html", status=409, text=str(error))
    except (ValueError, LookupError) as error:
        response = page(visit, "refused.html", status=422, text=str(error))
    except Exception as error:
        log.exception("finance_page_failed", path=request.path, error=type(error).__name__)
        response = page(visit, "refused.html", status=500, text=visit.say("Something went wrong on our side."))
    csrf.process_response(request, response)
    return response


def _route(path: str) -> tuple[View, dict[str, str], bool]:
    from console.finance.urls import PAGES

    for pattern, view, is_public in PAGES:
        if found := re.fullmatch(pattern, path):
            return view, found.groupdict(), is_public
    raise Refusal(404, "There is no such page.")


def page(visit: Visit, template: str, *, status: int = 200, **values: Any) -> HttpResponse:
    """A page in the person's language. `said` in a template looks texts up."""
    shared = {
        "language": visit.language, "staff": visit.staff, "csrf": get_token(visit.request), "say": _Sayer(visit),
        "rights": rights_of(visit.staff.roles) if visit.staff else frozenset(),
    }  # fmt: skip
    content = _engine.get_template(template).render(Context({**shared, **values}))
    return HttpResponse(content, status=status)


def table_page(visit: Visit, title: str, table: Table, **values: Any) -> HttpResponse:
    """The list as its address asks for it, a page of it at a time; or all of it as a file (`?format=csv|xlsx`)."""
    asked = visit.request.GET
    table = arranged(table, asked, total=visit.say("Total"))
    if is_file(visit):
        return _file(table, asked["format"])
    shown = page_of(table, offset_of(visit))
    filters = {name: asked.get(name, "") for name in table.filters} | values.pop("filters", {})
    return page(visit, "table.html", title=visit.say(title), **_list_values(visit, shown, count=len(table.rows)),
                filters=[(visit.say(name.capitalize()), name, value) for name, value in filters.items()],
                **values)  # fmt: skip


def _list_values(visit: Visit, table: Table, *, count: int) -> dict[str, Any]:
    first, query = offset_of(visit), _query(visit, format=None)
    last = first + len(table.rows)
    return {
        "head": [
            (visit.say(one), place in table.numbers, _sorting(visit, place) if table.whole else "")
            for place, one in enumerate(table.head)
        ],
        "rows": [[_shown(cell, place, table) for place, cell in enumerate(row)] for row in table.rows],
        "totals": [_shown(cell, place, table) for place, cell in enumerate(table.totals)],
        "query": f"{query[1:]}&" if query != "?" else "",
        "more": table.more or (next_page(visit) if last < count else ""),
        "place": f"{first + 1}-{last} / {count}" if len(table.rows) < count else "",
    }  # fmt: skip


def is_file(visit: Visit) -> bool:
    """Whether the list is wanted as a file: then it is the whole list, not a page of it."""
    return visit.request.GET.get("format") in ("csv", "xlsx")


def offset_of(visit: Visit) -> int:
    """The row at which the page begins."""
    raw = visit.request.GET.get("from", "0")
    return min(int(raw), 10_000_000) if raw.isascii() and raw.isdigit() else 0


def next_page(visit: Visit) -> str:
    """The address of the page that follows."""
    return _query(visit, **{"from": str(offset_of(visit) + PAGE), "format": None})


def _sorting(visit: Visit, place: int) -> str:
    down = visit.request.GET.get("sort") == str(place)
    return _query(visit, **{"sort": f"-{place}" if down else str(place), "from": None})


def _query(visit: Visit, **changes: str | None) -> str:
    query = visit.request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = value
    return f"?{query.urlencode()}"


def back(to: str) -> HttpResponse:
    """After a step that was taken: the page again, so that a reload does not repeat it."""
    return HttpResponse(status=303, headers={"Location": to})


def _shown(cell: Any, place: int, table: Table) -> dict[str, Any]:
    return {
        "text": text_of(cell), "href": cell.href if isinstance(cell, Link) else "", "number": place in table.numbers,
    }  # fmt: skip


def _file(table: Table, wanted: str) -> HttpResponse:
    content = as_csv(table) if wanted == "csv" else as_xlsx(table)
    kind = "text/csv; charset=utf-8" if wanted == "csv" else _XLSX
    name = f'attachment; filename="{table.name}.{wanted}"'
    return HttpResponse(content, content_type=kind, headers={"Content-Disposition": name})


_HYPHENATED: Final = {"EMAIL": "E-mail", "Topups": "Top-ups"}  # a template's name has no hyphen


class _Sayer:
    """`{{ say.Ledger }}` in a template: Django looks the text up as a key."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def __getitem__(self, text: str) -> str:
        return self._visit.say(_HYPHENATED.get(text, text.replace("_", " ")))


def set_session(response: HttpResponse, token: str) -> HttpResponse:
    """Give the browser its cookie: for these pages only, out of reach of scripts and of other sites."""
    response.set_cookie(COOKIE, token, path="/finance/", httponly=True, samesite="Strict",
                        secure=settings.PUBLIC_URL.startswith("https"))  # fmt: skip
    return response
