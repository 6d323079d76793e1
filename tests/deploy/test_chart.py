"""The chart: what it renders, what it refuses, and that every pod is restricted and walled in."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from observe.instruments import INSTRUMENTS
from tests.deploy.conftest import CHART, HELMS, ROOT, Document, documents, helm, of_kind, pods, rendered

EXAMPLES = ("three-values", "everything")
METRIC = re.compile(r"\bparlance_[a-z_]+")
SUFFIXES = ("_bucket", "_sum", "_count", "_total")


@pytest.mark.parametrize("version", HELMS)
@pytest.mark.parametrize("values", EXAMPLES)
def test_real_helm_finds_nothing_to_complain_about(version: str, values: str) -> None:
    done = helm(version, "lint", "--strict", str(CHART), "-f", str(CHART / "ci" / f"{values}.yaml"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("values", EXAMPLES)
def test_both_helms_render_the_same(values: str) -> None:
    assert rendered("helm3", values) == rendered("helm4", values)


REFUSED = {
    "worker": ("--set", "worker.media=1"),
    "web.replica": ("--set", "web.replica=3"),
    "web.replicas": ("--set", "web.replicas=many"),
    "publicUrl": ("--set", "publicUrl=speech.example.com"),
    "workers.media.executors.0": ("--set", "workers.media.executors={pool:base}"),
    "workers.media": ("--set", "workers.media.queue=media"),
    "gpuPools.a.model": ("--set", "gpuPools.a.model=huge"),
    "image.digest": ("--set", "image.digest=latest"),
    "settings": ("--set", "settings.DATABASE_URL=postgresql://x"),
    "tmpSize": ("--set", "tmpSize=1"),
}


@pytest.mark.parametrize("version", HELMS)
@pytest.mark.parametrize("path", sorted(REFUSED))
def test_a_wrong_value_is_refused_by_its_path(version: str, path: str) -> None:
    done = helm(version, "template", "x", str(CHART), "-f", str(CHART / "ci" / "three-values.yaml"), *REFUSED[path])
    assert done.returncode != 0
    assert named(path, done.stderr), done.stderr


def named(path: str, told: str) -> bool:
    """Helm 4 writes /web/replicas, Helm 3 web.replicas; what is unknown is named beside its place."""
    shown = told.replace("/", ".")
    parent, _, name = path.rpartition(".")
    return path in shown or (parent in shown and re.search(rf"['\"]?{name}['\"]? (is )?not allowed", shown) is not None)


@pytest.mark.parametrize("missing", ["publicUrl", "existingSecret", "s3.bucket"])
def test_what_is_missing_is_told_with_what_to_do(missing: str) -> None:
    told = helm("helm4", "template", "x", str(CHART), "-f", str(CHART / "ci" / "three-values.yaml"),
                "--set-string", f"{missing}=").stderr  # fmt: skip
    assert f"{missing} is empty." in told
    assert f"--set {missing}=" in told


@pytest.mark.parametrize("values", EXAMPLES)
def test_every_pod_is_restricted(values: str) -> None:
    for name, pod in pods(documents(values)).items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            own = container["securityContext"]
            assert own == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert all({"emptyDir", "persistentVolumeClaim"} & set(volume) for volume in spec["volumes"])


@pytest.mark.parametrize("values", EXAMPLES)
def test_every_pod_is_under_a_policy_of_its_own_and_denied_the_rest(values: str) -> None:
    found = documents(values)
    policies = of_kind(found, "NetworkPolicy")
    everybody = policies.pop("parlance-default-deny")["spec"]
    assert everybody["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(everybody)

    for name, pod in pods(found).items():
        [own] = [one for one in policies.values() if selects(one["spec"]["podSelector"], pod)]
        assert own["metadata"]["name"] == name
        assert own["spec"]["policyTypes"] == ["Ingress", "Egress"]


def selects(selector: Document, pod: Document) -> bool:
    return selector["matchLabels"].items() <= pod["metadata"]["labels"].items()


def test_only_who_must_reaches_the_internet_and_the_pool_never() -> None:
    policies = of_kind(documents("three-values", "--set", "gpuPools.turbo.model=turbo",
                                 "--set", "gpuPools.turbo.weights.existingClaim=weights"), "NetworkPolicy")  # fmt: skip
    open_ones = {name for name, policy in policies.items() if "0.0.0.0/0" in str(policy)}
    assert open_ones == {"parlance-scheduler", "parlance-media", "parlance-cloud"}
    assert "parlance-turbo" in policies


def test_policies_of_hooks_come_before_their_pods() -> None:
    found = documents("everything")
    weights = {
        (one["kind"], one["metadata"]["name"]): int(one["metadata"]["annotations"].get("helm.sh/hook-weight", 0))
        for one in found if "helm.sh/hook" in one["metadata"].get("annotations", {})
    }  # fmt: skip
    secret = weights["ExternalSecret", "parlance-secret"]
    assert secret < weights["NetworkPolicy", "parlance-migrate"] < weights["Job", "parlance-migrate"]
    assert weights["NetworkPolicy", "parlance-test"] < weights["Pod", "parlance-test"]


@pytest.mark.parametrize("values", EXAMPLES)
def test_a_pod_has_time_to_drain(values: str) -> None:
    found = pods(documents(values))
    web = found["parlance-web"]["spec"]
    pause = web["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert web["terminationGracePeriodSeconds"] == pause + 75
    assert found["parlance-media"]["spec"]["terminationGracePeriodSeconds"] == 120


def test_a_pool_takes_no_spare_gpu_and_waits_for_its_model() -> None:
    found = documents("everything")
    deployment = of_kind(found, "Deployment")["parlance-turbo"]["spec"]
    [container] = deployment["template"]["spec"]["containers"]

    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 600
    assert "envFrom" not in container  # a pool has no key of any provider
    assert {"name": "PARLANCE_WHISPER_MODELS", "value": "large-v3,turbo"} in web_environment(found)


def web_environment(found: list[Document]) -> list[Any]:
    [container] = pods(found)["parlance-web"]["spec"]["containers"]
    return list(container["env"])


def test_replicas_follow_seconds_not_messages() -> None:
    scaled = of_kind(documents("everything"), "ScaledObject")
    assert set(scaled) == {f"parlance-{name}" for name in ("media", "cloud", "local", "turbo", "large")}

    [media], [turbo] = (scaled[f"parlance-{name}"]["spec"]["triggers"] for name in ("media", "turbo"))
    assert media["metadata"]["valueLocation"] == "work_seconds"
    assert media["metadata"]["targetValue"] == str(4 * 120)
    assert turbo["metadata"]["valueLocation"] == "audio_seconds"
    assert turbo["metadata"]["url"].endswith(".speech.svc:8700/internal/autoscale?executor=pool:turbo")
    assert turbo["metadata"]["targetValue"] == str(100 * 120)
    assert scaled["parlance-turbo"]["spec"]["minReplicaCount"] == 0
    deployments = of_kind(documents("everything"), "Deployment")
    assert all("replicas" not in deployments[name]["spec"] for name in scaled)


def test_the_internal_path_is_not_published() -> None:
    found = documents("everything")
    published = str([of_kind(found, "Ingress"), of_kind(found, "HTTPRoute")])
    assert "/v1" in published
    assert "internal" not in published
    assert "/readyz" not in published


def test_every_metric_of_an_alert_exists_and_every_alert_is_explained() -> None:
    rules = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"][0]["rules"]
    known = {one.name for one in INSTRUMENTS}
    guide = (ROOT / "docs" / "operations.md").read_text()

    for rule in rules:
        names = set(METRIC.findall(rule["expr"]))
        assert {
            next((name.removesuffix(end) for end in SUFFIXES if name.endswith(end)), name) for name in names
        } <= known
        assert f"`{rule['alert']}`" in guide
    assert documents("everything")
    assert yaml.safe_dump(rules) in yaml.safe_dump(of_kind(documents("everything"), "PrometheusRule")
                                                   ["parlance-alerts"]["spec"]["groups"][0]["rules"])  # fmt: skip


def test_schema_and_readme_are_made_from_the_values() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "chart_schema.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path("/"))
    assert done.returncode == 0, done.stderr
