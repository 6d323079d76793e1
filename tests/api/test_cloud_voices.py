"""Providers' voices over HTTP: a running stack that is set up with all of them, each a strict fake on loopback."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import av
import numpy as np
import psycopg
import pytest

from apikit import ids
from tests.api.calls import check_problem, usage
from tests.api.clouds import (
    HELLO,
    Clouds,
    attempts,
    await_default,
    characters,
    close_circuits,
    costs,
    said_at_once,
)
from tests.fakes.provider import MS_PER_CHARACTER, Asked, Fault, speech
from workers.embedded.home import Home

ORDER = {"text": HELLO, "format": "wav", "reuse": "never"}
ASYNC = {"Prefer": "respond-async"}


def length_ms(data: bytes) -> int:
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        return sum(frame.samples for frame in container.decode(stream)) * 1000 // stream.rate


def test_korean_is_spoken_by_seoyeon_unless_another_is_named(clouds: Clouds) -> None:
    shown = clouds.spoken(HELLO, format="mp3")
    answer = clouds.audio(shown)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert length_ms(answer.content) == pytest.approx(len(HELLO) * MS_PER_CHARACTER, abs=100)
    asked = clouds.polly.asked[0].json()
    assert (asked["Engine"], asked["OutputFormat"], asked["Text"]) == ("neural", "pcm", HELLO)
    assert (shown["voice"], shown["quality"], shown["language"]) == ("polly/Seoyeon", "production", "ko")
    assert Decimal(shown["cost"]["amount"]) == Decimal(16 * len(HELLO)) / 1_000_000


@pytest.mark.parametrize(("voice", "provider"), [("azure/ko-KR-SunHiNeural", "azure"), ("openai/coral", "openai")])
def test_a_voice_that_is_named_speaks(clouds: Clouds, voice: str, provider: str) -> None:
    shown = clouds.spoken(HELLO, voice=voice, format="pcm")
    assert clouds.audio(shown).content[200:-200] == speech(HELLO, rate_hz=24_000)[200:-200]  # its ends are faded
    assert (shown["engine"], shown["language"].partition("-")[0], shown["sample_rate_hz"]) == (provider, "ko", 24_000)
    assert (clouds.calls(), len(getattr(clouds, provider).asked)) == (1, 1)


def test_long_text_is_cut_to_what_the_provider_takes_and_joined(clouds: Clouds) -> None:
    text = " ".join(f"이 문장은 아주 많은 문장들 가운데 {number}번째입니다." for number in range(300))  # each its own
    done = clouds.spoken(text)
    parts = [asked.json()["Text"] for asked in clouds.polly.asked]
    assert len(parts) > 1
    assert all(len(part) <= 3_000 for part in parts)
    assert "".join(_in_order(text, parts)) == text
    assert done["audio"]["duration_ms"] == pytest.approx(len(text) * MS_PER_CHARACTER, abs=2)


@pytest.mark.parametrize(
    ("voice", "letters", "most"),
    [("azure/zh-CN-XiaoxiaoNeural", "漢字", 500), ("openai/coral", "안녕", 666)],
)
def test_text_is_cut_by_the_providers_own_count(clouds: Clouds, voice: str, letters: str, most: int) -> None:
    text = letters * 450
    assert clouds.spoken(text, voice=voice)["status"] == "completed"
    parts = [_sent(asked) for fake in (clouds.azure, clouds.openai) for asked in fake.asked]
    assert sorted(map(len, parts)) == sorted([most, 900 - most])
    assert "".join(parts) == text


def _sent(asked: Asked) -> str:
    """The text within a request to Azure or OpenAI."""
    is_ssml = asked.body.startswith(b"<")
    return "".join(ElementTree.fromstring(asked.body).itertext()) if is_ssml else asked.json()["input"]


def test_ssml_too_long_by_the_providers_count_is_refused(clouds: Clouds) -> None:
    ssml = f"<speak>{'漢' * 600}</speak>"
    answer = clouds.tenant.live.post("/v1/speech", json={"ssml": ssml, "voice": "azure/zh-CN-XiaoxiaoNeural"})
    assert "1000 characters" in check_problem(answer, 422, "ssml_too_long")["detail"]
    assert clouds.calls() == 0


def test_where_parts_meet_there_is_neither_a_click_nor_a_gap(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds.polly, "hums", True)
    text = " ".join(f"이 문장은 {number}번째입니다." for number in range(400))
    data = clouds.audio(clouds.spoken(text, format="flac")).content
    assert len(clouds.polly.asked) > 1
    with av.open(io.BytesIO(data)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(int)
    assert len(samples) == len(text) * MS_PER_CHARACTER * 16  # the sum of the parts
    assert np.abs(np.diff(samples)).max() < 1_100  # the tone's own steepest step and the ramp's: no click
    loud = np.flatnonzero(np.abs(samples) > 1_000)
    assert np.diff(loud).max() < 16 * 2  # nowhere quiet for two milliseconds


def test_what_a_provider_counts_is_kept_as_its_cost(clouds: Clouds) -> None:
    clouds.polly.faults.append("half_body")  # counted, and to be paid for, although nothing came of it
    polly = clouds.spoken(HELLO, timings="word", voice="polly/Seoyeon")
    azure = clouds.spoken("漢字とかな", voice="azure/ja-JP-NanamiNeural")
    paid = Decimal(16 * len(HELLO)) / 1_000_000
    assert costs(clouds, polly) == [  # the times cost again
        ("polly", "neural", 1, len(HELLO), paid), ("polly", "neural", 2, 2 * len(HELLO), 2 * paid),
    ]  # fmt: skip
    assert costs(clouds, azure) == [("azure", "neural", 1, 7, 0)]  # Han counts twice
    assert attempts(clouds, polly) == ["provider_connection_lost", "done"]


def test_times_of_words_are_a_second_call_that_is_billed_as_one(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    done = clouds.spoken(HELLO, timings="word", speed=2, voice="polly/Seoyeon")
    told = clouds.tenant.live.get(f"/v1/speech/{done['id']}/timings").json()["data"]
    assert [(row["text"], row["start_ms"]) for row in told] == [
        ("안녕하세요,", 0),
        ("만나서", 70),
        ("반갑습니다.", 110),
    ]
    assert [asked.json()["OutputFormat"] for asked in clouds.polly.asked] == ["pcm", "json"]
    assert characters(clouds.tenant) - before == 2 * len(HELLO)
    refused = check_problem(
        clouds.tenant.live.post("/v1/speech", json={"text": HELLO, "timings": "word", "voice": "openai/alloy"}),
        422, "timings_unsupported",
    )  # fmt: skip
    assert "polly, polly-standard, espeak-ng, simulated" in refused["detail"]


def test_the_same_asked_at_once_is_one_call(clouds: Clouds) -> None:
    text = "이 문장은 한 번만 합성됩니다."
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: clouds.spoken(text, reuse="auto"), range(4)))
    assert len(clouds.polly.asked) == 1
    assert len({clouds.audio(each).content for each in done}) == 1
    costs = sorted(Decimal(each["cost"]["amount"]) for each in done)
    assert costs == [costs[-1] / 4] * 3 + [costs[-1]]


@pytest.mark.parametrize("fault", ["throttled", "half_body"])
def test_what_passes_is_tried_again_and_billed_once(clouds: Clouds, fault: Fault) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.append(fault)
    assert clouds.spoken(HELLO)["status"] == "completed"
    assert len(clouds.polly.asked) == 2
    assert characters(clouds.tenant) - before == len(HELLO)


def test_what_a_provider_refuses_is_an_answer_and_no_broken_stream(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.append("not_let_in")
    check_problem(said_at_once(clouds, voice="polly/Seoyeon"), 422, "provider_credentials_refused")
    assert characters(clouds.tenant) == before


def test_what_may_pass_is_spoken_by_a_worker_in_the_same_answer(clouds: Clouds) -> None:
    before = characters(clouds.tenant)
    clouds.polly.faults.append("throttled")
    answer = said_at_once(clouds)
    assert answer.content[200:-200] == speech(HELLO, rate_hz=16_000)[200:-200]
    assert (len(clouds.polly.asked), characters(clouds.tenant) - before) == (2, len(HELLO))


def test_what_does_not_pass_fails_with_its_reason_and_is_billed_nothing(clouds: Clouds) -> None:
    before = usage(clouds.tenant.live)
    clouds.polly.faults.append("no_quota")
    shown = clouds.spoken(HELLO, voice="polly/Seoyeon")
    assert (shown["status"], shown["error"]["code"], shown["cost"]) == ("failed", "provider_quota", None)
    assert "secret" not in str(shown)
    assert len(clouds.polly.asked) == 1
    assert usage(clouds.tenant.live) == before


def test_while_the_usual_voices_provider_is_in_trouble_the_next_voice_speaks(clouds: Clouds) -> None:
    clouds.polly.faults.append("not_let_in")  # opens its circuit
    assert clouds.spoken(HELLO, voice="polly/Seoyeon")["error"]["code"] == "provider_credentials_refused"
    await_default(clouds, "azure")
    shown = clouds.spoken(HELLO)
    assert shown["voice"] == "azure/ko-KR-SunHiNeural"
    assert "in trouble" in shown["routing"]["reasons"]["polly/Seoyeon"]
    named = clouds.tenant.live.post("/v1/speech", json=ORDER | {"voice": "polly/Seoyeon"}, headers=ASYNC).json()
    assert named["voice"] == "polly/Seoyeon"  # who names a voice gets it
    clouds.tenant.live.post(f"/v1/speech/{named['id']}/cancel")
    close_circuits(clouds)
    assert said_at_once(clouds).headers["x-parlance-voice"] == "polly/Seoyeon"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"voice": "polly/Seoyeon", "speed": 3}, "speed_unsupported"),
        ({"voice": "azure/ko-KR-SunHiNeural", "speed": 0.4}, "speed_unsupported"),
        ({"voice": "polly/Joanna"}, "voice_script"),
        ({"ssml": "<speak><emphasis>a</emphasis></speak>", "voice": "polly/Joanna"}, "ssml_tag_unsupported"),
        ({"ssml": "<speak>a</speak>", "voice": "openai/alloy"}, "ssml_tag_unsupported"),
        (
            {"ssml": "<speak><voice name='b'>a</voice></speak>", "voice": "azure/en-US-GuyNeural"},
            "ssml_tag_unsupported",
        ),
    ],
)
def test_what_an_engine_cannot_do_is_refused_before_anybody_is_called(
    clouds: Clouds, fields: dict[str, Any], code: str
) -> None:
    body = ({"text": HELLO} if "ssml" not in fields else {}) | fields
    check_problem(clouds.tenant.live.post("/v1/speech", json=body), 422, code)
    assert clouds.calls() == 0


def test_a_tenants_policy_says_who_may_speak(clouds: Clouds) -> None:
    tenant = clouds.stack.tenant("walled")
    clouds.stack.parlance("tenant", "set", tenant.id, "--local-only")
    answer = tenant.live.post("/v1/speech", json={"text": HELLO})
    assert (answer.status_code, answer.headers["x-parlance-voice"]) == (200, "espeak-ng/ko")
    refused = tenant.live.post("/v1/speech", json={"text": HELLO, "voice": "polly/Seoyeon"})
    assert "local_only" in check_problem(refused, 422, "no_engine_allowed")["detail"]
    assert clouds.calls() == 0
    choosy = clouds.stack.tenant("choosy")
    clouds.stack.parlance("tenant", "set", choosy.id, "--deny", "polly,polly-standard")
    shown = Clouds(clouds.stack, choosy, clouds.polly, clouds.openai, clouds.azure).spoken(HELLO)
    assert shown["voice"] == "azure/ko-KR-SunHiNeural"


def test_a_test_key_never_calls_a_provider(clouds: Clouds) -> None:
    answer = clouds.tenant.test.post("/v1/speech", json={"text": HELLO, "voice": "polly/Seoyeon", "format": "wav"})
    assert (answer.status_code, answer.headers["x-parlance-voice"]) == (200, "simulated/sejong")
    assert clouds.calls() == 0


def test_the_voices_of_what_is_set_up_are_listed(clouds: Clouds) -> None:
    korean = clouds.tenant.live.get("/v1/voices", params={"language": "ko"}).json()["data"]
    assert {"polly/Seoyeon", "polly-standard/Seoyeon", "azure/ko-KR-InJoonNeural", "openai/alloy"} < {
        voice["id"] for voice in korean
    }


def test_a_style_is_spoken_by_a_voice_that_has_it(clouds: Clouds) -> None:
    listed = clouds.tenant.live.get("/v1/voices", params={"style": "cheerful", "language": "en"}).json()["data"]
    assert "azure/en-US-JennyNeural" in {voice["id"] for voice in listed}
    assert all("cheerful" in voice["styles"] for voice in listed)
    shown = clouds.spoken("Good news.", style="cheerful", reuse="auto")
    assert (shown["voice"], shown["style"]) == ("azure/en-US-JennyNeural", "cheerful")
    assert b'<mstts:express-as style="cheerful">' in clouds.azure.asked[0].body
    plain = clouds.spoken("Good news.", voice="azure/en-US-JennyNeural", reuse="auto")
    assert (plain["style"], plain["reused_from"]) == (None, None)
    assert b"express-as" not in clouds.azure.asked[1].body


def test_a_style_that_the_voice_lacks_is_refused_with_those_that_have_it(clouds: Clouds) -> None:
    body = {"text": "Good news.", "voice": "polly/Joanna", "style": "cheerful"}
    refused = check_problem(clouds.tenant.live.post("/v1/speech", json=body), 422, "style_unsupported")
    assert "azure/en-US-JennyNeural" in refused["detail"]
    assert clouds.tenant.test.post("/v1/speech", json=body).status_code == 200  # simulated, and so of every style
    unknown = clouds.tenant.test.post("/v1/speech", json=body | {"style": "as-a-pirate"})
    check_problem(unknown, 422, "style_unsupported")
    assert clouds.calls() == 0


def test_a_providers_calls_have_slots_of_their_own(clouds: Clouds) -> None:
    with psycopg.connect(Home(clouds.stack.home).state()["env"]["DATABASE_OWNER_URL"]) as connection:
        rows = dict(connection.execute("SELECT executor, max(slots) FROM executor_host GROUP BY 1").fetchall())
    operators = {name: slots for name, slots in rows.items() if name.startswith("cloud:") and not name.endswith(":own")}
    assert operators == {
        "cloud:polly:ap-northeast-2": 128, "cloud:azure:koreacentral": 128, "cloud:openai:global": 128,
        "cloud:simulated:local": 128,
    }  # fmt: skip


def _in_order(text: str, parts: list[str]) -> list[str]:
    """The parts as they follow one another in the text; they are spoken side by side."""
    ordered, rest, left = [], text, list(parts)
    while left:
        found = next(part for part in left if rest.startswith(part))
        left.remove(found)
        ordered.append(found)
        rest = rest[len(found) :]
    return ordered


def test_every_call_of_a_provider_is_written_down_with_what_it_said(clouds: Clouds) -> None:
    clouds.polly.faults.append("throttled")
    shown = clouds.spoken("Said after a while.", voice="polly/Joanna")
    assert shown["status"] == "completed"
    job_id = ids.parse(ids.SPEECH, shown["id"])
    with psycopg.connect(Home(clouds.stack.home).state()["env"]["DATABASE_OWNER_URL"]) as connection:
        attempts = connection.execute(
            "SELECT engine, outcome FROM engine_attempt WHERE job_id = %s ORDER BY number", [job_id]
        ).fetchall()
        costs = connection.execute(
            "SELECT meter, raw_quantity FROM usage_entry WHERE subject_id = %s AND kind = 'cost'", [job_id]
        ).fetchall()
    assert attempts == [("polly", "provider_busy"), ("polly", "done")]
    assert costs == [("characters", len("Said after a while."))]
