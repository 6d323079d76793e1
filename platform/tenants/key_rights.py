"""What a key may give to another one: addresses and a life within its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tenants.errors import WiderThanSelf


def networks(addresses: Sequence[str]) -> list[str]:
    """Addresses and networks as they are stored; raises ValueError for what is neither.

    >>> networks(["203.0.113.7", "10.1.2.3/8"])
    ['203.0.113.7/32', '10.0.0.0/8']
    """
    return [str(ip_network(address, strict=False)) for address in addresses]


def is_inside(address: str, allowed: Sequence[str]) -> bool:
    """Whether a caller's address lies in one of the networks; what is no address lies nowhere.

    >>> is_inside("10.1.2.3", ["10.0.0.0/8"]), is_inside("", ["0.0.0.0/0"])
    (True, False)
    """
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in ip_network(network) for network in allowed)


def addresses_within(wanted: Sequence[str] | None, own: Sequence[str]) -> list[str]:
    """The wanted addresses, or without any the maker's own; raises `WiderThanSelf` when they reach beyond those.

    >>> addresses_within(None, ["10.0.0.0/8"]), addresses_within(["10.1.0.0/16"], ["10.0.0.0/8"])
    (['10.0.0.0/8'], ['10.1.0.0/16'])
    """
    given = networks(wanted or ())
    if not own:
        return given
    if wanted is None:
        return list(own)
    bounds = [ip_network(one) for one in own]
    if not given or not all(any(_is_inside(ip_network(one), bound) for bound in bounds) for one in given):
        raise WiderThanSelf("A key of certain addresses can only give addresses within its own.")
    return given


def end_within(wanted: datetime | None, own: datetime | None) -> datetime | None:
    """The wanted end, or the maker's own; raises `WiderThanSelf` when it is later than that."""
    if wanted is not None and own is not None and wanted > own:
        raise WiderThanSelf("A key that ends can only make keys that end no later.")
    return wanted or own


def _is_inside(network: IPv4Network | IPv6Network, bound: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(bound, IPv4Network):
        return network.subnet_of(bound)
    return isinstance(network, IPv6Network) and isinstance(bound, IPv6Network) and network.subnet_of(bound)
