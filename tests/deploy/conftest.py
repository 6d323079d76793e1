"""The chart as real Helm renders it. Where the tools are missing these tests are skipped; CI refuses that."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "parlance"
TOOLS = ROOT / ".venv" / "deploy-tools"
HELMS = ("helm3", "helm4")
Document = dict[str, Any]
# What the operators that are asked for bring to a cluster.
APIS = ("keda.sh/v1alpha1", "monitoring.coreos.com/v1", "external-secrets.io/v1", "gateway.networking.k8s.io/v1")


def tool(name: str) -> Path:
    """The program; without it the test is skipped, or fails in CI."""
    path = TOOLS / name
    if not path.exists():
        missing = f"{name} is not here: scripts/deploy-tools brings it on x86-64 Linux"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def helm(version: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one of the two Helms."""
    command = [str(tool(version)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


@lru_cache(maxsize=8)
def rendered(version: str, values: str, *more: str) -> str:
    """What `helm template` prints for one of the chart's example values."""
    apis = [word for api in APIS for word in ("-a", api)]
    asked = ["template", "parlance", str(CHART), "-n", "speech", "-f", str(CHART / "ci" / f"{values}.yaml"), *apis]
    done = helm(version, *asked, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(values: str, *more: str) -> list[Document]:
    """The objects of the chart, as Helm 4 renders them."""
    return [found for found in yaml.safe_load_all(rendered("helm4", values, *more)) if found]


def of_kind(found: list[Document], kind: str) -> dict[str, Document]:
    """Those of a kind, by name."""
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def pods(found: list[Document]) -> dict[str, Document]:
    """Every pod's metadata and spec, by the name of what makes it."""
    made = {}
    for one in found:
        if one["kind"] == "Pod":
            made[one["metadata"]["name"]] = one
        elif one["kind"] in {"Deployment", "Job", "StatefulSet", "DaemonSet"}:
            made[one["metadata"]["name"]] = one["spec"]["template"]
    return made
