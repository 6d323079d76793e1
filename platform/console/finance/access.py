"""Logging in with password and code, the one-time link, and the style sheet."""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpResponse

from console.finance import people, totp
from console.finance.handling import COOKIE, FOLDER, Refusal, Visit, back, page, set_session

WRONG = "Password, code or address is wrong, or it was tried too often. Wait a minute and try again."
JOINED = "You have joined. Pages for customers are still to come: until then your team works with API keys."
GONE = "This link was used or is too old. Ask for a new one."


def log_in(visit: Visit) -> HttpResponse:
    if visit.request.method != "POST":
        return page(visit, "login.html")
    form = visit.request.POST
    try:
        token = people.log_in(
            form.get("email", ""), password=form.get("password", ""), code=form.get("code", ""), address=visit.address
        )
    except people.NotIn:
        return page(visit, "login.html", status=403, error=visit.say(WRONG), email=form.get("email", "")[:200])
    return set_session(back("/finance/"), token)


def log_out(visit: Visit) -> HttpResponse:
    if visit.request.method != "POST":
        return back("/finance/")
    people.log_out(visit.request.COOKIES.get(COOKIE, ""))
    response = back("/finance/login")
    response.delete_cookie(COOKIE, path="/finance/", samesite="Strict")
    return response


def join(visit: Visit, token: str) -> HttpResponse:
    found = people.open_link(token)
    if found is None:
        raise Refusal(410, GONE)
    link, secret = found
    error = ""
    if visit.request.method == "POST":
        form = visit.request.POST
        try:
            if form.get("password") != form.get("again"):
                raise people.BadPassword("The two passwords differ.")
            staff = people.enrol(token, password=form.get("password", ""), code=form.get("code", ""))
            if staff.tenant_id is not None:
                return page(visit, "joined.html", text=visit.say(JOINED))
            return set_session(back("/finance/"), people.start_session(staff, address=visit.address))
        except people.BadPassword as refused:
            error = str(refused)
        except people.NotIn:
            error = "The code does not fit. Wait for the next one."
    in_app = totp.uri(secret, email=link.staff.email, finance=link.staff.tenant_id is None)
    return page(
        visit, "join.html", status=422 if error else 200, error=visit.say(error), email=link.staff.email,
        qr=_qr(in_app), secret=totp.shown_secret(secret),
        scan=visit.say("Scan this with an authenticator app, or type the secret in."),
    )  # fmt: skip


def style(visit: Visit) -> HttpResponse:
    return HttpResponse(_sheet(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=300"})


def _qr(uri: str) -> str:
    import segno

    return str(segno.make(uri, error="m").svg_data_uri(scale=4))


@lru_cache(maxsize=1)
def _sheet() -> bytes:
    return (FOLDER / "style.css").read_bytes()
