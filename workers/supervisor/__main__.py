"""`python -m workers.supervisor < plan.json`: run a plan and print its events as lines of JSON."""

import sys

from workers.supervisor import front
from workers.supervisor.plan import Event, Plan


def _print(event: Event) -> None:
    sys.stdout.write(event.to_json() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(front.run(Plan.from_json(sys.stdin.readline()), on_event=_print))
