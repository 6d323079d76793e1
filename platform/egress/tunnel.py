"""An operator's forward proxy: tenants' URLs are called through it, to the number that our own guard approved.

The proxy is asked for a number, not a name (`CONNECT 203.0.113.7:443`): otherwise it would look the name up once more,
and a name that changes its answer in between would lead inside. TLS is spoken with the host itself, end to end.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from egress.errors import ConnectFailed

MAX_ANSWER_BYTES = 8192  # of a proxy to CONNECT: a status line and a few headers
END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A forward proxy that speaks CONNECT, also for port 80."""

    host: str
    port: int
    credentials: str | None = field(default=None, repr=False)


def parse_proxy(url: str) -> Proxy:
    """Returns the proxy of `http://user:password@host:port`; raises ValueError for anything else.

    >>> parse_proxy("http://proxy.internal:3128")
    Proxy(host='proxy.internal', port=3128)
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not parts.port or parts.path not in {"", "/"}:
        raise ValueError("a proxy looks like http://proxy:3128")
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
    return Proxy(parts.hostname, parts.port, credentials)


def connect_request(proxy: Proxy, *, number: str, port: int) -> bytes:
    """Returns the bytes that ask for a tunnel.

    >>> connect_request(Proxy("proxy", 3128), number="2606:4700::1111", port=443).splitlines()[0]
    b'CONNECT [2606:4700::1111]:443 HTTP/1.1'
    """
    target = f"[{number}]:{port}" if ":" in number else f"{number}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.credentials is not None:
        lines.append(f"Proxy-Authorization: Basic {b64encode(proxy.credentials.encode()).decode()}")
    return "\r\n".join([*lines, "", ""]).encode()


def is_answer_complete(answer: bytes) -> bool:
    """Tells if the proxy has answered; raises `ConnectFailed` for a refusal or for what is no answer.

    >>> is_answer_complete(b"HTTP/1.1 200 OK\\r\\n"), is_answer_complete(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
    (False, True)
    """
    if len(answer) > MAX_ANSWER_BYTES:
        raise ConnectFailed
    if not answer.endswith(END):
        # Behind the blank line nothing may follow: the host speaks after us, so it would be the proxy's own invention.
        if END in answer:
            raise ConnectFailed
        return False
    status = answer.split(b"\r\n", 1)[0].split(b" ")
    if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].startswith(b"2"):
        raise ConnectFailed
    return True
