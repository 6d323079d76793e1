"""What a client is told: arguments, else the environment."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import httpx

from parlance._errors import ConfigurationError
from parlance._generated.version import API_VERSION

DEFAULT_URL = "http://127.0.0.1:8700"  # what `parlance up` serves
DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
DEFAULT_RETRIES = 5
# Each wait is a connection; the limit only keeps a runaway program from using every port.
DEFAULT_LIMITS = httpx.Limits(max_connections=2_000, max_keepalive_connections=100)

try:
    SDK_VERSION = version("parlance")
except PackageNotFoundError:  # run from a source tree
    SDK_VERSION = "0.1.0"


@dataclass(frozen=True)
class Settings:
    """Checked once, when the client is made."""

    api_key: str
    base_url: str
    timeout: httpx.Timeout
    max_retries: int

    def headers(self) -> dict[str, str]:
        agent = f"parlance-python/{SDK_VERSION} api/{API_VERSION} python/{platform.python_version()}"
        return {"Authorization": f"Bearer {self.api_key}", "User-Agent": agent, "Accept": "*/*"}

    def __repr__(self) -> str:
        return f"Settings(base_url={self.base_url!r}, max_retries={self.max_retries})"


def settings_of(
    api_key: str | None, base_url: str | None, timeout: float | httpx.Timeout | None, max_retries: int
) -> Settings:
    """Raises `ConfigurationError` that says what to set."""
    key = (api_key or os.environ.get("PARLANCE_API_KEY", "")).strip()
    if not key:
        raise ConfigurationError('There is no API key: set PARLANCE_API_KEY, or pass api_key="parl_…".')
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError("The API key holds characters that no key has. Copy it again.")
    url = (base_url or os.environ.get("PARLANCE_API_URL") or DEFAULT_URL).rstrip("/").removesuffix("/v1")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ConfigurationError("base_url (PARLANCE_API_URL) must look like https://speech.example.com.")
    if max_retries < 0:
        raise ConfigurationError("max_retries must not be negative.")
    return Settings(key, url, _timeout(timeout), max_retries)


def _timeout(given: float | httpx.Timeout | None) -> httpx.Timeout:
    if given is None:
        return DEFAULT_TIMEOUT
    return given if isinstance(given, httpx.Timeout) else httpx.Timeout(given, connect=min(given, 5.0))


def timeout_of(http_client: httpx.Client | httpx.AsyncClient | None) -> httpx.Timeout | None:
    """That of a client of the user's, unless it is only what httpx gives to every client."""
    if http_client is None or http_client.timeout == httpx.Timeout(5.0):
        return None
    return http_client.timeout


def check_parts(*, http_client: object, transport: object, proxy: str | None) -> None:
    """Raises `ConfigurationError` where a part that was given would not be used."""
    if http_client is not None and (transport is not None or proxy is not None):
        raise ConfigurationError("http_client has a transport and proxies of its own: give them to it.")
    if transport is not None and proxy is not None:
        raise ConfigurationError("proxy is for the SDK's own transport: give it to yours.")


@contextmanager
def proxy_explained() -> Iterator[None]:
    """What httpx says of a proxy, given or of the environment, that it cannot use; passwords are masked in it."""
    try:
        yield
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"The proxy cannot be used: {error}") from error
