"""`kill -9` of the web service while one call to the SDK uploads, submits and waits: the call returns all the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
from parlance import AsyncParlance, Parlance, Progress

from tests.faults.client import Customer, Submitted
from tests.faults.harness import Chaos
from tests.faults.invariants import check_invariants, settle
from tests.faults.sounds import tone

pytestmark = pytest.mark.timeout(400)
DURATION_MS = 3_000
PART_BYTES = 5 * 1_048_576


class Watched(httpx.HTTPTransport):
    """The real transport, with a look at each request, and at its answer before the client has it."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[httpx.Request], None] = lambda _: None
        self.after: Callable[[httpx.Request], None] = lambda _: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        answer = super().handle_request(request)
        self.after(request)
        return answer


@pytest.fixture
def wire() -> Watched:
    return Watched()


def key_of(customer: Customer) -> str:
    return str(customer.http.headers["authorization"]).removeprefix("Bearer ")


@pytest.fixture
def sdk(chaos: Chaos, wire: Watched, request: pytest.FixtureRequest) -> Iterator[tuple[Parlance, Customer]]:
    customer = chaos.customer(request.node.name.replace("_", "-")[:40])
    with Parlance(api_key=key_of(customer), base_url=chaos.stack.url, transport=wire) as client:
        yield client, customer


def once(action: Callable[[], None]) -> Callable[[], None]:
    """The action, the first time only."""
    left = [action]
    return lambda: left.pop()() if left else None


def one_job_one_bill(chaos: Chaos, customer: Customer, job_id: str) -> None:
    settle(chaos, customer)
    customer.submitted.append(Submitted(id=job_id, key="", duration_ms=DURATION_MS))
    check_invariants(chaos, customer)
    assert len(customer.repeat(lambda: customer.http.get("/v1/transcriptions")).json()["data"]) == 1


def test_killed_during_the_upload(chaos: Chaos, sdk: tuple[Parlance, Customer]) -> None:
    client, customer = sdk
    kill = once(lambda: chaos.kill("web"))

    def told(progress: Progress) -> None:
        if progress.phase == "uploading":
            kill()

    result = client.transcribe(tone(DURATION_MS), engine="simulated", on_progress=told)
    assert result.text
    one_job_one_bill(chaos, customer, result.id)


def test_killed_during_a_part(chaos: Chaos, sdk: tuple[Parlance, Customer], wire: Watched) -> None:
    client, customer = sdk
    recording = tone(DURATION_MS) + bytes(PART_BYTES)  # what follows a WAV's own bytes is not heard
    kill = once(lambda: chaos.kill("web"))
    puts: list[str] = []

    def told(progress: Progress) -> None:
        if progress.done > PART_BYTES // 2:
            kill()

    def before(request: httpx.Request) -> None:
        if request.method == "PUT":
            puts.append(request.url.params["part"])

    wire.before = before
    sent = client.upload(recording, part_size_bytes=PART_BYTES, on_progress=told)
    assert (sent.status, puts[-1]) == ("completed", "2")
    assert puts.count("1") > 1
    job = client.transcriptions.create(upload_id=sent.id, engine="simulated")
    assert client.wait(job.id).duration_ms == DURATION_MS
    one_job_one_bill(chaos, customer, job.id)


def test_killed_after_the_job_was_accepted_and_before_its_answer(
    chaos: Chaos, sdk: tuple[Parlance, Customer], wire: Watched
) -> None:
    client, customer = sdk
    kill = once(lambda: _lose(chaos))

    def after(request: httpx.Request) -> None:
        if request.method == "POST" and request.url.path == "/v1/transcriptions":
            kill()

    wire.after = after
    result = client.transcribe(tone(DURATION_MS), engine="simulated")
    assert result.text
    one_job_one_bill(chaos, customer, result.id)


def _lose(chaos: Chaos) -> None:
    chaos.kill("web")
    raise httpx.ReadError("the answer was lost with its server")


def test_killed_while_the_end_is_waited_for(chaos: Chaos, sdk: tuple[Parlance, Customer], wire: Watched) -> None:
    client, customer = sdk
    killer = threading.Thread(target=lambda: chaos.kill("web"))
    start = once(killer.start)

    def before(request: httpx.Request) -> None:
        if "wait=" in request.headers.get("prefer", ""):
            start()

    wire.before = before
    result = client.transcribe(tone(DURATION_MS), engine="simulated", simulate="slow:4000")
    killer.join()
    assert result.text
    one_job_one_bill(chaos, customer, result.id)


def test_killed_while_its_events_are_read(chaos: Chaos, sdk: tuple[Parlance, Customer]) -> None:
    client, customer = sdk
    kill = once(lambda: chaos.kill("web"))
    upload = client.upload(tone(DURATION_MS))
    job = client.transcriptions.create(upload_id=upload.id, engine="simulated", simulate="slow:4000")
    told: list[tuple[str, str]] = []
    for event in client.transcriptions.stream(job.id):
        told.append((event.name, event.id))
        kill()
    assert told[-1] == ("completed", "end")
    segments = [place for name, place in told if name == "segment"]
    assert segments == sorted(set(segments), key=int)
    assert segments
    one_job_one_bill(chaos, customer, job.id)


class Killing(httpx.AsyncHTTPTransport):
    """The real transport of async clients; the server dies once in each of the phases: upload, submit, wait."""

    def __init__(self, chaos: Chaos, phases: set[str]) -> None:
        super().__init__()
        self._chaos = chaos
        self.left = set(phases)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        phase = _phase(request)
        if phase not in self.left:
            return await super().handle_async_request(request)
        self.left.remove(phase)
        kill = asyncio.create_task(asyncio.to_thread(self._chaos.kill, "web"))
        if phase == "wait":  # while the answer is waited for
            try:
                return await super().handle_async_request(request)
            finally:
                await kill
        answer = await super().handle_async_request(request) if phase == "submit" else None
        await kill
        if answer is not None:
            await answer.aclose()
        raise httpx.ReadError(f"the server died during the {phase}")


def _phase(request: httpx.Request) -> str | None:
    if request.method == "PUT":
        return "upload"
    if request.method == "POST" and request.url.path == "/v1/transcriptions":
        return "submit"
    return "wait" if "wait=" in request.headers.get("prefer", "") else None


@pytest.mark.parametrize("phases", [{"upload", "submit"}, {"wait"}], ids=["before the job runs", "while it runs"])
def test_killed_in_every_phase_of_an_async_call(chaos: Chaos, phases: set[str]) -> None:
    customer = chaos.customer(f"sdk-async-{len(phases)}")
    wire = Killing(chaos, phases)

    async def program() -> str:
        async with AsyncParlance(api_key=key_of(customer), base_url=chaos.stack.url, transport=wire) as client:
            result = await client.transcribe(tone(DURATION_MS), engine="simulated", simulate="slow:4000")
            assert result.text
            return result.id

    job_id = asyncio.run(program())
    assert wire.left == set()
    one_job_one_bill(chaos, customer, job_id)
