"""The fakes of hearing providers in a process of their own: their CPU is not the engines'. Ends with its input."""

from __future__ import annotations

import json
import sys

from tests.fakes.google import FakeGoogle
from tests.fakes.hearers import HEARERS


def main() -> None:
    """Print one line: each provider's address, and Google's account."""
    fakes = {name: kind() for name, (kind, _) in HEARERS.items()}
    google = fakes["google"]
    assert isinstance(google, FakeGoogle)
    print(json.dumps({"urls": {name: fake.url for name, fake in fakes.items()}, "account": google.account()}))
    sys.stdout.flush()
    sys.stdin.read()
    for fake in fakes.values():
        fake.close()


if __name__ == "__main__":
    main()
