"""`values.schema.json` and the table of values in the chart's README, both from `values.yaml`: `--check` compares.

Types come from the defaults and nothing beside them is allowed; what defaults cannot tell stands in `SPECIAL`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).parents[1] / "deploy" / "helm" / "parlance"
BEGIN, END = "<!-- values -->", "<!-- end of values -->"
Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
FROM_ZERO: Final[Schema] = {"type": "integer", "minimum": 0}
SWITCH: Final[Schema] = {"type": "boolean"}
SIZE: Final[Schema] = {"type": "string", "pattern": r"^[0-9]+(Ki|Mi|Gi|Ti)$"}
WORDS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
ITEMS: Final[Schema] = {"type": "array", "items": {"type": "object"}}
NAMES: Final[Schema] = {"type": "array", "items": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"}}
PORTS: Final[Schema] = {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}, "minItems": 1}
CIDR: Final[Schema] = {"type": "string", "pattern": r"^[0-9a-f.:]+/[0-9]{1,3}$"}
AMOUNTS: Final[Schema] = {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}


def _strict(properties: Mapping[str, Schema], *required: str) -> Schema:
    told = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **told}


RESOURCES: Final = _strict({"requests": AMOUNTS, "limits": AMOUNTS})
PLACES: Final[dict[str, Schema]] = {"nodeSelector": WORDS, "tolerations": ITEMS}
SCALING: Final = _strict({"minReplicas": FROM_ZERO, "maxReplicas": COUNT, "drainSeconds": COUNT})
SHARED: Final[dict[str, Schema]] = {
    "replicas": FROM_ZERO, "drainSeconds": COUNT, "workSize": SIZE, "scaling": SCALING, "resources": RESOURCES,
    **PLACES,
}  # fmt: skip
EXECUTOR: Final = r"^(media|(cloud|local):[a-z0-9:._*-]+)$"
WORKER: Final = {
    "type": ["object", "null"],
    **{key: value for key, value in _strict(
        SHARED | {
            "executors": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": EXECUTOR}},
            "slots": {"type": "object", "additionalProperties": COUNT},
            "slotsPerReplica": COUNT, "internet": SWITCH,
        },
        "executors", "slotsPerReplica", "internet", "resources",
    ).items() if key != "type"},
}  # fmt: skip
MODELS: Final = ["tiny", "base", "small", "medium", "turbo", "large-v2", "large-v3"]
POOL: Final = _strict(
    SHARED | {
        "model": {"enum": MODELS}, "slots": COUNT, "weights": _strict({"existingClaim": TEXT}, "existingClaim"),
        "gpus": COUNT, "audioSecondsPerSecond": COUNT, "startMinutes": COUNT, "shmSize": SIZE, "runtimeClassName": TEXT,
    },
    "model",
)  # fmt: skip
VARIABLE: Final = "^(PARLANCE|AWS)_[A-Z0-9_]+$"

# By path; `*` is any name on its level.
SPECIAL: Final[dict[str, Schema]] = {
    "publicUrl": {"type": "string", "pattern": "^(https?://[^/?#]+)?$"},
    "settings": {"type": "object", "additionalProperties": False,
                 "patternProperties": {VARIABLE: {"type": ["string", "integer"]}}},
    "externalSecret.storeRef": _strict({"kind": {"enum": ["SecretStore", "ClusterSecretStore"]}, "name": TEXT}),
    "imagePullSecrets": {"type": "array", "items": _strict({"name": TEXT}, "name")},
    "podAnnotations": WORDS, "service.annotations": WORDS, "ingress.annotations": WORDS, "monitoring.labels": WORDS,
    "service.type": {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
    "workers": {"type": "object", "additionalProperties": WORKER},
    "gpuPools": {"type": "object", "additionalProperties": POOL},
    "workerDefaults.scaling": SCALING,
    "network.internet.except": {"type": "array", "items": CIDR}, "network.extraEgress": ITEMS,
    "httpRoute.parentRefs": ITEMS,
    "web.autoscaling.cpuPercent": {"type": "integer", "minimum": 1, "maximum": 100},
    "web.preStopSeconds": FROM_ZERO,
}  # fmt: skip
BY_NAME: Final[dict[str, Schema]] = {
    "resources": RESOURCES, **PLACES, "cidrs": {"type": "array", "items": CIDR}, "ports": PORTS, "clients": NAMES,
    "monitoring": NAMES, "pullPolicy": {"enum": ["Always", "IfNotPresent", "Never"]}, "workSize": SIZE,
    "tmpSize": SIZE, "shmSize": SIZE, "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
}  # fmt: skip


def schema(values: Any, path: str = "") -> Schema:
    """What may stand at this path."""
    if path in SPECIAL:
        return SPECIAL[path]
    name = path.rpartition(".")[2]
    if name in BY_NAME and not (isinstance(values, dict) and name == "monitoring"):
        return BY_NAME[name]
    if isinstance(values, dict):
        return _strict({key: schema(value, f"{path}.{key}".lstrip(".")) for key, value in values.items()})
    if isinstance(values, bool):
        return SWITCH
    return COUNT if isinstance(values, int) else TEXT


def whole_schema() -> str:
    """The file, for Helm 3 and 4."""
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    found = schema(values)
    found["properties"]["global"] = {"type": "object"}  # Helm itself adds it
    document = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart parlance", **found}
    return json.dumps(document, indent=1) + "\n"


def rows() -> Iterator[str]:
    """One row of the table for each value with a comment `# -- …`."""
    where: list[tuple[int, str]] = []
    comment = ""
    for line in (CHART / "values.yaml").read_text("utf-8").splitlines():
        told = re.match(r"\s*# -- (.*)", line)
        key = re.match(r"(\s*)([A-Za-z]+):(.*)", line)
        if told:
            comment = told[1]
        elif key and not line.lstrip().startswith("#"):
            where = [*((deep, name) for deep, name in where if deep < len(key[1])), (len(key[1]), key[2])]
            if comment:
                yield f"| `{'.'.join(name for _, name in where)}` | {comment} | `{key[3].strip() or '…'}` |"
            comment = ""


def whole_readme() -> str:
    """The README with its table."""
    text = (CHART / "README.md").read_text("utf-8")
    table = "\n".join(["| value | meaning | default |", "|---|---|---|", *rows()])
    return f"{text[: text.index(BEGIN)]}{BEGIN}\n\n{table}\n\n{text[text.index(END) :]}"


def main() -> int:
    made = {"values.schema.json": whole_schema(), "README.md": whole_readme()}
    stale = [name for name, text in made.items() if not (CHART / name).exists() or (CHART / name).read_text() != text]
    if "--check" in sys.argv:
        if stale:
            sys.stderr.write(f"{', '.join(stale)} of the chart are not what values.yaml says: `make chart`\n")
        return 1 if stale else 0
    for name, text in made.items():
        (CHART / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
