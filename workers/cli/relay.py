"""From a tenant's events to a local port: what `parlance listen` reads, sends and keeps. No database, no Django."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import httpx
from standardwebhooks import Webhook

CALL_LIMIT_S = 20.0  # as long as a real delivery may take
PAGE = 100
TRY_AGAIN = (429, 500, 502, 503, 504)
LONGEST_WAIT_S = 60.0  # whatever a Retry-After says: somebody sits in front of it


class Away(Exception):
    """Nobody answers, or only to say later; the same call may work in `wait_s` seconds."""

    def __init__(self, who: str, *, why: str, wait_s: float = 1.0) -> None:
        super().__init__(f"{who} does not answer ({why}); trying again.")
        self.wait_s = wait_s


class Refused(Exception):
    """The API says no, and would again; `code` is its own."""

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Event:
    """One event, its body as a delivery carries it."""

    id: str
    type: str
    position: int
    body: bytes

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> Self:
        """Return the event that the API shows."""
        body = {"type": shown["type"], "timestamp": shown["created_at"], "data": shown["data"]}
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(shown["id"], shown["type"], shown["position"], encoded)


def _client(**options: Any) -> httpx.Client:
    # Neither redirects nor the environment's proxy: both would lead elsewhere than the user said.
    return httpx.Client(timeout=CALL_LIMIT_S, trust_env=False, follow_redirects=False, **options)


class Source:
    """The events of one key's tenant and mode."""

    def __init__(self, url: str, *, key: str) -> None:
        """Raises Refused for what is no address; no call is made yet."""
        if not url.startswith(("http://", "https://")):
            raise Refused("--url must be the address of the API, such as http://127.0.0.1:8700.", code="bad_url")
        self._client = _client(base_url=url, headers={"Authorization": f"Bearer {key}"})

    def newest(self) -> int:
        """Return the position of the newest event, 0 when there is none."""
        found = self._get(limit=1)["data"]
        return int(found[0]["position"]) if found else 0

    def after(self, position: int) -> list[Event]:
        """Return the next events above a position, oldest first."""
        return [Event.of(shown) for shown in self._get(after=position, limit=PAGE)["data"]]

    def _get(self, **query: int) -> dict[str, Any]:
        try:
            answer = self._client.get("/v1/events", params=query)
        except httpx.TransportError as error:
            raise Away("The API", why=type(error).__name__) from None
        if answer.status_code in TRY_AGAIN:
            raise Away("The API", why=str(answer.status_code), wait_s=_retry_after_s(answer))
        found = _object(answer)
        if not answer.is_success:
            said = found.get("detail") or f"It answered {answer.status_code}; is --url the address of the API?"
            raise Refused(said, code=found.get("code") or "unexpected_answer")
        return found


class Target:
    """A receiver on this machine."""

    def __init__(self, url: str, *, secret: str) -> None:
        """Raises ValueError for any other machine; no call is made yet."""
        self._url, self._signer = local_url(url), Webhook(secret)
        self._client = _client()

    def post(self, event: Event) -> str:
        """Send an event as a delivery is sent; returns the status, or what went wrong after the connection."""
        try:
            return str(self._client.post(self._url, content=event.body, headers=self._headers(event)).status_code)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Away(self._url, why=type(error).__name__) from None
        except httpx.TransportError as error:
            return type(error).__name__

    def _headers(self, event: Event) -> dict[str, str]:
        now = datetime.now(UTC)  # no other zone: the package would shift it
        return {
            "content-type": "application/json",
            "user-agent": "Parlance/1 (+webhooks)",
            "webhook-id": event.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(event.id, now, event.body.decode()),
        }


@dataclass(slots=True)
class Bookmark:
    """How far one target has come, and what signs for it; kept in a file of the user's own."""

    path: Path
    secret: str
    position: int | None

    @classmethod
    def find(cls, *, url: str, key: str, target: str, environ: Mapping[str, str]) -> Self:
        """Return the bookmark of this key and target: a new one has a new secret and no position."""
        folder = Path(environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "parlance" / "listen"
        name = hashlib.sha256("\n".join((url, key, target)).encode()).hexdigest()[:32]
        kept = _read(folder / f"{name}.json")
        return cls(folder / f"{name}.json", kept.get("secret") or _new_secret(), kept.get("position"))

    def move(self, position: int) -> None:
        """Keep a position before the next event is sent."""
        self.position = position
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_suffix(f".{os.getpid()}")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as out:
            json.dump({"secret": self.secret, "position": position}, out)
        fresh.replace(self.path)


def local_url(url: str) -> str:
    """Return the URL if it leads to this machine by its look alone; raises ValueError.

    >>> local_url("http://localhost:3000/hooks")
    'http://localhost:3000/hooks'
    """
    try:
        parsed = httpx.URL(url)
        local = parsed.host == "localhost" or ip_address(parsed.host).is_loopback
    except (httpx.InvalidURL, ValueError):
        local = False
    if not local or parsed.scheme not in ("http", "https"):
        raise ValueError("it must lead to this machine, such as http://127.0.0.1:3000/hooks")
    return url


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _read(path: Path) -> dict[str, Any]:
    return _as_object(path.read_bytes()) if path.is_file() else {}


def _object(answer: httpx.Response) -> dict[str, Any]:
    return _as_object(answer.content)


def _as_object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after_s(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said), LONGEST_WAIT_S) if said.isdecimal() else 1.0
