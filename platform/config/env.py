"""Every setting, read once from the environment; a wrong value stops the start and names its variable.

A secret may stand in the variable itself, in a file named by `NAME_FILE`, or in AWS Secrets Manager as
`aws-sm://secret-id#field`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from apikit.limits.contracts import Rates, parse_rates
from billing.stripe.settings import StripeSettings
from egress.facade import Proxy, parse_proxy
from storage.facade import S3Settings


class SettingError(Exception):
    """A setting is missing or wrong; the message names the variable and what to do."""


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One PostgreSQL login: `postgresql://user:password@host:port/name?host=/socket/folder`."""

    user: str
    password: str
    host: str
    port: str
    name: str


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mails go, in the words of Django's settings."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


class Reader:
    """Reads variables of one mapping and remembers nothing."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str, default: str | None = None) -> str:
        """The variable, or the default; raises `SettingError` when neither exists."""
        value = self._variables.get(name, "") or default
        if value is None:
            raise SettingError(f"{name} is not set. Set it, or start with `parlance up`, which sets everything.")
        return value

    def number(self, name: str, default: int, *, minimum: int = 0) -> int:
        raw = self.text(name, str(default))
        if not raw.isdigit() or int(raw) < minimum:
            raise SettingError(f"{name} must be a whole number of at least {minimum}, not {raw!r}.")
        return int(raw)

    def choice(self, name: str, default: str, *, allowed: tuple[str, ...]) -> str:
        raw = self.text(name, default)
        if raw not in allowed:
            raise SettingError(f"{name} must be one of {', '.join(allowed)}, not {raw!r}.")
        return raw

    def url(self, name: str, default: str = "") -> str:
        """An http(s) URL without a query; empty when unset and without a default."""
        raw = self.text(name, default)
        parts = urlsplit(raw)
        if raw and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment):
            raise SettingError(f"{name} must look like https://host or https://host/path, not {raw!r}.")
        return raw.rstrip("/")

    def region(self, name: str, default: str | None = "") -> str:
        """A cloud's region such as ap-northeast-2; it becomes part of a host name."""
        raw = self.text(name, default)
        if not re.fullmatch(r"[a-z0-9-]{0,40}", raw):
            raise SettingError(f"{name} must be a region such as ap-northeast-2 or koreacentral, not {raw!r}.")
        return raw

    def words(self, name: str) -> tuple[str, ...]:
        """A comma separated list; empty when unset."""
        return tuple(word.strip() for word in self._variables.get(name, "").split(",") if word.strip())

    def rates(self, name: str) -> Rates:
        """Limits by meter: `requests=600/minute,characters=100000/hour,concurrency=20`; empty when unset."""
        return _rates(name, self._variables.get(name, ""))

    def plans(self, name: str) -> dict[str, Rates]:
        """Limits by plan: `free:requests=60/minute,concurrency=5;pro:requests=600/minute`; empty when unset."""
        parts = (part.partition(":") for part in self._variables.get(name, "").split(";") if part.strip())
        plans = {plan.strip() if colon else "": _rates(name, limits) for plan, colon, limits in parts}
        if "" in plans:
            raise SettingError(f"{name}: write a plan's name before its limits: free:requests=60/minute")
        return plans

    def secret(self, name: str, default: str | None = None) -> str:
        """The secret from `NAME`, `NAME_FILE` or `aws-sm://id#field`; never shown in an error."""
        path = self._variables.get(f"{name}_FILE")
        if path:
            return _read_file(name, Path(path))
        value = self.text(name, default)
        return _read_secrets_manager(name, value) if value.startswith("aws-sm://") else value

    def key_with_region(self, key_name: str, region_name: str) -> tuple[str, str]:
        """A key and its region: two variables, or the key's alone as `region:key`; both empty when unset."""
        key = self.secret(key_name, "")
        first, colon, rest = key.partition(":")
        if colon and not self._variables.get(region_name) and re.fullmatch(r"[a-z0-9-]{1,40}", first):
            return rest, first
        return key, self.region(region_name, None if key else "")

    def optional_secret(self, name: str) -> str | None:
        """The secret, or None when it is not set at all."""
        return self.secret(name) if self._variables.get(name) or self._variables.get(f"{name}_FILE") else None

    def proxy(self, name: str) -> Proxy | None:
        """The forward proxy of `http://user:password@host:3128`; None when unset."""
        url = self.optional_secret(name)
        try:
            return parse_proxy(url) if url else None
        except ValueError:
            raise SettingError(f"{name} must look like http://proxy:3128 or http://user:password@proxy:3128.") from None

    def database(self, name: str) -> DatabaseUrl:
        parts = urlsplit(self.secret(name))
        if parts.scheme not in {"postgresql", "postgres"} or not parts.username:
            raise SettingError(f"{name} must look like postgresql://user:password@host:5432/database.")
        query = parse_qs(parts.query)
        return DatabaseUrl(
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            host=query.get("host", [parts.hostname or ""])[0],
            port=query.get("port", [str(parts.port or 5432)])[0],
            name=unquote(parts.path.lstrip("/")),
        )

    def mail(self, name: str) -> MailServer | None:
        """The server of `smtp://user:password@host:587` (STARTTLS), `smtps://…:465` or `console:`; None when unset.

        `?tls=off` is for a relay on the same machine only.
        """
        url = self.optional_secret(name)
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme == "console":
            return MailServer("django.core.mail.backends.console.EmailBackend")
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise SettingError(f"{name} must look like smtp://user:password@host:587, smtps://… or console:.")
        tls = parts.scheme == "smtps"
        return MailServer(
            backend="django.core.mail.backends.smtp.EmailBackend",
            host=parts.hostname,
            port=parts.port or (465 if tls else 587),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            starttls=not tls and parse_qs(parts.query).get("tls") != ["off"],
            tls=tls,
        )

    def stripe(self) -> StripeSettings | None:
        """The Stripe account when PARLANCE_STRIPE_API_KEY is set, else None: nothing is collected by it."""
        key = self.optional_secret("PARLANCE_STRIPE_API_KEY")
        if key is None:
            return None
        secret = self.optional_secret("PARLANCE_STRIPE_WEBHOOK_SECRET")
        if secret is None:
            raise SettingError(
                "PARLANCE_STRIPE_API_KEY is set, but PARLANCE_STRIPE_WEBHOOK_SECRET is not. Stripe shows it (whsec_…) "
                "when the webhook endpoint /v1/billing/stripe/webhook is made."
            )
        return StripeSettings(key, secret, self.url("PARLANCE_STRIPE_BASE_URL", "https://api.stripe.com"))

    def s3(self) -> S3Settings | None:
        """S3 settings when `S3_BUCKET` is set, else None: objects stay in a local folder."""
        bucket = self._variables.get("S3_BUCKET")
        if not bucket:
            return None
        return S3Settings(
            bucket=bucket,
            endpoint_url=self._variables.get("S3_ENDPOINT_URL") or None,
            region=self.text("S3_REGION", "us-east-1"),
            access_key_id=self._variables.get("S3_ACCESS_KEY_ID") or None,
            secret_access_key=self.secret("S3_SECRET_ACCESS_KEY", "") or None,
        )


def _read_file(name: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise SettingError(f"{name}_FILE cannot be read ({error.strerror}). Check the path and its rights.") from None


def _read_secrets_manager(name: str, reference: str) -> str:
    import boto3  # only an installation on AWS pays for this import

    secret_id, _, field = reference.removeprefix("aws-sm://").partition("#")
    try:
        body = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
        return str(json.loads(body)[field]) if field else str(body)
    except Exception as error:
        raise SettingError(f"{name}: AWS Secrets Manager did not give it ({type(error).__name__}).") from None


env = Reader(os.environ)


def _rates(name: str, text: str) -> Rates:
    pairs = (word.strip().partition("=") for word in text.split(",") if word.strip())
    try:
        return parse_rates({meter: rate for meter, _, rate in pairs})
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from None
