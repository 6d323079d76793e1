"""Which engines may be taken, and what is to be preferred: said by a tenant's operator, a key or a request. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, get_args

Optimize = Literal["cost", "latency", "quality"]
OPTIMIZE: Final = get_args(Optimize)
MAX_FALLBACKS: Final = 10


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    """What differs from "any engine, as configured".

    `allow` None means every engine; `regions` None every place, else engines on this machine and in these regions;
    `fallbacks` how many further engines may be tried after the first, None as many as fit; `hedge` whether a second one
    may be asked beside a first that is slow, None where others decide.
    """

    optimize: Optimize | None = None
    regions: tuple[str, ...] | None = None
    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    local_only: bool = False
    fallbacks: int | None = None
    hedge: bool | None = None

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> RoutingPolicy:
        """A policy as it was stored; raises ValueError for what is unknown or wrong, because it may forbid something.

        >>> RoutingPolicy.parse({"regions": ["eu"], "local_only": True})
        RoutingPolicy(optimize=None, regions=('eu',), allow=None, deny=(), local_only=True, fallbacks=None, hedge=None)
        """
        unknown = stored.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"unknown routing policies: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        policy = cls(**values)
        policy._check()
        return policy

    def stored(self) -> dict[str, Any]:
        """What `parse` reads: only what differs from the default.

        >>> RoutingPolicy(allow=(), fallbacks=0).stored()
        {'allow': [], 'fallbacks': 0}
        """
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value != _DEFAULTS[name]
        }

    def engines(self) -> frozenset[str]:
        """Every engine that is named."""
        return frozenset((*(self.allow or ()), *self.deny))

    def _check(self) -> None:
        lists = (self.regions, self.allow, self.deny)
        texts = all(one is None or (isinstance(one, tuple) and all(isinstance(x, str) for x in one)) for one in lists)
        number = self.fallbacks is None or (type(self.fallbacks) is int and 0 <= self.fallbacks <= MAX_FALLBACKS)
        flags = type(self.local_only) is bool and self.hedge in (None, True, False)
        if self.optimize not in (None, *OPTIMIZE) or not texts or not number or not flags:
            raise ValueError("routing policies have a wrong type or value")


_DEFAULTS: Final = asdict(RoutingPolicy())
ANY_ENGINE: Final = RoutingPolicy()


def narrowed(policies: Iterable[RoutingPolicy]) -> RoutingPolicy:
    """All of them at once: what one forbids no other allows. The first that says what to optimize is heard.

    >>> request, tenant = RoutingPolicy(optimize="cost", allow=("a", "b")), RoutingPolicy(allow=("b", "c"), deny=("d",))
    >>> narrowed([request, tenant]).stored()
    {'optimize': 'cost', 'allow': ['b'], 'deny': ['d']}
    """
    told = [policy for policy in policies if policy != ANY_ENGINE]
    if len(told) < 2:
        return told[0] if told else ANY_ENGINE
    return RoutingPolicy(
        optimize=next((one.optimize for one in told if one.optimize), None),
        regions=_common((one.regions for one in told), same=is_within),
        allow=_common((one.allow for one in told), same=str.__eq__),
        deny=tuple(dict.fromkeys(name for one in told for name in one.deny)),
        local_only=any(one.local_only for one in told),
        fallbacks=min((one.fallbacks for one in told if one.fallbacks is not None), default=None),
        hedge=min((one.hedge for one in told if one.hedge is not None), default=None),
    )


def is_within(region: str, wider: str) -> bool:
    """Whether a region is another one or a part of it.

    >>> is_within("eu-west-1", "eu"), is_within("europe", "eu")
    (True, False)
    """
    return region == wider or region.startswith(f"{wider}-")


def _common(lists: Iterable[tuple[str, ...] | None], *, same: Callable[[str, str], bool]) -> tuple[str, ...] | None:
    """The names that every list has: of two that differ, the narrower one."""
    given = [one for one in lists if one is not None]
    if not given:
        return None
    names = dict.fromkeys(name for one in given for name in one)
    return tuple(name for name in names if all(any(same(name, other) for other in one) for one in given))
