"""The check when a URL is saved, before anything is ever sent to it."""

from __future__ import annotations

from egress.addresses import parse_address
from egress.errors import ConnectFailed, UrlBlocked
from egress.guard import CONNECT_TIMEOUT_S, approve
from egress.policy import Policy
from egress.resolver import Resolver, submit, system_resolve
from egress.urls import Target, parse_url


def check_url(
    url: str,
    policy: Policy,
    *,
    resolve: bool = False,
    timeout_s: float = CONNECT_TIMEOUT_S,
    resolver: Resolver = system_resolve,
) -> Target:
    """Returns the parts of an allowed URL or raises `UrlBlocked`; `resolve` also looks where its name leads.

    The same check runs at every call: a name may lead elsewhere by then.
    """
    target = parse_url(url)
    policy.check_target(target)
    if resolve and parse_address(target.host) is None:
        _check_answers(target, policy=policy, timeout_s=timeout_s, resolver=resolver)
    return target


def _check_answers(target: Target, *, policy: Policy, timeout_s: float, resolver: Resolver) -> None:
    # An unknown name is refused in the same words as a private one: the difference would map our network.
    try:
        answers = submit(resolver, host=target.host, port=target.port).result(timeout=timeout_s)
        approve(policy, host=target.host, port=target.port, answers=answers)
    except (OSError, UnicodeError, ConnectFailed):
        raise UrlBlocked("address") from None
