"""`parlance up --detach` and `parlance down`: a supervisor that runs on without a terminal."""

import os
import signal
import subprocess
import time

from workers.cli.exits import Exit
from workers.cli.output import Printer
from workers.cli.tracking import title
from workers.cli.up import UpOptions, take_home
from workers.embedded.errors import AlreadyRunning, HomeError
from workers.embedded.home import Home, is_alive, is_held
from workers.embedded.ports import choose_port
from workers.embedded.stack import DEFAULT_PORT
from workers.supervisor import front, processes
from workers.supervisor.children import rotate, tail

GLANCE_S = 0.05
DRAIN_LIMIT_S = 100.0  # all graces together, and a little more


def _launch(options: UpOptions) -> subprocess.Popen[bytes]:
    log = options.home.log("up")
    rotate(log)
    port = ["--port", str(options.port)] if options.port else []
    arguments = ["up", "--home", str(options.home.path), "--no-demo", *port]
    with log.open("ab") as output:
        return subprocess.Popen(
            front.python_command("workers.cli", *arguments),
            env={**os.environ, "PYTHONPATH": front.python_path(), **front.PYTHON_LOCALE},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
        )


def _await_ready(process: subprocess.Popen[bytes], *, home: Home, printer: Printer) -> bool:
    """Follow the state until everything is ready; False when the supervisor ended first."""
    shown: set[str] = set()
    while process.poll() is None:
        state = home.state()
        if state.get("pid") == process.pid:
            services = state.get("services", {})
            for name in [each for each, now in services.items() if now["state"] in ("ready", "done")]:
                if name not in shown:
                    printer.say(f"{title(name)}: {services[name]['state']}", event=services[name]["state"], name=name)
                shown.add(name)
            if state.get("state") == "ready":
                return True
        time.sleep(GLANCE_S)
    return False


def up_detached(options: UpOptions, *, printer: Printer) -> int:
    """Start a supervisor of its own session; 0 once /readyz is green, else its exit code and its log's end."""
    take_home(options.home).release()  # says "already running" here, where the user can read it
    port = choose_port(options.port or DEFAULT_PORT, explicit=bool(options.port))
    if port.reservation:
        port.reservation.close()
    log = options.home.log("up")
    since_bytes = log.stat().st_size if log.exists() else 0
    process = _launch(options)
    try:
        ready = _await_ready(process, home=options.home, printer=printer)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    if not ready:
        text = f"Parlance did not start. The end of {log}:\n{tail(str(log), since_bytes=since_bytes)}"
        printer.fail(text, code="start_failed")
        return process.returncode or Exit.FAILED
    process.returncode = 0  # it runs on; nobody waits for it here
    state = options.home.state()
    text = f"Parlance runs at {state['url']} (pid {state['pid']}). Stop it with `parlance down`."
    printer.say(text, style="good", event="up", url=state["url"], pid=state["pid"], home=str(options.home.path))
    return Exit.OK


def stop(home: Home, *, at_once: bool, printer: Printer) -> bool:
    """Stop the instance of a home and wait until all its processes are gone; False when none ran."""
    if not is_held(home):
        return False
    until_s = time.monotonic() + DRAIN_LIMIT_S
    asked_pid = 0
    printer.busy("stopping: work in progress may finish")
    # The lock ends a moment before the process that held it.
    while is_held(home) or asked_pid in processes.parents():
        state = home.state()
        if is_alive(state) and state["pid"] != asked_pid:
            asked_pid = int(state["pid"])
            os.kill(asked_pid, signal.SIGTERM if at_once else front.DRAIN_SIGNAL)
        if time.monotonic() > until_s:
            raise HomeError(
                f"Parlance in {home.path} has not stopped after {DRAIN_LIMIT_S:g} s. Try `parlance down --now`."
            )
        time.sleep(GLANCE_S)
    printer.rest()
    return True


def require_stopped(home: Home) -> None:
    """Refuse while an instance runs."""
    if is_held(home):
        raise AlreadyRunning(f"Parlance runs in {home.path}. Stop it with `parlance down`.")
