"""Multipart bodies: the good ones, and the many ways to get one wrong. Nothing of a refused file stays."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from stack import Stack, Tenant

from tests.api.calls import Answer, check_problem, ended, raw_request
from tests.api.media import FORM, Part, form, part, tone

PATH = "/v1/transcriptions"
ENGINE = part("engine", b"simulated")
CLIP = tone(200)


def _send(tenant: Tenant, body: bytes, content_type: bytes = FORM) -> Answer:
    return raw_request(tenant.live, "POST", PATH, body=body, headers=[("content-type", content_type)])


def _file(filename: bytes = b"a.wav", *, data: bytes = CLIP, content_type: bytes = b"audio/wav") -> Part:
    return part("file", data, filename=filename, content_type=content_type)


def _incoming(stack: Stack) -> list[Path]:
    """Files of requests not yet taken over, and writes not yet finished."""
    found = [*(stack.home / "objects").rglob("incoming/**/*"), *(stack.home / "objects" / "tmp").iterdir()]
    return [path for path in found if path.is_file()]


def _await_nothing_new(stack: Stack, before: list[Path]) -> None:
    """Jobs of other tests take their files over in their own time; a file that nobody takes over stays."""
    ends_at = time.monotonic() + 20
    while new := set(_incoming(stack)) - set(before):
        assert time.monotonic() < ends_at, new
        time.sleep(0.05)


@pytest.mark.parametrize("content_type", [FORM, b"Multipart/Form-Data; Boundary=" + FORM.partition(b"=")[2]])
def test_it_takes_a_form(alice_http: Tenant, content_type: bytes) -> None:
    accepted = _send(alice_http, form(_file(), ENGINE), content_type)
    assert accepted.status == 202
    assert ended(alice_http.live, accepted.json()["id"])["status"] == "completed"


@pytest.mark.parametrize("name", ["file first", "file last"])
def test_the_order_of_fields_does_not_matter(alice_http: Tenant, name: str) -> None:
    parts = [_file(), ENGINE, part("tags", b"a, b"), part("tags", b"c"), part("metadata", '{"주문":"42"}'.encode())]
    accepted = _send(alice_http, form(*(parts if name == "file first" else reversed(parts)))).json()
    assert sorted(accepted["tags"]) == ["a", "b", "c"]
    assert accepted["metadata"] == {"주문": "42"}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b"../../etc/passwd", "passwd"),
        (b"..\\..\\boot.ini", "boot.ini"),
        (b"a\x00b.wav", "ab.wav"),
        (b"..", ".."),
        ("회의 녹음.wav".encode(), "회의 녹음.wav"),
        (b"\xff\xfe.wav", "\ufffd\ufffd.wav"),
        (b"a" * 1_000, "a" * 255),
    ],
)
def test_a_file_name_is_shown_and_never_used(alice_http: Tenant, sent: bytes, shown: str) -> None:
    accepted = _send(alice_http, form(_file(sent), ENGINE))
    assert accepted.status == 202, accepted.body
    assert accepted.json()["filename"] == shown
    assert ended(alice_http.live, accepted.json()["id"])["status"] == "completed"


def test_a_lying_content_type_changes_nothing(alice_http: Tenant) -> None:
    accepted = _send(alice_http, form(_file(content_type=b"application/x-msdownload"), ENGINE)).json()
    assert ended(alice_http.live, accepted["id"])["status"] == "completed"


def test_an_empty_file_is_refused_with_a_reason(alice_http: Tenant) -> None:
    check_problem(_send(alice_http, form(_file(data=b""), ENGINE)), 422, "media_empty")


MALFORMED = {
    "no boundary": (form(_file()), b"multipart/form-data"),
    "an endless boundary": (form(_file()), b"multipart/form-data; boundary=" + b"x" * 71),
    "another boundary": (form(_file()), b"multipart/form-data; boundary=other"),
    "not form-data": (form(_file()), b"multipart/mixed; boundary=" + FORM.partition(b"=")[2]),
    "no body": (b"", FORM),
    "cut in the headers": (form(_file())[:40], FORM),
    "cut in the file": (form(_file())[:3_000], FORM),
    "cut before the last boundary": (form(_file())[:-30], FORM),
    "a hundred fields": (form(_file(), *(part(f"f{number}", b"x") for number in range(100))), FORM),
    "a header of 9 kB": (form(_file(b"a" * 9_000)), FORM),
    "nonsense": (b"\x00\xff" * 500, FORM),
}


@pytest.mark.parametrize(("body", "content_type"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_is_a_400(stack: Stack, alice_http: Tenant, body: bytes, content_type: bytes) -> None:
    before = _incoming(stack)
    check_problem(_send(alice_http, body, content_type), 400, "invalid_multipart")
    _await_nothing_new(stack, before)


WRONG = {
    "no file": ([ENGINE], "file"),
    "two files": ([_file(), _file()], "file"),
    "a file elsewhere": ([_file(), part("engine", b"x", filename=b"x")], "engine"),
    "the file as text": ([part("file", b"text")], "file"),
    "an unknown field": ([_file(), part("price", b"0")], "price"),
    "a field twice": ([_file(), ENGINE, ENGINE], "engine"),
    "a field of 70 kB": ([_file(), part("metadata", b"x" * 70_000)], "metadata"),
    "a field that is not UTF-8": ([_file(), part("engine", b"\xff\xfe")], "engine"),
    "metadata that is no JSON": ([_file(), part("metadata", b"{")], "metadata"),
    "metadata that is a list": ([_file(), part("metadata", b"[]")], "metadata"),
    "metadata with a name twice": ([_file(), part("metadata", b'{"a":"1","a":"2"}')], "metadata"),
    "metadata nested without end": ([_file(), part("metadata", b"[" * 10_000)], "metadata"),
    "metadata with NUL": ([_file(), part("metadata", b'{"a":"\\u0000"}')], "metadata.a"),
    "half a surrogate": ([_file(), part("metadata", b'{"a":"\\ud800"}')], "metadata.a"),
    "NUL in a field": ([_file(), part("simulate", b"\x00")], "simulate"),
    "a URL too": ([_file(), part("audio_url", b"https://example.com/a")], "audio_url"),
    "an upload too": ([_file(), part("upload_id", b"upl_1")], "upload_id"),
}


@pytest.mark.parametrize(("parts", "field"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_form_names_the_field(stack: Stack, alice_http: Tenant, parts: list[Part], field: str) -> None:
    before = _incoming(stack)
    problem = check_problem(_send(alice_http, form(*parts)), 422, "invalid_request")
    assert field in [error["field"] for error in problem["errors"]]
    _await_nothing_new(stack, before)


def test_other_routes_take_no_form(alice_http: Tenant) -> None:
    headers = [("content-type", FORM)]
    refused = raw_request(alice_http.live, "POST", "/v1/uploads", body=form(_file()), headers=headers)
    check_problem(refused, 400, "invalid_json")
