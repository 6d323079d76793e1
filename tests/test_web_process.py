"""What a fresh web process must not bring: each library here costs every API process memory for others' work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLATFORM = Path(__file__).parents[1] / "platform"
# Redis' client brings OpenTelemetry's SDK by itself, so only its exporters are named.
HEAVY = {
    *("av", "boto3", "botocore", "celery", "faster_whisper", "httpx", "kombu", "numpy"),
    *("opentelemetry.exporter", "reportlab", "segno", "stripe", "torch"),
}


def test_a_fresh_web_process_has_none_of_the_heavy_libraries(migrated: None) -> None:
    code = f"""
import sys
import config.asgi
from django.urls import get_resolver
assert get_resolver().url_patterns
print(", ".join(sorted({HEAVY!r} & set(sys.modules))))
"""
    argv, env = [sys.executable, "-P", "-c", code], os.environ | {"PYTHONPATH": str(PLATFORM)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
