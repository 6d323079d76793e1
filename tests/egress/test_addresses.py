"""Every kind of address that must never be dialled for a tenant."""

from __future__ import annotations

import pytest

from egress.addresses import DENIED, is_public, parse_address

BLOCKED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.5", "100.64.0.1", "100.100.100.200", "127.0.0.1",
    "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.0.8",
    "192.0.2.1", "192.88.99.3", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1",
    "::127.0.0.1", "::169.254.169.254", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1%eth0", "fec0::1",
    "ff02::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("text", BLOCKED)
def test_it_calls_no_reserved_address_public(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert not is_public(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_it_lets_public_addresses_through(text: str) -> None:
    address = parse_address(text)
    assert address is not None
    assert is_public(address)


def test_the_table_is_complete() -> None:
    assert len(set(BLOCKED)) >= 42
    assert len(DENIED) == 30
    for network in DENIED:
        assert any(parse_address(text) in network for text in BLOCKED) or network.version == 6, network


def test_it_denies_both_ends_of_every_listed_network() -> None:
    for network in DENIED:
        ends = [parse_address(str(network[0])), parse_address(str(network[-1]))]
        assert not any(is_public(end) for end in ends if end is not None), network
