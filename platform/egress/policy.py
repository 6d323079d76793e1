"""Who may be called: two policies, one for tenants' URLs and one for the operator's own origins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_network

from egress.addresses import Address, Network, in_networks, is_public, parse_address
from egress.errors import EgressError, UrlBlocked
from egress.tunnel import Proxy
from egress.urls import Target, parse_host, parse_url

PUBLIC_PORTS = frozenset({443, 80, 8443, 8080})

HostPort = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one way out; build it with `untrusted` or `operator`."""

    schemes: frozenset[str]
    ports: frozenset[int]  # for every host; empty where only `exact` counts
    exact: frozenset[HostPort]  # trusted as they stand, at any address
    networks: tuple[Network, ...]  # allowed although not public
    origins: frozenset[str] | None  # when set, nothing else may be called
    proxy: Proxy | None = None  # dialled instead; it gets the number that this policy permits

    def check_target(self, target: Target) -> None:
        """Raises `UrlBlocked` when scheme, host or port of a URL are not allowed; touches no network."""
        if self.origins is not None:
            if target.origin not in self.origins:
                raise UrlBlocked("origin")
            return
        if target.scheme not in self.schemes:
            raise UrlBlocked("scheme")
        self.check_host(target.host, port=target.port)

    def check_host(self, host: str, *, port: int) -> None:
        """Raises `UrlBlocked` when a host and port may not be dialled, whatever the name resolves to."""
        if (host, port) in self.exact:
            return
        if port not in self.ports:
            raise UrlBlocked("port")
        address = parse_address(host)
        if address is None and "." not in host:
            raise UrlBlocked("address")  # a bare name exists in private networks only
        if address is not None and not self.permits(host, port=port, address=address):
            raise UrlBlocked("address")

    def permits(self, host: str, *, port: int, address: Address) -> bool:
        """Tells if the address that a host resolved to may be dialled."""
        return (host, port) in self.exact or in_networks(address, self.networks) or is_public(address)


def untrusted(*, allow: Collection[str] = frozenset(), development: bool = False, proxy: Proxy | None = None) -> Policy:
    """Returns the full guard for URLs that tenants chose; with a `proxy` they are called through it.

    `allow` holds networks of the operator ("10.2.0.0/16") and, in development only, exact "host:port" pairs.

    >>> untrusted(allow={"127.0.0.1:8765"}, development=True).exact
    frozenset({('127.0.0.1', 8765)})
    """
    networks = tuple(_network(entry) for entry in sorted(allow) if "/" in entry)
    exact = frozenset(_host_port(entry) for entry in allow if "/" not in entry)
    if exact and not development:
        raise ValueError("egress allow: a host:port entry works in development only; use a network (CIDR)")
    schemes = frozenset({"https", "http"} if development else {"https"})
    return Policy(schemes=schemes, ports=PUBLIC_PORTS, exact=exact, networks=networks, origins=None, proxy=proxy)


def operator(origins: Collection[str]) -> Policy:
    """Returns the policy for exactly these origins of the operator's configuration; they may be private.

    >>> sorted(operator({"https://api.example.com", "http://10.0.0.5:9000"}).origins)
    ['http://10.0.0.5:9000', 'https://api.example.com:443']
    """
    targets = [_origin(entry) for entry in origins]
    return Policy(
        schemes=frozenset(target.scheme for target in targets),
        ports=frozenset(),
        exact=frozenset((target.host, target.port) for target in targets),
        networks=(),
        origins=frozenset(target.origin for target in targets),
    )


def _origin(entry: str) -> Target:
    try:
        target = parse_url(entry)
    except EgressError as error:
        raise ValueError(f"egress origin {entry!r}: {error}") from None
    if target.path != "/":
        raise ValueError(f"egress origin {entry!r}: write scheme://host:port only, without a path")
    return target


def _network(entry: str) -> Network:
    try:
        return ip_network(entry)
    except ValueError as error:
        raise ValueError(f"egress allow {entry!r}: {error}") from None


def _host_port(entry: str) -> HostPort:
    host, _, port = entry.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f"egress allow {entry!r}: write host:port or a network such as 10.2.0.0/16")
    return parse_host(host.strip("[]")), int(port)
