"""The options of `parlance tenant set` and `parlance key create` that say which engines may be used."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import typer


@dataclass(frozen=True, slots=True)
class RoutingWishes:
    """The options as they were typed; None for each that was not."""

    optimize: str | None
    regions: str | None
    allow: str | None
    deny: str | None
    local_only: bool | None
    fallbacks: str | None
    hedge: str | None = None

    @property
    def any(self) -> bool:
        """Whether any of them was given."""
        return any(value is not None for value in astuple(self))

    def applied(self, before: Any) -> Any:
        """The policy with these changes; raises `typer.BadParameter`."""
        from tenants.facade import RoutingPolicy

        stored = before.stored() | self._changes()
        try:
            policy = RoutingPolicy.parse({name: value for name, value in stored.items() if value is not None})
        except ValueError:
            detail = (
                "--optimize is cost, latency, quality or none; --fallbacks is 0 to 10 or any; --hedge yes, no or any"
            )
            raise typer.BadParameter(detail) from None
        _check_engines(policy)
        return policy

    def _changes(self) -> dict[str, Any]:
        changes: dict[str, Any] = {
            "optimize": None if self.optimize == "none" else self.optimize,
            "regions": _names(self.regions, nothing="any"),
            "allow": _names(self.allow, nothing="any"),
            "deny": _names(self.deny, nothing="none") or [],
            "local_only": self.local_only,
            "hedge": _HEDGE.get(self.hedge or "", self.hedge),
            "fallbacks": None if self.fallbacks == "any" else _number(self.fallbacks),
        }
        return {name: value for name, value in changes.items() if getattr(self, name) is not None}


_HEDGE = {"yes": True, "no": False, "any": None}


def _names(text: str | None, *, nothing: str) -> list[str] | None:
    return None if text is None or text == nothing else [name.strip() for name in text.split(",") if name.strip()]


def _number(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdecimal() else text


def _check_engines(policy: Any) -> None:
    from speech.facade import known_engines

    unknown = sorted(policy.engines() - known_engines())
    if unknown:
        raise typer.BadParameter(f"no engine {unknown[0]}; engines: {', '.join(sorted(known_engines()))}")
