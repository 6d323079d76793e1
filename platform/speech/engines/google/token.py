"""A service account's access token: a signed assertion (RFC 7523), exchanged once an hour and shared by threads."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from speech.engines import foreign, hearing_calls
from speech.engines.errors import EngineError
from speech.engines.hearing_calls import Answer, HearingClient

PROVIDER: Final = "Google"
AUDIENCE: Final = "https://oauth2.googleapis.com/token"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIVES_S: Final = 3600
RENEW_S: Final = 300.0  # before its end, so that none runs out on the way
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Account:
    """What is needed of a service account's file."""

    project: str
    email: str
    private_key: str = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Account:
        """The account of a JSON file; raises EngineError of kind `auth`."""
        try:
            told = json.loads(text)
            project, email, key = told["project_id"], told["client_email"], told["private_key"]
            if told["type"] != "service_account" or not all(isinstance(one, str) for one in (project, email, key)):
                raise ValueError("no service account")
            if not re.fullmatch(r"[a-z0-9.:-]{1,100}", project):  # it becomes part of a path
                raise ValueError("no project")
        except foreign.UNUSABLE:
            detail = "needs the JSON file of a service account's key. Create one in IAM and give all of its text."
            raise hearing_calls.failure(PROVIDER, "auth", code="credentials_unreadable", detail=detail) from None
        return cls(project, email, key)

    def assertion(self, *, now: int) -> str:
        """A JWT that says for an hour who we are; raises EngineError for a key that is none."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import padding, rsa

        claims = {"iss": self.email, "scope": SCOPE, "aud": AUDIENCE, "iat": now, "exp": now + LIVES_S}
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
        try:
            key = serialization.load_pem_private_key(self.private_key.encode(), password=None)
            if not isinstance(key, rsa.RSAPrivateKey):
                raise ValueError("not RSA")
        except (ValueError, TypeError, UnsupportedAlgorithm):
            detail = "cannot use the private key in the service account's file. Create a new key."
            raise hearing_calls.failure(PROVIDER, "auth", code="credentials_unreadable", detail=detail) from None
        return f"{signed}.{_base64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


class Tokens:
    """The current access token of an account."""

    def __init__(self, account: Account, *, url: str) -> None:
        parts = urlsplit(url)
        self._account, self._path = account, parts.path
        self._http = HearingClient(f"{parts.scheme}://{parts.netloc}", provider=PROVIDER)
        self._guard = threading.Lock()
        self._token, self._until = "", 0.0

    def current(self) -> str:
        """A token with some minutes left; one caller renews it, the others wait for that one."""
        with self._guard:
            if time.monotonic() >= self._until - RENEW_S:
                self._token, lives_s = self._exchange()
                self._until = time.monotonic() + lives_s
            return self._token

    def forget(self, token: str) -> None:
        """It was refused: the next caller gets a new one."""
        with self._guard:
            if token == self._token:
                self._until = 0.0

    def close(self) -> None:
        self._http.close()

    def _exchange(self) -> tuple[str, float]:
        form = {"grant_type": GRANT, "assertion": self._account.assertion(now=int(time.time()))}
        answer = self._http.call("POST", self._path, headers=FORM, content=urlencode(form).encode())
        if answer.status != 200:
            raise _refusal(answer)
        with foreign.reading(PROVIDER):
            told = foreign.parse(answer.body)
            token = told["access_token"]
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                raise ValueError("no token")
            return token, float(min(foreign.count(told["expires_in"]), LIVES_S))


def _refusal(answer: Answer) -> EngineError:
    """OAuth's errors: all but the passing ones are about the account."""
    if answer.status == 429 or answer.status >= 500:
        kind = hearing_calls.kind_of_status(answer.status)
        return hearing_calls.failure(PROVIDER, kind, retry_after_s=answer.retry_after_s)
    return hearing_calls.failure(PROVIDER, "auth")


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
