"""A voice whose provider fails for good: the language's next one speaks the text, in the same job and on one bill."""

from __future__ import annotations

from decimal import Decimal
from threading import Event
from uuid import uuid4

import pytest

from tests.api.calls import check_problem
from tests.api.clouds import HELLO, Clouds, attempts, characters, close_circuits, costs, ended, said_at_once
from tests.fakes.provider import MS_PER_CHARACTER, Fault

SUN_HI = "azure/ko-KR-SunHiNeural"
LONG = " ".join(f"이 문장은 {number}번째이고 모두가 한 목소리로 말해집니다." for number in range(200))


@pytest.mark.parametrize("fault", ["not_let_in", "no_quota"])
def test_the_next_voice_takes_over_a_job_at_the_price_of_its_own(clouds: Clouds, fault: Fault) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.append(fault)
    shown = clouds.spoken(HELLO)
    assert (shown["status"], shown["voice"], shown["engine"]) == ("completed", SUN_HI, "azure")
    assert shown["routing"]["voice"] == SUN_HI
    assert [(one["voice"], one["code"][:9]) for one in shown["routing"]["attempts"]] == [("polly/Seoyeon", "provider_")]
    assert "polly/Seoyeon failed" in shown["routing"]["reasons"][SUN_HI]
    assert (len(clouds.polly.asked), len(clouds.azure.asked)) == (1, 1)
    assert characters(clouds.tenant) - before == len(HELLO)
    assert shown["cost"]["amount"] is not None


def test_a_request_that_waits_hears_the_next_voice_at_the_rate_that_was_promised(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.append("not_let_in")
    answer = said_at_once(clouds)
    assert (answer.status_code, answer.headers["x-parlance-voice"]) == (200, SUN_HI)
    assert len(answer.content) == len(HELLO) * MS_PER_CHARACTER * 16 * 2  # Seoyeon's 16 kHz, not SunHi's 24
    assert characters(clouds.tenant) - before == len(HELLO)


def test_what_may_pass_is_tried_once_more_before_the_next_voices_turn(clouds: Clouds) -> None:
    clouds.polly.faults.extend(["broken", "broken"])
    shown = clouds.spoken(HELLO)
    assert (shown["status"], shown["voice"]) == ("completed", SUN_HI)
    assert attempts(clouds, shown) == ["provider_error", "provider_error", "done"]


def test_a_file_is_spoken_by_one_voice_and_billed_once(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.extend(["half_body", "no_quota"])  # one part breaks off, another ends it
    shown = clouds.spoken(LONG)
    assert (shown["status"], shown["voice"]) == ("completed", SUN_HI)
    assert shown["audio"]["duration_ms"] == pytest.approx(len(LONG) * MS_PER_CHARACTER, abs=2)
    assert shown["progress"]["percent"] == 100
    said = [asked.body.decode() for asked in clouds.azure.asked]
    assert all(f"이 문장은 {number}번째" in "".join(said) for number in (0, 199))
    assert characters(clouds.tenant) - before == len(LONG)
    assert {outcome for outcome in attempts(clouds, shown) if outcome is None} == set()
    assert sum(row[3] for row in costs(clouds, shown) if row[0] == "azure") == len(LONG)


def test_who_waits_for_the_voice_that_failed_goes_on_with_it(clouds: Clouds) -> None:
    body, live = {"text": HELLO, "format": "wav", "reuse": "auto"}, clouds.tenant.live
    clouds.polly.faults.extend(["broken", "broken"])
    clouds.polly.waits_for = released = Event()
    try:
        first, named = (
            live.post("/v1/speech", json=body | wish, headers={"Prefer": "respond-async"}).json()
            for wish in ({}, {"voice": "polly/Seoyeon", "language": "ko"})
        )
    finally:
        released.set()
        clouds.polly.waits_for = None
    assert ended(clouds, first["id"])["voice"] == SUN_HI
    follower = ended(clouds, named["id"])
    assert (follower["status"], follower["voice"], follower["reused_from"]) == ("completed", "polly/Seoyeon", None)


def test_an_order_repeated_in_times_of_trouble_is_the_same_order(clouds: Clouds) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first = said_at_once(clouds, headers=key)
    clouds.polly.faults.append("not_let_in")  # opens its circuit: the default voice is another one now
    check_problem(said_at_once(clouds, voice="polly/Seoyeon"), 422, "provider_credentials_refused")
    again = said_at_once(clouds, headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert again.headers["x-parlance-speech-id"] == first.headers["x-parlance-speech-id"]


def test_when_all_providers_fail_the_last_ones_reason_is_told(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    for fake in (clouds.polly, clouds.azure, clouds.openai):
        fake.faults.extend(["not_let_in"] * 2)
    shown = clouds.spoken(HELLO)
    assert (shown["status"], shown["cost"], characters(clouds.tenant)) == ("failed", None, before)
    assert shown["voice"] != "espeak-ng/ko"  # a robot stands in for nobody
    assert len(shown["routing"]["attempts"]) >= 2


def test_who_names_a_voice_gets_it_or_an_error(clouds: Clouds) -> None:
    clouds.polly.faults.append("not_let_in")
    check_problem(said_at_once(clouds, engine="polly"), 422, "provider_credentials_refused")
    assert clouds.azure.asked == []


def test_a_text_that_is_at_fault_is_sent_to_nobody_else(clouds: Clouds) -> None:
    ssml = "<speak><prosody rate='900%'>안녕하세요</prosody></speak>"
    shown = clouds.spoken(None, ssml=ssml)
    assert (shown["status"], shown["error"]["code"], shown["cost"]) == ("failed", "ssml_invalid", None)
    assert shown["routing"]["others"] != []
    assert clouds.calls() == 1


def test_only_voices_that_can_do_what_was_asked_stand_in(clouds: Clouds) -> None:
    assert SUN_HI in clouds.spoken(HELLO)["routing"]["others"]
    slow = clouds.spoken(HELLO, speed=0.4)["routing"]["others"]  # Azure speaks at half the speed at least
    assert slow == ["openai/coral"]


def test_a_voice_that_took_over_is_no_cached_answer_of_the_other(clouds: Clouds) -> None:
    text = "이 문장은 두 번 합성됩니다."
    clouds.polly.faults.append("no_quota")
    assert clouds.spoken(text, reuse="auto")["voice"] == SUN_HI
    close_circuits(clouds)
    named = clouds.spoken(text, voice="polly/Seoyeon", reuse="auto")
    assert (named["reused_from"], named["voice"]) == (None, "polly/Seoyeon")
    again = clouds.spoken(text, voice=SUN_HI, language="ko", sample_rate_hz=16_000, reuse="auto")
    assert again["reused_from"] is not None
    assert Decimal(again["cost"]["amount"]) < Decimal(named["cost"]["amount"])
