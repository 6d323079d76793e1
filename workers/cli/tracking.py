"""Keeps state.json true and the user informed while the supervisor reports."""

from dataclasses import dataclass, field
from typing import Any

from workers.cli.output import Printer
from workers.embedded.home import Home
from workers.supervisor.plan import Event

TITLES = {"postgres": "PostgreSQL", "redis": "Redis", "initdb": "new database", "migrate": "migrations"}


def title(name: str) -> str:
    """Return a service's name for people."""
    return TITLES.get(name, name)


@dataclass(slots=True)
class Tracker:
    """Follows one run; `state` is what other commands read."""

    home: Home
    printer: Printer
    state: dict[str, Any]
    has_demo: bool
    _stopping: bool = field(default=False)

    def on_event(self, event: Event) -> None:
        """Take one event."""
        if event.name and event.kind != "companion":
            self._note_service(event)
        handler = {
            "starting": self._starting,
            "ready": self._ready,
            "done": self._ready,
            "up": self._up,
            "restarting": self._restarting,
            "failed": self._failed,
            "companion": self._companion,
            "stopping": self._stop,
            "stopped": self._stopped,
            "lost": self._lost,
        }.get(event.kind)
        if handler is not None:
            handler(event)
        self.home.write_state(self.state)

    def _note_service(self, event: Event) -> None:
        services = self.state["services"]
        known = services.setdefault(event.name, {"pid": 0, "state": "", "restarts": 0})
        known["state"] = event.kind
        known["pid"] = event.pid or known["pid"]
        known["restarts"] += event.kind == "restarting"

    def _facts(self, event: Event) -> dict[str, Any]:
        given = {"name": event.name, "pid": event.pid, "seconds": event.seconds, "detail": event.detail}
        return {"event": event.kind, **{name: value for name, value in given.items() if value}}

    def _starting(self, event: Event) -> None:
        self.printer.busy(f"starting {title(event.name)}")

    def _ready(self, event: Event) -> None:
        self.printer.say(f"{title(event.name):<14} {event.seconds:6.2f} s", **self._facts(event))

    def _up(self, event: Event) -> None:
        self.state["state"] = "ready"
        url = self.state["url"]
        self.printer.say(
            f"Parlance is ready at {url} ({event.seconds:.1f} s).",
            style="good",
            **self._facts(event),
            url=url,
            home=str(self.home.path),
        )
        if not self.has_demo:
            self.printer.say("Make a key with `parlance tenant create NAME`. Ctrl-C or `parlance down` stops it.")

    def _restarting(self, event: Event) -> None:
        text = f"{title(event.name)} {event.detail}; starting again in {event.seconds:g} s."
        self.printer.say(text, style="warn", **self._facts(event))

    def _failed(self, event: Event) -> None:
        self.state["failure"] = {"name": event.name, "detail": event.detail, "tail": event.tail}
        log = self.home.log("postgres" if event.name in ("initdb", "roles") else event.name)
        self.printer.fail(
            f"{title(event.name)} {event.detail}. The end of {log}:\n{event.tail}\n"
            "Run `parlance doctor` for what this machine lacks.",
            code="service_failed",
        )

    def _companion(self, event: Event) -> None:
        if event.code:
            self.printer.say("The demo failed (see above); the server goes on.", style="bad")
        self.printer.say(f"Serving at {self.state['url']}. Press Ctrl-C to stop.")

    def _stop(self, event: Event) -> None:
        self.state["state"] = "stopping"
        self.printer.busy("stopping")

    def _stopped(self, event: Event) -> None:
        how = " (killed: it did not stop in time)" if event.detail else ""
        self.printer.say(f"{title(event.name)} stopped{how}", style="dim", **self._facts(event))
        self.printer.busy("stopping")

    def _lost(self, event: Event) -> None:
        self.printer.fail("The supervisor's guardian was killed; everything is being stopped.", code="lost")
