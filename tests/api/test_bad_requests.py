"""Bodies, paths and methods that make no sense: a clear problem, never a crash, never HTML."""

from __future__ import annotations

import pytest
from stack import Stack, Tenant

from tests.api.calls import Answer, check_problem, raw_request
from tests.api.test_transcriptions import UNKNOWN

UPLOADS, JOBS, HOOKS = "/v1/uploads", "/v1/transcriptions", "/v1/webhook-endpoints"
JSON_HEADERS = [("content-type", b"application/json")]
URL = '"audio_url":"https://example.com/a.wav"'


def _post(tenant: Tenant, path: str, body: bytes) -> Answer:
    return raw_request(tenant.live, "POST", path, body=body, headers=JSON_HEADERS)


UNREADABLE = {
    "garbage": b"{",
    "deep lists": b"[" * 10_000 + b"]" * 10_000,
    "deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "nan": b'{"filename":"a","size_bytes":NaN}',
    "infinity": b'{"filename":"a","size_bytes":-Infinity}',
    "names twice": b'{"filename":"a","filename":"b","size_bytes":5}',
    "half a surrogate as a name": b'{"\\ud800":1}',
    "latin-1": b'{"filename":"\xe9","size_bytes":5}',
    "utf-16": '{"filename":"a","size_bytes":5}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"filename":"a","size_bytes":5}',
    "a number of 5000 digits": b'{"filename":"a","size_bytes":' + b"9" * 5_000 + b"}",
    "control character": b'{"filename":"a\x00","size_bytes":5}',
}


@pytest.mark.parametrize("path", [UPLOADS, JOBS, HOOKS])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_body_that_cannot_be_read_is_a_400(alice_http: Tenant, path: str, body: bytes) -> None:
    check_problem(_post(alice_http, path, body), 400, "invalid_json")


WRONG = [
    (UPLOADS, '{"filename":"a","size_bytes":1e400}', "size_bytes"),
    (UPLOADS, '{"filename":"a","size_bytes":5.5}', "size_bytes"),
    (UPLOADS, '{"filename":"a","size_bytes":"5"}', "size_bytes"),
    (UPLOADS, '{"filename":"a","size_bytes":true}', "size_bytes"),
    (UPLOADS, '{"filename":"a","size_bytes":0}', "size_bytes"),
    (UPLOADS, '{"filename":"a","size_bytes":-1}', "size_bytes"),
    (UPLOADS, '{"filename":"\\ud800","size_bytes":5}', "filename"),
    (UPLOADS, '{"filename":"","size_bytes":5}', "filename"),
    (UPLOADS, '{"filename":"a","size_bytes":5,"content_type":"한글/a"}', "content_type"),
    (UPLOADS, '{"filename":"a","size_bytes":5,"content_type":"a/b\\r\\nX: y"}', "content_type"),
    (UPLOADS, '{"filename":"a","size_bytes":5,"price":1}', "price"),
    (UPLOADS, '{"filename":"a","size_bytes":5,"tenant_id":"x"}', "tenant_id"),
    (UPLOADS, "[]", "body"),
    (JOBS, "null", "body"),
    (JOBS, "{}", "body"),
    (JOBS, '{"audio_url":"https://example.com/a","upload_id":"upl_1"}', "body"),
    (JOBS, '{"audio_url":5}', "audio_url"),
    (JOBS, "{" + URL + ',"status":"completed"}', "status"),
    (JOBS, "{" + URL + ',"cost":"0"}', "cost"),
    (JOBS, "{" + URL + ',"duration_ms":1}', "duration_ms"),
    (JOBS, "{" + URL + ',"livemode":false}', "livemode"),
    (JOBS, "{" + URL + ',"language":"en; DROP"}', "language"),
    (JOBS, "{" + URL + ',"metadata":{"a":{"b":1}}}', "metadata.a"),
    (JOBS, "{" + URL + ',"metadata":{"a":"\\u0000"}}', "metadata.a"),
    (JOBS, "{" + URL + ',"metadata":{"\\u0000":"a"}}', "metadata.\x00.[key]"),
    (JOBS, "{" + URL + ',"simulate":"\\u0000"}', "simulate"),
    (JOBS, "{" + URL + ',"tags":["a\\u0000"]}', "tags.0"),
    (JOBS, "{" + URL + ',"tags":"a"}', "tags"),
    (HOOKS, '{"url":"https://example.com/","event_types":["*"],"description":"\\u0000"}', "description"),
    (HOOKS, '{"url":"https://example.com/","event_types":["*"],"secret":"x"}', "secret"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "field"), WRONG)
def test_a_wrong_field_is_named_with_its_path(alice_http: Tenant, path: str, body: str, field: str) -> None:
    problem = check_problem(_post(alice_http, path, body.encode()), 422, "invalid_request")
    assert field in [error["field"] for error in problem["errors"]]


def test_a_refusal_does_not_repeat_what_was_sent(alice_http: Tenant) -> None:
    canary = "canary-7f3a"
    body = f'{{"filename":["{canary}"],"size_bytes":"{canary}","content_type":"{canary}"}}'
    assert canary.encode() not in _post(alice_http, UPLOADS, body.encode()).body


def test_an_answer_is_not_larger_than_a_request_of_nonsense(alice_http: Tenant) -> None:
    names = b",".join(b'"%d%s":1' % (number, b"k" * 400) for number in range(2_000))
    answer = _post(alice_http, UPLOADS, b"{" + names + b"}")
    problem = check_problem(answer, 422, "invalid_request")
    assert len(problem["errors"]) <= 50
    assert len(answer.body) < 30_000


@pytest.mark.parametrize("path", [UPLOADS, JOBS])
def test_an_empty_body_is_refused(alice_http: Tenant, path: str) -> None:
    assert _post(alice_http, path, b"").status in {400, 422}


@pytest.mark.parametrize("path", [UPLOADS, JOBS, HOOKS])
def test_two_megabytes_of_json_are_refused(alice_http: Tenant, path: str) -> None:
    check_problem(_post(alice_http, path, b'{"filename":"' + b"a" * 2_000_000 + b'"}'), 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", JOBS), ("PATCH", f"{JOBS}/{UNKNOWN}"), ("DELETE", JOBS), ("TRACE", JOBS), ("OPTIONS", JOBS),
        ("GET", f"{JOBS}/{UNKNOWN}/cancel"), ("POST", "/v1/usage"), ("BREW", JOBS),
    ],
)  # fmt: skip
def test_a_wrong_method_is_told_the_right_ones(alice_http: Tenant, method: str, path: str) -> None:
    answer = raw_request(alice_http.live, method, path)
    check_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/", "/nope", "/v1", "/v1/", "/v1/nope", f"{JOBS}/", f"{JOBS}/{UNKNOWN}/", f"/{JOBS}", "/v1//transcriptions",
        f"{JOBS}/{UNKNOWN}/nope", "/v1/%2e%2e/%2e%2e/etc/passwd", "/v1/docs", "/admin", "/static/x",
    ],
)  # fmt: skip
def test_an_unknown_path_is_a_404(alice_http: Tenant, path: str) -> None:
    check_problem(raw_request(alice_http.live, "GET", path), 404, "not_found")


@pytest.mark.parametrize("shown", ["%00", "%ff%fe", "trn_", "upl_01aaaaaaaaaaaaaaaaaaaaaaaa", "%ED%95%9C", "a" * 3_000])
def test_an_id_that_cannot_be_one_is_a_404(alice_http: Tenant, shown: str) -> None:
    check_problem(raw_request(alice_http.live, "GET", f"{JOBS}/{shown}"), 404, "not_found")


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=1e400", "limit=%00", "status=%00", "cursor=%ff"])
def test_a_wrong_parameter_is_a_422(alice_http: Tenant, query: str) -> None:
    check_problem(raw_request(alice_http.live, "GET", f"{JOBS}?{query}"), 422, "invalid_request")


def test_a_request_id_comes_back(alice_http: Tenant) -> None:
    for path, status in ((JOBS, 200), ("/v1/nope", 404)):
        answer = alice_http.live.get(path, headers={"Request-Id": "mine-42"})
        assert (answer.status_code, answer.headers["Request-Id"]) == (status, "mine-42")
    assert answer.json()["request_id"] == "mine-42"
    check_problem(alice_http.live.get("/v1/nope", headers={"Request-Id": "no sense <script>" * 90}), 404, "not_found")
    unmarked = [alice_http.live.get(JOBS).headers["Request-Id"] for _ in range(2)]
    assert len(set(unmarked)) == 2


def test_other_origins_are_told_nothing(alice_http: Tenant) -> None:
    for origin in ("https://evil.example", "null"):
        answer = alice_http.live.get(JOBS, headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.wav", "http://localhost/a.wav", "http://[::1]/a.wav", "http://10.0.0.1/a.wav",
        "http://169.254.169.254/latest/meta-data/", "http://192.168.1.1/a", "http://[::ffff:127.0.0.1]/a",
        "http://2130706433/a", "http://0x7f.1/a", "http://127.1/a", "http://0/a",
        "file:///etc/passwd", "ftp://example.com/a", "gopher://example.com/", "data:audio/wav;base64,AAAA",
        "https://user:secret@example.com/a.wav", "https://example.com:22/a", "//example.com/a", "not a url", "",
        "https://example.com/a\nb", "https://exa\u3002mple.com/a", "http://[fe80::1%25eth0]/a",
    ],
)  # fmt: skip
def test_an_address_that_we_may_not_call_is_refused_at_once(alice_http: Tenant, url: str) -> None:
    refused = alice_http.live.post(JOBS, json={"audio_url": url, "engine": "simulated"})
    problem = check_problem(refused, 422, "url_blocked")
    assert "secret" not in problem["detail"]


def test_the_port_beside_the_allowed_one_is_refused(stack: Stack, alice_http: Tenant) -> None:
    refused = alice_http.live.post(JOBS, json={"audio_url": f"{stack.url}/openapi.json", "engine": "simulated"})
    check_problem(refused, 422, "url_blocked")
