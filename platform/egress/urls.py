"""Reads a URL so strictly that no other reader can understand it differently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from egress.addresses import parse_address
from egress.errors import UrlBlocked

MAX_URL_CHARS = 2048
DEFAULT_PORTS = {"http": 80, "https": 443}

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SAFE_IN_TARGET = "%/?:@!$&'()*+,;=-._~[]|"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes; `host` is lower case, an IPv6 host without brackets, `path` holds the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port, always with the port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_url(url: str) -> Target:
    """Returns the parts of an absolute http or https URL; raises `UrlBlocked` for anything doubtful.

    >>> parse_url("https://Example.com/a?b=c#d")
    Target(scheme='https', host='example.com', port=443, path='/a?b=c')
    >>> parse_url("https://user@example.com/").host
    Traceback (most recent call last):
    egress.errors.UrlBlocked: The URL holds a user name or password. Remove the part in front of the @.
    """
    if len(url) > MAX_URL_CHARS:
        raise UrlBlocked("length")
    if _FORBIDDEN.search(url):
        raise UrlBlocked("syntax")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlBlocked("syntax") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise UrlBlocked("scheme")
    if "@" in parts.netloc:
        raise UrlBlocked("userinfo")
    if port == 0:
        raise UrlBlocked("port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        scheme=parts.scheme,
        host=parse_host(parts.hostname or ""),
        port=port or DEFAULT_PORTS[parts.scheme],
        path=quote(path, safe=_SAFE_IN_TARGET),
    )


def parse_host(host: str) -> str:
    """Returns a host name or a plain address in lower case; raises `UrlBlocked` for other spellings.

    >>> parse_host("xn--hu5b.KR"), parse_host("127.0.0.1"), parse_host("::1")
    ('xn--hu5b.kr', '127.0.0.1', '::1')
    >>> parse_host("0x7f.1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    egress.errors.UrlBlocked: The host name is not allowed. ...
    """
    host = host.lower()
    if "%" not in host and parse_address(host) is not None:
        return host
    labels = host.split(".")
    # A last label that is a number makes libc read the whole name as an IPv4 address (2130706433, 127.1).
    if len(host) > 253 or _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise UrlBlocked("host")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlBlocked("host")
    return host
