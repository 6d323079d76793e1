"""What a fresh web process must not bring: each library here costs every API process memory for others' work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PLATFORM = Path(__file__).parents[1] / "platform"
# The last three are brought by libraries that can do without, unless `config.lean` keeps them away.
HEAVY = {
    *("av", "boto3", "botocore", "celery", "faster_whisper", "httpx", "kombu", "numpy"),
    *("opentelemetry.exporter", "reportlab", "segno", "stripe", "torch"),
    *("django.test", "opentelemetry.sdk", "rich"),
}


def _run(code: str) -> subprocess.CompletedProcess[str]:
    argv, env = [sys.executable, "-P", "-c", code], os.environ | {"PYTHONPATH": str(PLATFORM)}
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False)


def test_a_fresh_web_process_has_none_of_the_heavy_libraries(migrated: None) -> None:
    code = f"""
import sys
import config.asgi
from django.urls import get_resolver
assert get_resolver().url_patterns
print(", ".join(sorted({HEAVY!r} & set(sys.modules))))
"""
    done = _run(code)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_what_libraries_did_without_is_there_for_whoever_wants_it(migrated: None) -> None:
    code = """
import config.asgi
import rich.console
import opentelemetry.sdk.metrics
from django.core.signals import setting_changed
from django.test.signals import setting_changed as for_tests, template_rendered
from ninja import conf
assert for_tests is conf.setting_changed is setting_changed
"""
    done = _run(code)
    assert done.returncode == 0, done.stderr
