"""Signed URLs: every parameter is bound, nothing else is accepted."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.signing import Grant, SignatureInvalid, UrlExpired, UrlSigner

NOW_S = 1_000_000.0
SIGNER = UrlSigner([b"k" * 32], clock=lambda: NOW_S)
GRANT = Grant("PUT", "t/a", int(NOW_S) + 60, size_bytes=5, content_type="audio/wav", sha256_hex="ab" * 32)


def query_of(grant: Grant, *, signer: UrlSigner = SIGNER) -> str:
    return signer.sign(grant).partition("?")[2]


def test_a_signed_url_gives_back_what_was_granted() -> None:
    named = Grant("GET", "t/a", int(NOW_S) + 60, filename="회의 & 1.txt")
    for grant in (GRANT, named):
        assert SIGNER.verify("t/a", query=query_of(grant)) == grant


@pytest.mark.parametrize("name", ["exp", "method", "len", "ct", "sha256", "sig"])
def test_each_parameter_is_bound(name: str) -> None:
    params = dict(parse_qsl(query_of(GRANT)))
    other = {"exp": "9999999999", "method": "GET", "len": "6", "ct": "text/html", "sha256": "cd" * 32, "sig": "A" * 43}
    for changed in (params | {name: other[name]}, {key: value for key, value in params.items() if key != name}):
        with pytest.raises(SignatureInvalid):
            SIGNER.verify("t/a", query=urlencode(changed))


@pytest.mark.parametrize("extra", ["&len=5", "&exp=1", "&name=x", "&other=1", "&sig=x", "&&", "&name=%ff"])
def test_nothing_can_be_added(extra: str) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.verify("t/a", query=query_of(GRANT) + extra)


def test_another_key_is_refused() -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.verify("t/b", query=query_of(GRANT))


def test_it_ends_at_its_time() -> None:
    for expires_at_s in (int(NOW_S), int(NOW_S) - 1):
        with pytest.raises(UrlExpired):
            SIGNER.verify("t/a", query=query_of(replace(GRANT, expires_at_s=expires_at_s)))


def test_an_older_secret_still_verifies_and_no_longer_signs() -> None:
    both = UrlSigner([b"n" * 32, b"k" * 32], clock=lambda: NOW_S)
    assert both.verify("t/a", query=query_of(GRANT)) == GRANT
    with pytest.raises(SignatureInvalid):
        SIGNER.verify("t/a", query=query_of(GRANT, signer=both))


@pytest.mark.parametrize("secrets", [[], [b"short"], [b"k" * 32, b""]])
def test_a_weak_secret_is_refused(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        UrlSigner(secrets)


text = st.text(min_size=1, max_size=20)
grants = st.builds(
    Grant,
    method=st.sampled_from(["GET", "PUT"]),
    key=st.just("t/a"),
    expires_at_s=st.integers(int(NOW_S) + 1, int(NOW_S) + 99),
    size_bytes=st.none() | st.integers(0, 2**50),
    content_type=st.none() | text,
    sha256_hex=st.none() | st.just("ab" * 32),
    filename=st.none() | text,
)


@given(one=grants, other=grants)
def test_no_two_grants_share_a_signature(one: Grant, other: Grant) -> None:
    signatures = [dict(parse_qsl(query_of(grant)))["sig"] for grant in (one, other)]
    assert (signatures[0] == signatures[1]) == (one == other)
    assert SIGNER.verify("t/a", query=query_of(one)) == one


@given(st.text(max_size=60))
def test_junk_is_refused(query: str) -> None:
    with pytest.raises(SignatureInvalid):
        SIGNER.verify("t/a", query=query)
