"""`parlance up`: start everything, show a demo, serve until stopped."""

import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import typer

from workers.cli.exits import Exit
from workers.cli.output import Printer
from workers.cli.tracking import Tracker
from workers.embedded.errors import HomeError
from workers.embedded.home import Home, HomeLock
from workers.embedded.ports import ReservedPort, choose_port
from workers.embedded.stack import (
    DEFAULT_PORT,
    Servers,
    child_environment,
    plan_application,
    plan_servers,
    stray_tag,
)
from workers.supervisor import front, processes
from workers.supervisor.plan import Plan, Probe, Service

STRAYS_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the user asked for; `port` is 0 when no number was given."""

    home: Home
    port: int
    with_demo: bool
    audio: Path | None
    as_json: bool


def take_home(home: Home) -> HomeLock:
    """Return the home's lock, with nothing of an earlier run left in it."""
    home.prepare()
    if home.half_restored.exists():
        raise HomeError(
            f"A restore to {home.path} was cut off half-way. Run `parlance reset` and then `parlance restore` again."
        )
    lock = HomeLock.take(home)
    # Whatever still carries the home's tag now has lost both of its supervisors.
    processes.clear_strays(stray_tag(home.path), limit_s=STRAYS_LIMIT_S)
    return lock


def wanted_port(given: int | None) -> int:
    """Return the port from --port or PARLANCE_PORT, 0 when neither names one."""
    text = str(given) if given is not None else os.environ.get("PARLANCE_PORT", "0")
    if not text.isdigit() or not (text == "0" or 1 <= int(text) <= 65535):
        raise typer.BadParameter("the port must be a number from 1 to 65535", param_hint="--port / PARLANCE_PORT")
    return int(text)


def _demo(options: UpOptions, *, env: dict[str, str], receiver: socket.socket) -> Service:
    fd = receiver.detach()
    arguments = ["--receiver-fd", str(fd), *(["--json"] if options.as_json else [])]
    audio = ["--audio", str(options.audio)] if options.audio else []
    return Service(
        name="demo",
        argv=front.python_command("workers.demo", *arguments, *audio),
        env=env,
        cwd=str(options.home.path),
        probe=Probe("running"),
        pass_fds=(fd,),
    )


def _receiver() -> socket.socket:
    """Open the demo's webhook receiver before the services start: they must be told its port."""
    receiver = socket.socket()
    receiver.bind(("127.0.0.1", 0))
    receiver.listen(16)
    return receiver


def _allowing(env: dict[str, str], *, receiver: socket.socket) -> dict[str, str]:
    host, port = receiver.getsockname()
    given = os.environ.get("PARLANCE_EGRESS_ALLOW", "")
    return {**env, "PARLANCE_EGRESS_ALLOW": ",".join([*([given] if given else []), f"{host}:{port}"])}


def _plan(options: UpOptions, *, servers: Servers) -> Plan:
    env = child_environment(servers.env, environ=os.environ)
    if not options.with_demo:
        return Plan((*servers.services, *plan_application(options.home, env=env)))
    receiver = _receiver()
    env = _allowing(env, receiver=receiver)
    services = (*servers.services, *plan_application(options.home, env=env))
    return Plan(services, companion=_demo(options, env=env, receiver=receiver))


def _first_state(options: UpOptions, *, servers: Servers) -> dict[str, object]:
    return {
        "pid": os.getpid(),
        "started_at_ticks": processes.started_at_ticks(os.getpid()),
        "url": servers.env["PARLANCE_PUBLIC_URL"],
        "port": int(servers.env["PARLANCE_PORT"]),
        "state": "starting",
        "services": {},
        "env": servers.env,
    }


def _announce(port: ReservedPort, *, options: UpOptions, printer: Printer) -> None:
    if port.instead_of:
        text = f"Port {port.instead_of} is taken by another program; using {port.number}."
        printer.say(text, style="warn", event="port", taken=port.instead_of, port=port.number)
    if not options.home.holds_data():
        printer.say(f"Preparing {options.home.path}", event="preparing", home=str(options.home.path))


def _run(options: UpOptions, *, lock: HomeLock, printer: Printer) -> int:
    port = choose_port(options.port or DEFAULT_PORT, explicit=bool(options.port))
    _announce(port, options=options, printer=printer)
    fast = os.environ.get("PARLANCE_PG_FAST") == "1"
    servers = plan_servers(options.home, fast=fast, port=port.number, environ=os.environ)
    plan = _plan(options, servers=servers)
    tracker = Tracker(options.home, printer, _first_state(options, servers=servers), options.with_demo)
    options.home.write_state(tracker.state)
    try:
        return front.run(
            plan,
            on_event=tracker.on_event,
            keep_fds=[lock.fd, *port.fds()],
            log=options.home.log("supervisor"),
        )
    finally:
        printer.rest()
        options.home.write_state({"state": "stopped", "failure": tracker.state.get("failure")})
        shutil.rmtree(servers.run_dir, ignore_errors=True)


def run_foreground(options: UpOptions, *, printer: Printer) -> int:
    """Run until Ctrl-C or a failure; returns the exit code."""
    if sys.platform == "win32":
        raise HomeError("Parlance needs Linux or macOS.")
    lock = take_home(options.home)
    try:
        code = _run(options, lock=lock, printer=printer)
    finally:
        lock.release()
    printer.say("Parlance has stopped; its data stays in " + str(options.home.path), event="down", code=code)
    return code or Exit.OK
