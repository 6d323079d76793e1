"""What can go wrong on the way out.

EgressError
├── UrlBlocked           url_blocked           the policy refuses the URL or where it leads
├── ConnectFailed        connect_failed        no name, no route, refused
│   └── TlsFailed        tls_failed            certificate or handshake
├── ConnectionLost       connection_lost       closed or broken HTTP in the middle of an answer
├── DeadlineExceeded     deadline_exceeded     the total time is used up
├── TooSlow              too_slow              the sender stays under the minimum speed
├── ResponseTooLarge     response_too_large    more bytes than the caller takes
├── UnsupportedEncoding  unsupported_encoding  compressed although identity was asked for
└── HttpStatus           http_status           an answer that is not 200 where a file was expected

No text names a host, an address or a part of the URL: the texts reach tenants and logs.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Rule = Literal["syntax", "length", "scheme", "userinfo", "host", "port", "address", "origin"]

_RULE_DETAILS: dict[Rule, str] = {
    "syntax": "The URL cannot be read. Send an absolute one like https://example.com/path, without spaces.",
    "length": "The URL is longer than 2048 characters. Send a shorter one.",
    "scheme": "This kind of URL is not allowed. Use https.",
    "userinfo": "The URL holds a user name or password. Remove the part in front of the @.",
    "host": "The host name is not allowed. Use a public name in its ASCII form (xn--... for others).",
    "port": "The port is not allowed. Use 443, 80, 8443 or 8080.",
    "address": "The URL is not allowed. Use a host that is reachable on the public internet.",
    "origin": "The URL is not one of the configured origins. Ask the operator to add its origin.",
}


class EgressError(Exception):
    """Any failure of an outgoing call; `code` is stable and `retryable` says if trying later can help."""

    code: ClassVar[str] = "egress_failed"
    retryable: bool = False
    detail: ClassVar[str] = "The outgoing call failed. Try again later."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)


class UrlBlocked(EgressError):
    """The policy refuses the URL; `rule` tells which check, never what a name resolved to."""

    code = "url_blocked"

    def __init__(self, rule: Rule) -> None:
        super().__init__(_RULE_DETAILS[rule])
        self.rule: Rule = rule


class ConnectFailed(EgressError):
    code = "connect_failed"
    retryable = True
    detail = "The server could not be reached. Check that it is running and open to the internet."


class TlsFailed(ConnectFailed):
    code = "tls_failed"
    detail = "The TLS handshake failed. Install a certificate of a public authority that fits the host name."


class ConnectionLost(EgressError):
    code = "connection_lost"
    retryable = True
    detail = "The server closed the connection or broke HTTP before its answer was complete. Check its log."


class DeadlineExceeded(EgressError):
    code = "deadline_exceeded"
    retryable = True
    detail = "The server did not finish its answer in the time allowed. Make it answer sooner."


class TooSlow(EgressError):
    code = "too_slow"
    retryable = True
    detail = "The server sent the file too slowly. Offer it from a faster place or upload it instead."


class ResponseTooLarge(EgressError):
    code = "response_too_large"
    detail = "The file is larger than allowed. Send a smaller one or split it."


class UnsupportedEncoding(EgressError):
    code = "unsupported_encoding"
    detail = "The answer is compressed. Serve it without Content-Encoding when identity is asked for."


class HttpStatus(EgressError):
    """An answer with another status than 200; worth a retry for 408, 425, 429 and 5xx."""

    code = "http_status"

    def __init__(self, status: int) -> None:
        super().__init__(f"The server answered {status} instead of 200. Check that the URL opens without a login.")
        self.status = status
        self.retryable = status in {408, 425, 429} or status >= 500
