"""What to run, as data: the supervisor knows services only through these values."""

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

ProbeKind = Literal["exit", "ready_fd", "http", "redis", "postgres", "running"]


@dataclass(frozen=True, slots=True)
class Probe:
    """How to see that a service is ready; `target` is a URL (http) or a socket path (redis, postgres)."""

    kind: ProbeKind
    target: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """One process; a probe of kind `exit` makes it a step that has to end with 0."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    probe: Probe
    log: str = ""
    """Where stdout and stderr are appended; empty means the supervisor's own."""
    grace_s: float = 5.0
    ready_limit_s: float = 60.0
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL
    """Sent by the kernel when the guardian dies."""
    pass_fds: tuple[int, ...] = ()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `dataclasses.asdict` took apart."""
        given = {**values, "probe": Probe(**values["probe"])}
        return cls(**{**given, "argv": tuple(given["argv"]), "pass_fds": tuple(given["pass_fds"])})


@dataclass(frozen=True, slots=True)
class Plan:
    """Services in starting order, and an optional companion that runs once all are up and may fail."""

    services: tuple[Service, ...]
    companion: Service | None = None
    hurry_s: float = 3.5  # Ctrl-C and SIGTERM promise an empty machine within 5 s
    orphaned_s: float = 2.5  # the same promise after kill -9, where noticing and sweeping cost a little more
    fail_fast: bool = field(default=False)
    """Tests: a crash stops everything instead of being restarted."""

    def to_json(self) -> str:
        """Return the plan as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        values = json.loads(line)
        services = tuple(Service.from_dict(each) for each in values.pop("services"))
        companion = values.pop("companion")
        return cls(services=services, companion=Service.from_dict(companion) if companion else None, **values)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a service, or (with an empty name) to all of them."""

    kind: str  # starting ready done exited restarting failed up companion stopping stopped down lost
    name: str = ""
    pid: int = 0
    seconds: float = 0.0
    detail: str = ""
    tail: str = ""
    code: int = 0

    def to_json(self) -> str:
        """Return the event as one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls(**json.loads(line))
