"""Results copied into tenants' own buckets: a running stack, and AWS on loopback that asks for external ids."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from stack import Stack, Tenant
from told import check_told

from egress.facade import connect_count
from speech.destinations import writing
from speech.destinations.contracts import Place
from speech.destinations.errors import DestinationError
from tests.api.calls import check_problem, transcribe, usage, without_id
from tests.fakes.aws import FakeAws
from tests.fakes.moto import moto

UNKNOWN = "dst_01aaaaaaaaaaaaaaaaaaaaaaaa"
TEXT = "these words go into a bucket"


@dataclass(frozen=True)
class Cloud:
    """A running stack that may call the fake AWS, and a tenant of it."""

    stack: Stack
    tenant: Tenant
    aws: FakeAws

    def registered(self, *, tenant: Tenant | None = None, prefix: str = "out/", trusted: bool = True) -> Any:
        """A new bucket and a role that trusts us, as a destination that is not verified yet."""
        bucket, role = f"bucket-{uuid.uuid4()}", f"arn:aws:iam::123456789012:role/{uuid.uuid4()}"
        self.aws.s3.create_bucket(Bucket=bucket)
        body = {"bucket": bucket, "prefix": prefix, "region": "us-east-1", "role_arn": role}
        made = (tenant or self.tenant).live.post("/v1/destinations", json=body | {"endpoint_url": self.aws.url})
        assert made.status_code == 201, made.text
        if trusted:
            self.aws.trusts[role] = made.json()["external_id"]
        return made.json()

    def verified(self, **fields: Any) -> Any:
        made = self.registered(**fields)
        answer = (fields.get("tenant") or self.tenant).live.post(f"/v1/destinations/{made['id']}/verify")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def spoken(self, destination: Any, text: str = TEXT, **fields: Any) -> Any:
        """The id of a speech job whose file is to be copied."""
        body = {"text": text, "engine": "simulated", "format": "wav", "destination_id": destination["id"]} | fields
        made = self.tenant.live.post("/v1/speech", json=body, headers={"Prefer": "respond-async"})
        assert made.status_code == 202, made.text
        return made.json()["id"]

    def copied(self, path: str) -> Any:
        """The job once its copy has ended."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            shown = self.tenant.live.get(path).json()
            if shown["destination"]["status"] != "pending":
                # Job and request are two rows, read one after the other: this job may have been read before its end.
                return self.tenant.live.get(path).json()
            time.sleep(0.05)  # the copy comes after the job's end, which is all that can be waited for
        raise AssertionError("still pending")

    def events(self, job_id: str, *, count: int) -> list[str]:
        """The types of a job's events, once so many have their place in the order of all."""
        told: list[str] = []
        after, until = 0, time.monotonic() + 60
        while len(told) < count and time.monotonic() < until:
            page = self.tenant.live.get("/v1/events", params={"after": after, "limit": 100}).json()
            told += [check_told(event).type for event in page["data"] if event["data"].get("id") == job_id]
            after = page["next_after"] or after
        return told


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("destinations") / "home"
    with moto() as moto_url:
        aws = FakeAws(moto_url)
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
        stack = Stack(home, environ={"PARLANCE_DESTINATION_ENDPOINTS": aws.url, **keys})
        stack.start()
        yield Cloud(stack, stack.tenant("alice"), aws)
        stack.stop()
        aws.close()


def test_a_bucket_is_verified_before_it_is_used(cloud: Cloud) -> None:
    made = cloud.registered(trusted=False)
    assert (made["status"], made["verified_at"]) == ("unverified", None)
    body = {"text": TEXT, "destination_id": made["id"]}
    check_problem(cloud.tenant.live.post("/v1/speech", json=body), 409, "destination_unverified")
    verify = f"/v1/destinations/{made['id']}/verify"
    refused = check_problem(cloud.tenant.live.post(verify), 409, "destination_refused")
    assert "secret" not in str(refused)
    cloud.aws.trusts[made["role_arn"]] = made["external_id"]
    assert cloud.tenant.live.post(verify).json()["status"] == "verified"
    [told] = cloud.tenant.live.get(
        "/v1/audit-log", params={"action": "destination.verified", "subject": made["id"]}
    ).json()["data"]
    assert (told["before"]["verified"], told["after"]["verified"]) == (False, True)
    assert cloud.aws.keys(made["bucket"]) == []  # what was written was deleted
    assert cloud.aws.written[-1].startswith(f"/{made['bucket']}/out/parlance-verification-dst_")
    resource = cloud.aws.policies[-1]["Statement"][0]["Resource"]
    assert resource == f"arn:aws:s3:::{made['bucket']}/out/*"


def test_a_role_that_lets_anybody_in_is_not_taken(cloud: Cloud) -> None:
    made = cloud.registered()
    cloud.aws.trusts[made["role_arn"]] = ""
    check_problem(
        cloud.tenant.live.post(f"/v1/destinations/{made['id']}/verify"), 409, "destination_role_open"
    )  # somebody else could have named it


def test_a_speech_is_copied_once_under_its_own_name(cloud: Cloud) -> None:
    destination = cloud.verified()
    job_id = cloud.spoken(destination)
    shown = cloud.copied(f"/v1/speech/{job_id}")
    key = f"out/{job_id}.wav"
    assert shown["destination"] == {"id": destination["id"], "status": "copied", "key": key, "error": None}
    assert cloud.aws.keys(destination["bucket"]) == [key]
    data, content_type = cloud.aws.read(destination["bucket"], key)
    assert (data, content_type) == (cloud.tenant.live.get(f"/v1/speech/{job_id}/audio").content, "audio/wav")
    assert cloud.events(job_id, count=2) == ["speech.completed", "destination.copied"]


def test_an_answer_at_once_and_one_from_the_cache_are_copied_too(cloud: Cloud) -> None:
    destination = cloud.verified(prefix="")
    body = {"text": "at once, and again", "engine": "simulated", "destination_id": destination["id"]}
    answers = [cloud.tenant.live.post("/v1/speech", json=body) for _ in range(2)]
    assert [answer.headers["x-parlance-cache"] for answer in answers] == ["miss", "hit"]
    ids = [answer.headers["x-parlance-speech-id"] for answer in answers]
    assert [cloud.copied(f"/v1/speech/{each}")["destination"]["key"] for each in ids] == [f"{each}.mp3" for each in ids]
    assert sorted(cloud.aws.keys(destination["bucket"])) == sorted(f"{each}.mp3" for each in ids)


def test_a_transcript_is_copied_as_json(cloud: Cloud, clip: bytes) -> None:
    destination = cloud.verified()
    made = transcribe(cloud.tenant.live, clip, engine="simulated", destination_id=destination["id"])
    shown = cloud.copied(f"/v1/transcriptions/{made['id']}")
    data, content_type = cloud.aws.read(destination["bucket"], f"out/{made['id']}.json")
    assert content_type == "application/json"
    assert json.loads(data) == cloud.tenant.live.get(f"/v1/transcriptions/{made['id']}/transcript").json()
    assert shown["destination"]["status"] == "copied"


def test_a_long_file_goes_in_parts(cloud: Cloud) -> None:
    destination = cloud.verified()
    job_id = cloud.spoken(destination, "Many words make a long file. " * 200)
    shown = cloud.copied(f"/v1/speech/{job_id}")
    data, _ = cloud.aws.read(destination["bucket"], shown["destination"]["key"])
    assert len(data) == shown["audio"]["size_bytes"] > writing.PART_BYTES


def test_what_passes_is_tried_again(cloud: Cloud) -> None:
    destination = cloud.verified()
    cloud.aws.faults.extend([(503, "SlowDown")] * 2)  # boto3 itself tries twice
    shown = cloud.copied(f"/v1/speech/{cloud.spoken(destination, 'try this again')}")
    assert shown["destination"]["status"] == "copied"
    assert cloud.aws.keys(destination["bucket"]) == [shown["destination"]["key"]]


def test_what_does_not_pass_is_told_and_the_job_is_done_all_the_same(cloud: Cloud) -> None:
    destination = cloud.verified()
    cloud.aws.s3.delete_bucket(Bucket=destination["bucket"])
    job_id = cloud.spoken(destination, "a bucket that is gone")
    shown = cloud.copied(f"/v1/speech/{job_id}")
    assert (shown["status"], shown["cost"] is not None, shown["error"]) == ("completed", True, None)
    told = shown["destination"]
    assert (told["status"], told["error"]["code"]) == ("failed", "destination_bucket_missing")
    assert cloud.events(job_id, count=2) == ["speech.completed", "destination.failed"]


def test_a_destination_that_was_deleted_gets_nothing_more(cloud: Cloud) -> None:
    destination = cloud.verified()
    job_id = cloud.spoken(destination, "too late for this", simulate="slow:1500")
    assert cloud.tenant.live.delete(f"/v1/destinations/{destination['id']}").json()["deleted"] is True
    assert cloud.copied(f"/v1/speech/{job_id}")["destination"]["error"]["code"] == "destination_deleted"
    assert cloud.aws.keys(destination["bucket"]) == []


def test_a_job_that_fails_copies_nothing(cloud: Cloud) -> None:
    destination = cloud.verified()
    before = usage(cloud.tenant.live)
    shown = cloud.copied(f"/v1/speech/{cloud.spoken(destination, 'no result', simulate='permanent_error')}")
    assert (shown["status"], shown["destination"]["status"]) == ("failed", "canceled")
    assert (cloud.aws.keys(destination["bucket"]), usage(cloud.tenant.live)) == ([], before)


def test_charlie_can_neither_see_nor_name_what_is_alices(cloud: Cloud) -> None:
    charlie, destination = cloud.stack.tenant("charlie"), cloud.verified()
    for client in (charlie.live, cloud.tenant.test):  # nor her own test key
        for method, route in (("GET", ""), ("POST", "/verify"), ("DELETE", "")):
            seen = client.request(method, f"/v1/destinations/{destination['id']}{route}")
            assert without_id(seen) == without_id(client.request(method, f"/v1/destinations/{UNKNOWN}{route}"))
            check_problem(seen, 404, "not_found")
        assert client.get("/v1/destinations").json()["data"] == []
        named = client.post("/v1/speech", json={"text": TEXT, "destination_id": destination["id"]})
        unknown = client.post("/v1/speech", json={"text": TEXT, "destination_id": UNKNOWN})
        assert without_id(named) == without_id(unknown)
        check_problem(named, 404, "not_found")
    other = cloud.registered(tenant=charlie)
    assert other["external_id"] != destination["external_id"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("bucket", "a..b", "invalid_request"),
        ("bucket", "192.168.0.1", "invalid_request"),
        ("bucket", "Upper", "invalid_request"),
        ("prefix", "/x", "invalid_request"),
        ("prefix", "a/../b", "invalid_request"),
        ("region", "us-east-1.evil.example/", "invalid_request"),
        ("role_arn", "arn:aws:iam::1:role/x", "invalid_request"),
        ("endpoint_url", "http://169.254.169.254", "endpoint_not_allowed"),
    ],
)
def test_what_cannot_be_a_destination_is_refused(cloud: Cloud, field: str, value: str, code: str) -> None:
    body = {"bucket": "mine-alone", "region": "us-east-1", "role_arn": "arn:aws:iam::123456789012:role/x"}
    check_problem(cloud.tenant.live.post("/v1/destinations", json=body | {field: value}), 422, code)


def test_every_call_goes_through_egress(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def dialled(*_: object) -> None:
        raise AssertionError("boto3 dialled by itself")

    keys = SimpleNamespace(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_SESSION_TOKEN="")
    monkeypatch.setattr("speech.destinations.aws.settings", keys)
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", dialled)
    cloud.aws.trusts["arn:aws:iam::123456789012:role/own"] = "ours"
    place = Place("some-bucket", "", "us-east-1", cloud.aws.url, "arn:aws:iam::123456789012:role/own", "ours")
    before = connect_count()
    with pytest.raises(DestinationError, match="destination_bucket_missing"):
        writing.verify(place, probe_key="probe")
    assert connect_count() == before + 3  # the role refused, the role taken on, the bucket
