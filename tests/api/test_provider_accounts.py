"""A running stack with a provider: whose account a job goes on, and that none goes out with `local_only`.

Web, worker and scheduler write down every connect and look-up of a name. Their children, which decode and hear, cannot:
their environment is clean. The kernel is asked about these instead, whether it lets them open a socket at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from stack import Stack, Tenant
from told import check_told

from tests.api.calls import ended, upload
from tests.fakes.openai import FakeOpenAi

RECORDER = Path(__file__).parents[1] / "fakes" / "recorder"
ROLES = {"workers.web", "workers.worker", "workers.scheduler"}
CHILDREN = {"speech.audio.decoder_process", "speech.engines.pocketsphinx_process"}
CONFINED = "Seccomp:\t2"  # under a filter: of ours, which refuses sockets (see test_sandbox)


@dataclass(frozen=True)
class Watched:
    """A stack with a provider set up, and what its processes have connected to."""

    stack: Stack
    tenant: Tenant
    openai: FakeOpenAi
    folder: Path

    def outside(self) -> list[str]:
        """Every connect of every process but those to the stack's own port, which the supervisor looks at."""
        lines = [line for path in self.folder.iterdir() for line in path.read_text().splitlines()[1:]]
        return [line for line in lines if not line.endswith(f" {self.stack.port}")]

    def roles(self) -> set[str]:
        """The processes that are watched."""
        commands = [path.read_text().partition("\n")[0] for path in self.folder.iterdir()]
        return {role for role in ROLES if any(role in command for command in commands)}

    def children(self) -> dict[str, bool]:
        """What the processes have started that is still there, and whether it is confined."""
        found: dict[str, bool] = {}
        for name in (child for path in self.folder.iterdir() for child in _children(path.stem)):
            command = Path(f"/proc/{name}/cmdline").read_text().split("\0")
            module = next((part for part in command if part in CHILDREN), "")
            if module:
                found[module] = found.get(module, True) and CONFINED in Path(f"/proc/{name}/status").read_text()
        return found


def transcribe(tenant: Tenant, data: bytes, **routing: Any) -> Any:
    """A job at its end, whose engine nobody names."""
    body = {"upload_id": upload(tenant.live, data), "language": "en", "routing": routing}
    accepted = tenant.live.post("/v1/transcriptions", json=body)
    assert accepted.status_code == 202, accepted.text
    return ended(tenant.live, accepted.json()["id"])


def _children(pid: str) -> list[str]:
    return [child for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("connects")
    folder.chmod(0o755)
    records = folder / "records"
    records.mkdir()
    records.chmod(0o777)
    openai = FakeOpenAi()
    path = os.pathsep.join([str(RECORDER), *filter(None, [os.environ.get("PYTHONPATH")])])
    stack = Stack(folder / "home", environ={
        "PYTHONPATH": path, "RECORDED_CONNECTS": str(records), "PARLANCE_OPENAI_API_KEY": openai.KEY,
        "PARLANCE_OPENAI_BASE_URL": f"{openai.url}/v1", "PARLANCE_CATALOGUE_S": "1",
    })  # fmt: skip
    stack.start()
    yield Watched(stack, stack.tenant("alice"), openai, records)
    stack.stop()
    openai.close()


def test_local_only_makes_no_outside_connect(watched: Watched, clip: bytes) -> None:
    assert watched.roles() == ROLES
    before, asked = watched.outside(), len(watched.openai.asked)
    done = transcribe(watched.tenant, clip, local_only=True)
    assert (done["status"], done["engine"]) == ("completed", "pocketsphinx"), json.dumps(done)
    assert done["routing"]["reasons"]["openai"] == "local_only: it would send what is yours to a provider"
    assert watched.outside() == before
    assert len(watched.openai.asked) == asked
    assert watched.children() == dict.fromkeys(CHILDREN, True)
    # The same job without it goes out, and that is seen: the count above is none because nobody connected.
    done = transcribe(watched.tenant, clip)
    assert (done["status"], done["engine"]) == ("completed", "openai"), json.dumps(done)
    port = watched.openai.url.rpartition(":")[2]
    assert f"127.0.0.1 {port}" in watched.outside()


def test_a_job_on_own_credentials_is_billed_as_one_and_their_failure_is_their_tenants_alone(
    watched: Watched, clip: bytes
) -> None:
    bob = watched.stack.tenant("bob")
    brought = bob.live.post("/v1/provider-credentials", json={"provider": "openai", "secret": watched.openai.KEY})
    assert brought.status_code == 201, brought.text
    done = transcribe(bob, clip)
    assert (done["engine"], done["routing"]["own"]) == ("openai", ["openai"]), json.dumps(done)
    assert modes(bob) == [("openai", "byok")]

    watched.openai.faults.append("not_let_in")
    done = transcribe(bob, clip, fallbacks=0)
    assert (done["status"], done["error"]["code"]) == ("failed", "provider_credentials_refused")
    asked = len(watched.openai.asked)
    assert transcribe(bob, clip)["engine"] == "pocketsphinx"  # nobody is called at an open circuit
    assert len(watched.openai.asked) == asked
    assert transcribe(watched.tenant, clip)["engine"] == "openai"
    states = httpx.get(watched.stack.metrics_urls[2]).text
    assert 'parlance_circuit_state{operation="transcribe",provider="openai",region="global"} 0.0' in states
    told = [event for event in bob.live.get("/v1/events").json()["data"] if event["type"].startswith("provider_cred")]
    assert [(one["type"], check_told(one).data.id) for one in told] == [
        ("provider_credential.failing", brought.json()["id"])
    ]


def modes(tenant: Tenant) -> list[tuple[str, str]]:
    """Engine and mode of what was billed."""
    return [(line["engine"], line["mode"]) for line in tenant.live.get("/v1/usage").json()["data"]]
