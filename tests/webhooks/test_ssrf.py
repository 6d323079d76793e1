"""No endpoint leads inside: neither saving nor sending dials a forbidden address, however it is written.

Connects are counted by the interpreter's own audit event, below every library; one to a forbidden address would be
stopped there, so that not even a failing test calls anybody.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import Any

import pytest
from django.db import connections
from django.db.models import F

from apikit import ids
from egress.facade import UrlBlocked
from tenants.facade import tenant_context
from tests.egress.test_addresses import BLOCKED
from webhooks import destinations
from webhooks.endpoints.models import WebhookTarget
from webhooks.facade import check_job_url, deliver_due, dispatch_events
from webhooks.models import WebhookEndpoint

ENDPOINTS = "/v1/webhook-endpoints"
PUBLIC = "93.184.216.34"
SPELLINGS = [
    "2130706433", "017700000001", "0177.0.0.1", "0x7f.1", "0x7f000001", "0x7f.0x0.0x0.0x1", "127.1", "127.0.1", "0",
    "127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
    "[::ffff:7f00:1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::1%25lo]",
    "[fe80::1%25eth0]", "[0000::0001]", "localhost", "localhost.", "LOCALHOST", "metadata", "metadata.google.internal",
]  # fmt: skip
PLAIN = [f"[{number}]" if ":" in number else number for number in BLOCKED if "%" not in number]
LITERALS = [f"https://{host}/hook" for host in (*PLAIN, *SPELLINGS)]
OTHER_URLS = [
    "http://93.184.216.34/", "https://93.184.216.34:22/", "https://93.184.216.34:6379/", "ftp://93.184.216.34/",
    "gopher://127.0.0.1:6379/_FLUSHALL", "file:///etc/passwd", "https://u:p@93.184.216.34/", "https://93.184.216.34@127.0.0.1/",
    "https://127.0.0.1#@93.184.216.34/", "https://127.0.0.1\\@93.184.216.34/", "unix:///var/run/docker.sock",
]  # fmt: skip
NAME = "hooks.customer.example"
# What a name may lead to: each forbidden address alone, and behind a public one.
ANSWERS: list[list[str]] = [[number] for number in BLOCKED] + [[PUBLIC, number] for number in BLOCKED[::7]]


class Dials:
    """Every address that a socket of this process was told to connect to while it watches."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []
        self.watching = False
        self.allowed: frozenset[int] = frozenset()

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.watching or event != "socket.connect" or arguments[0].family == socket.AF_UNIX:
            return
        host, port = arguments[1][:2]
        self.seen.append((host, port))
        if not (ip_address(host).is_loopback and port in self.allowed):
            raise RuntimeError("a forbidden address was dialled")


DIALS = Dials()
sys.addaudithook(DIALS)


@pytest.fixture
def dials() -> Iterator[Dials]:
    DIALS.seen, DIALS.allowed, DIALS.watching = [], frozenset(), True
    yield DIALS
    DIALS.watching = False


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sequence[str]]:
    """What names lead to; every other name is unknown."""
    book: dict[str, Sequence[str]] = {"metadata.google.internal": ["169.254.169.254"]}

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host not in book:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        kind = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [(kind[ip_address(number).version], socket.SOCK_STREAM, 6, "", (number, port)) for number in book[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return book


@pytest.fixture(params=["production", "development"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Both modes, without any address that the operator allows."""
    from django.conf import settings

    monkeypatch.setattr(settings, "MODE", request.param)
    monkeypatch.setattr(settings, "EGRESS_ALLOW", frozenset())
    destinations.policy.cache_clear()
    yield request.param
    destinations.policy.cache_clear()


@pytest.fixture
def made(alice: Any, http: Any, names: dict[str, Sequence[str]], mode: str, dials: Dials) -> Any:
    """Alice's endpoint, saved while its name led to a public address."""
    names[NAME] = [PUBLIC]
    status, endpoint = http(alice, "POST", ENDPOINTS, {"url": f"https://{NAME}/hook", "event_types": ["*"]})
    assert status == 201
    return endpoint


@pytest.fixture
def save(alice: Any, http: Any, made: Any) -> Callable[[str], set[tuple[int, str]]]:
    """Tries to save a URL in both ways; the distinct status and code."""

    def do(url: str) -> set[tuple[int, str]]:
        new = http(alice, "POST", ENDPOINTS, {"url": url, "event_types": ["*"]})
        changed = http(alice, "PATCH", f"{ENDPOINTS}/{made['id']}", {"url": url})
        return {(status, problem.get("code", "")) for status, problem in (new, changed)}

    return do


@pytest.fixture
def send(alice: Any, publish: Any, rows: Any) -> Callable[..., tuple[int | None, str | None]]:
    """Sends one event to a URL that is stored, however it came there; the result of the attempt."""

    def do(endpoint: Any, url: str | None = None) -> tuple[int | None, str | None]:
        endpoint_id = ids.parse(ids.WEBHOOK_ENDPOINT, endpoint["id"])
        with tenant_context(alice.tenant):
            if url is not None:
                WebhookTarget.objects.filter(pk=endpoint_id).update(url=url)
            WebhookEndpoint.objects.filter(pk=endpoint_id).update(revision=F("revision") + 1, paused_until=None)
        with connections["owner"].cursor() as cursor:
            cursor.execute("TRUNCATE outbox_event, delivery, delivery_attempt")  # no retry of the one before
        publish()
        dispatch_events()
        assert deliver_due(1) == 1
        [row] = rows("SELECT last_status, last_error FROM delivery")
        return row["last_status"], row["last_error"]

    return do


def test_no_spelling_of_a_forbidden_address_can_be_saved(save: Any, dials: Dials) -> None:
    urls = LITERALS + OTHER_URLS
    assert {url: found for url in urls if (found := save(url)) != {(422, "url_blocked")}} == {}
    assert dials.seen == []


def test_no_name_that_leads_inside_can_be_saved(save: Any, names: dict[str, Sequence[str]], dials: Dials) -> None:
    def try_name(answers: list[str]) -> Any:
        names[NAME] = answers
        return save(f"https://{NAME}/")

    assert {tuple(each): found for each in ANSWERS if (found := try_name(each)) != {(422, "url_blocked")}} == {}
    names.clear()
    assert save(f"https://{NAME}/") == {(422, "url_blocked")}
    assert dials.seen == []


def test_a_jobs_own_url_is_refused_alike(alice: Any, names: dict[str, Sequence[str]], mode: str, dials: Dials) -> None:
    def refusal(url: str) -> str | None:
        try:
            check_job_url(alice.caller, url)
        except UrlBlocked as error:
            return error.code
        return None

    assert {url: found for url in LITERALS + OTHER_URLS if (found := refusal(url)) != "url_blocked"} == {}
    for answers in ANSWERS:
        names[NAME] = answers
        assert refusal(f"https://{NAME}/") == "url_blocked", answers
    names[NAME] = [PUBLIC]
    assert refusal(f"https://{NAME}/") is None
    assert dials.seen == []


def test_saving_a_public_url_calls_nobody(save: Any, dials: Dials) -> None:
    assert save(f"https://{NAME}/") == {(201, ""), (200, "")}
    assert save("https://93.184.216.34/") == {(201, ""), (200, "")}
    assert dials.seen == []


def test_a_stored_forbidden_url_is_never_called(made: Any, send: Any, dials: Dials) -> None:
    urls = LITERALS + OTHER_URLS
    assert {url: found for url in urls if (found := send(made, url)) != (None, "url_blocked")} == {}
    assert dials.seen == []


def test_a_name_that_leads_elsewhere_after_saving_is_never_called(
    made: Any, send: Any, names: dict[str, Sequence[str]], dials: Dials
) -> None:
    def try_name(answers: list[str]) -> Any:
        names[NAME] = answers
        return send(made)

    assert {tuple(each): found for each in ANSWERS if (found := try_name(each)) != (None, "url_blocked")} == {}
    assert dials.seen == []


def test_a_redirect_inside_is_handed_back_and_not_followed(
    alice: Any, http: Any, receiver: Any, receivers: Any, send: Any, dials: Dials
) -> None:
    """The receiver itself is allowed and is dialled: the count above could not have been blind."""
    inside = receivers()
    made = http(alice, "POST", ENDPOINTS, {"url": receiver.url, "event_types": ["*"]})[1]
    assert made["url"] == receiver.url
    port = int(receiver.host_port.rpartition(":")[2])
    dials.allowed = frozenset({port})
    locations = (inside.url, "http://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "//[::1]/", "file:///x")
    for status in (301, 302, 303, 307, 308):
        for location in locations:
            receiver.reply.status, receiver.reply.headers = status, {"location": location}
            assert send(made)[0] == status
    assert dials.seen == [("127.0.0.1", port)] * len(dials.seen) != []
    assert inside.got == []
