"""People of finance with a browser each: cookies, forms and all, through the pages' real entrance."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

PASSWORD = "a long enough passphrase"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Browser:
    """One person's browser."""

    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)
    secret: bytes = b""
    used: str = ""  # the code that the enrolment took

    def get(self, path: str) -> Answer:
        return self._send("GET", path, b"", {})

    def post(self, path: str, **values: str) -> Answer:
        """A form of a page that was seen before."""
        token = self._token()
        body = urlencode({"csrfmiddlewaretoken": token, **values}).encode()
        kind = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
        return self._send("POST", path, body, kind)

    def code(self, *, steps: int = 0) -> str:
        from console.finance import totp

        return totp.code_at(self.secret, int(time.time()) + 30 * steps)

    def _token(self) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.get("/finance/login").text)
        assert found is not None
        return found[1]

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        from console.finance.handling import respond

        where, _, query = path.partition("?")
        sent = {"host": "testserver", "accept-language": self.language, **headers}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope: dict[str, Any] = {
            "type": "http", "method": method, "path": where, "query_string": query.encode(), "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()], "server": ("testserver", 80),
            "client": ("127.0.0.1", 5), "root_path": "",
        }  # fmt: skip
        status, raw, content = respond(scope, body)
        for name, value in raw:
            if name == b"set-cookie":
                key, _, rest = value.decode().partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return Answer(status, {name.decode(): value.decode("latin-1") for name, value in raw}, content)


def joined(browser: Browser, link: str) -> None:
    """Somebody follows the one-time link: a password, an authenticator, and in."""
    found = re.search(r"<code>(\w+)</code>", browser.get(link).text)
    assert found is not None
    browser.secret = base64.b32decode(found[1])
    browser.used = browser.code()
    entered = browser.post(link, password=PASSWORD, again=PASSWORD, code=browser.used)
    assert entered.status == 303, entered.text


@pytest.fixture
def person(migrated: None) -> Callable[..., Browser]:
    """Somebody with these roles, enrolled and logged in."""

    def make(email: str, *roles: str, language: str = "en") -> Browser:
        from console.facade import invite

        browser = Browser(language)
        joined(browser, invite(email, roles=list(roles)))
        return browser

    return make
