"""What is refused from the text of a URL alone, and how the refusal reads."""

from __future__ import annotations

import pytest

from egress.facade import Policy, UrlBlocked, check_url, operator, untrusted
from tests.egress.fakes import Resolver


def rule_of(url: str, *, policy: Policy | None = None) -> str:
    with pytest.raises(UrlBlocked) as refusal:
        check_url(url, policy or untrusted())
    assert refusal.value.code == "url_blocked"
    assert not refusal.value.retryable
    return refusal.value.rule


def test_it_accepts_a_plain_public_url() -> None:
    target = check_url("https://Hooks.Example.com:8443/in?a=1#part", untrusted())
    assert (target.host, target.port, target.path) == ("hooks.example.com", 8443, "/in?a=1")


def test_it_encodes_a_korean_path_and_keeps_what_is_encoded() -> None:
    target = check_url("https://cdn.example.kr/음성.mp3?이름=%EA%B0%80", untrusted())
    assert target.path == "/%EC%9D%8C%EC%84%B1.mp3?%EC%9D%B4%EB%A6%84=%EA%B0%80"


@pytest.mark.parametrize("scheme", ["file", "gopher", "ftp", "data", "dict", "unix", "javascript", ""])
def test_it_refuses_other_schemes(scheme: str) -> None:
    assert rule_of(f"{scheme}://example.com/") == "scheme"


def test_it_takes_plain_http_in_development_only() -> None:
    assert rule_of("http://example.com/") == "scheme"
    assert check_url("http://example.com/", untrusted(development=True)).port == 80


@pytest.mark.parametrize("port", [0, 22, 25, 6379, 5432, 8081])
def test_it_refuses_other_ports(port: int) -> None:
    assert rule_of(f"https://example.com:{port}/") == "port"


@pytest.mark.parametrize("url", ["https://a:b@example.com/", "https://a@example.com/", "https://@example.com/"])
def test_it_refuses_credentials_in_the_url(url: str) -> None:
    assert rule_of(url) == "userinfo"


@pytest.mark.parametrize(
    "url",
    ["https://exa mple.com/", "https://example.com/\r\nX: y", "https://a\\@b.com/", "https://[::1/", "https://a.b:x/"],
)
def test_it_refuses_urls_that_readers_understand_differently(url: str) -> None:
    assert rule_of(url) == "syntax"


def test_it_refuses_a_url_over_2048_characters() -> None:
    stem = "https://example.com/"
    assert check_url(stem + "a" * (2048 - len(stem)), policy=untrusted())
    assert rule_of(stem + "a" * (2049 - len(stem))) == "length"


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f.1", "0x7f000001", "127.1", "0", "0177.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "ⓛocalhost.kr",
     "한국.kr", "a..b.com", "-a.com", "example.com.", "[fe80::1%25eth0]", "[::1%1]", ""],
)  # fmt: skip
def test_it_refuses_tricky_spellings_of_hosts(host: str) -> None:
    assert rule_of(f"https://{host}/") in {"host", "syntax"}


@pytest.mark.parametrize("host", ["localhost", "redis", "127.0.0.1", "[::ffff:7f00:1]", "[::1]", "169.254.169.254"])
def test_it_refuses_private_hosts_before_any_look_up(host: str) -> None:
    assert rule_of(f"https://{host}/") == "address"


def test_it_checks_where_a_name_leads_when_asked() -> None:
    policy = untrusted()
    assert check_url("https://a.example.com/", policy, resolve=True, resolver=Resolver(["8.8.8.8"]))
    with pytest.raises(UrlBlocked) as private:
        check_url("https://a.example.com/", policy, resolve=True, resolver=Resolver(["8.8.8.8", "10.0.0.5"]))
    with pytest.raises(UrlBlocked) as unknown:
        check_url("https://a.example.com/", policy, resolve=True, resolver=Resolver([]))
    assert str(private.value) == str(unknown.value)  # otherwise the text would map the internal network


def test_an_exact_pair_opens_one_port_of_one_host() -> None:
    policy = untrusted(allow={"127.0.0.1:8765"}, development=True)
    assert check_url("http://127.0.0.1:8765/", policy)
    assert rule_of("http://127.0.0.1:8766/", policy=policy) == "port"
    assert rule_of("http://127.0.0.1:8080/", policy=policy) == "address"


def test_an_exact_pair_is_refused_outside_development() -> None:
    with pytest.raises(ValueError, match="development only"):
        untrusted(allow={"127.0.0.1:8765"})


def test_a_network_of_the_operator_opens_its_addresses_and_no_other_port() -> None:
    policy = untrusted(allow={"10.2.0.0/16"})
    assert check_url("https://10.2.3.4/", policy)
    assert rule_of("https://10.3.0.1/", policy=policy) == "address"
    assert rule_of("https://10.2.3.4:6379/", policy=policy) == "port"


def test_an_operator_policy_takes_its_exact_origins_only() -> None:
    policy = operator({"https://api.example.com", "http://10.0.0.5:9000"})
    assert check_url("https://api.example.com/v1", policy)
    assert check_url("http://10.0.0.5:9000/bucket", policy)
    for url in ("http://api.example.com/", "https://api.example.com:8443/", "https://10.0.0.5:9000/", "https://b.com/"):
        assert rule_of(url, policy=policy) == "origin"


@pytest.mark.parametrize("entry", ["https://a.com/path", "a.com", "https://u@a.com", "ftp://a.com"])
def test_an_operator_origin_with_more_or_less_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="egress origin"):
        operator({entry})


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "host", "host:0", "host:99999"])
def test_a_wrong_allow_entry_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"egress allow|host name"):
        untrusted(allow={entry}, development=True)
