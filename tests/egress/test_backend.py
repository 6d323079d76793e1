"""The dial itself: resolved once, every answer allowed, only numbers, peer looked at again."""

from __future__ import annotations

import contextlib

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egress.addresses import is_public, parse_address
from egress.backend import GuardedBackend
from egress.facade import Client, ConnectFailed, EgressError, UrlBlocked, connect_count, operator, untrusted
from tests.egress.fakes import RecordingNetwork, Resolver

HOST = "hooks.example.com"


def dial(network: RecordingNetwork, resolver: Resolver, *, host: str = HOST, port: int = 443) -> None:
    GuardedBackend(untrusted(), resolver=resolver, inner=network).connect_tcp(host, port, timeout=2)


def test_it_dials_the_number_that_it_checked() -> None:
    network, resolver = RecordingNetwork(), Resolver(["8.8.8.8"])
    dial(network, resolver)
    assert network.dialled == ["8.8.8.8"]
    assert resolver.lookups == 1


def test_it_is_not_fooled_by_a_name_that_changes_its_answer() -> None:
    network, resolver = RecordingNetwork(), Resolver(["8.8.8.8"], ["127.0.0.1"])
    dial(network, resolver)
    with pytest.raises(UrlBlocked):
        dial(network, resolver)
    assert network.dialled == ["8.8.8.8"]
    assert resolver.lookups == 2


def test_one_private_answer_blocks_the_public_ones() -> None:
    network = RecordingNetwork()
    with pytest.raises(UrlBlocked):
        dial(network, Resolver(["8.8.8.8", "10.0.0.5"]))
    assert network.dialled == []


def test_it_tries_three_addresses_at_most() -> None:
    numbers = [f"8.8.8.{last}" for last in range(1, 6)]
    network = RecordingNetwork(refused=frozenset(numbers))
    with pytest.raises(httpcore.ConnectError):
        dial(network, Resolver(numbers))
    assert network.dialled == numbers[:3]


def test_it_goes_on_to_the_next_address_when_one_is_dead() -> None:
    network = RecordingNetwork(refused=frozenset({"2606:4700:4700::1111"}))
    dial(network, Resolver(["2606:4700:4700::1111", "1.1.1.1"]))
    assert network.dialled == ["2606:4700:4700::1111", "1.1.1.1"]


def test_it_closes_the_connection_when_another_peer_answers() -> None:
    network = RecordingNetwork(peer="127.0.0.1")
    with pytest.raises(UrlBlocked):
        dial(network, Resolver(["8.8.8.8"]))
    assert network.streams[0].closed


def test_it_refuses_ports_and_sockets_below_the_url_check_too() -> None:
    network = RecordingNetwork()
    with pytest.raises(UrlBlocked):
        dial(network, Resolver(["8.8.8.8"]), port=6379)
    with pytest.raises(UrlBlocked):
        GuardedBackend(untrusted(), inner=network).connect_unix_socket("/run/docker.sock")
    with pytest.raises(UrlBlocked):
        GuardedBackend(operator({"https://a.com"}), inner=network).connect_tcp("b.com", 443)
    assert network.dialled == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0", "0x7f000001", "::ffff:7f00:1", "localhost"])
def test_spellings_of_loopback_never_lead_to_a_dial(host: str) -> None:
    network = RecordingNetwork()
    with pytest.raises(EgressError):
        dial(network, Resolver(["127.0.0.1"]), host=host)
    assert network.dialled == []


def test_a_name_without_answers_fails_to_connect() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("unknown")

    backend = GuardedBackend(untrusted(), resolver=unknown, inner=RecordingNetwork())
    with pytest.raises(ConnectFailed):
        backend.connect_tcp(HOST, 443)


def test_every_dial_is_counted_and_refusals_are_not() -> None:
    before = connect_count()
    dial(RecordingNetwork(), Resolver(["8.8.8.8"]))
    with pytest.raises(UrlBlocked):
        dial(RecordingNetwork(), Resolver(["10.0.0.1"]))
    assert connect_count() == before + 1


ipv4 = st.ip_addresses(v=4)
ipv6 = st.ip_addresses(v=6)
near_private = st.sampled_from(["127.0.0.1", "10.0.0.5", "169.254.169.254", "8.8.8.8", "1.1.1.1"])
spellings = st.one_of(
    ipv4.map(str),
    ipv6.map(str),
    ipv6.map(lambda address: address.exploded.upper()),
    ipv4.map(lambda address: str(int(address))),
    ipv4.map(lambda address: hex(int(address))),
    ipv4.map(lambda address: f"::ffff:{address}"),
    ipv4.map(lambda address: f"::{address}"),
    ipv4.map(lambda address: f"64:ff9b::{address}"),
    near_private.map(lambda text: ".".join(oct(int(part)).replace("o", "") for part in text.split("."))),
    near_private.map(lambda text: f"::ffff:{text}"),
    near_private.map(lambda text: text + "."),
    near_private,
    st.text(max_size=40),
)


@given(host=spellings, answers=st.lists(st.one_of(near_private, ipv4.map(str), ipv6.map(str)), max_size=4))
@settings(max_examples=150, deadline=None)
def test_whatever_the_spelling_only_public_numbers_are_dialled(host: str, answers: list[str]) -> None:
    network = RecordingNetwork()
    resolver = Resolver(answers)
    with contextlib.suppress(EgressError):
        dial(network, resolver, host=host)  # below the check of the URL
    with Client(untrusted(), resolver=resolver, network=network) as client:
        for url in (f"https://{host}/", f"https://[{host}]/"):
            with contextlib.suppress(EgressError):
                client.request("GET", url=url)
    dialled = [parse_address(number) for number in network.dialled]
    assert all(address is not None and is_public(address) for address in dialled)
