"""Writes openapi.json from the code, or checks that the committed one is the code's."""

import json
import sys
from pathlib import Path

import django

PATH = Path(__file__).parents[1] / "openapi.json"


def main() -> int:
    """0 when written or equal."""
    django.setup()
    from config.api import openapi

    text = json.dumps(openapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    if "--check" not in sys.argv:
        PATH.write_text(text, "utf-8")
        return 0
    if PATH.read_text("utf-8") == text:
        return 0
    sys.stderr.write("openapi.json differs from the code. Run `make openapi` and look at the difference.\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
