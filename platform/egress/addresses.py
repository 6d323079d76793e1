"""Which addresses a tenant's URL may lead to: a pure decision."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# `is_global` alone calls twelve kinds of these public, among them the Azure wire server and NAT64 loopback.
_DENIED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32", "::/96",
    "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
    "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip
DENIED: tuple[Network, ...] = tuple(ip_network(text) for text in _DENIED)


def parse_address(text: str) -> Address | None:
    """Returns the address in its plainest form, without zone and IPv4 mapping, or None.

    >>> parse_address("::ffff:127.0.0.1"), parse_address("fe80::1%eth0"), parse_address("0x7f.1")
    (IPv4Address('127.0.0.1'), IPv6Address('fe80::1'), None)
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_public(address: Address) -> bool:
    """Tells if an address, plain as `parse_address` makes it, lies in the public internet.

    >>> [is_public(parse_address(text)) for text in ("8.8.8.8", "::ffff:8.8.8.8", "2606:4700:4700::1111")]
    [True, True, True]
    >>> [is_public(parse_address(text)) for text in ("168.63.129.16", "64:ff9b::7f00:1", "::ffff:10.0.0.1")]
    [False, False, False]
    """
    return address.is_global and not in_networks(address, DENIED)


def in_networks(address: Address, networks: tuple[Network, ...]) -> bool:
    """Tells if one of the networks holds the address.

    >>> in_networks(parse_address("127.0.0.9"), DENIED)
    True
    """
    return any(address in network for network in networks)
