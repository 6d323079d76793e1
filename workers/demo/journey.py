"""The demo from sound to price, one step after the other; reads like the story it tells."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standardwebhooks import WebhookVerificationError

from workers.cli.output import Printer
from workers.demo import receiver as receiving
from workers.demo import voice
from workers.demo.api import ParlanceApi
from workers.demo.errors import DemoError
from workers.demo.receiver import Receiver
from workers.demo.tenant import demo_key, finance_link
from workers.embedded.home import Home

COMPLETED = "transcription.completed"
SPOKEN_LIMIT_S = 120.0
GIVEN_LIMIT_S = 3600.0  # the user's file may be hours long
WEBHOOK_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays."""

    home: Home
    url: str
    audio: Path | None
    printer: Printer


def _sound(stage: Stage) -> Path:
    if stage.audio is not None:
        stage.printer.say(f"Your file        {stage.audio}", event="demo.audio", path=str(stage.audio))
        return stage.audio
    path = stage.home.path / "demo" / "hello.wav"
    voice.speak(path)
    text = f'espeak-ng says   "{voice.SENTENCE}"'
    stage.printer.say(text, event="demo.audio", path=str(path), text=voice.SENTENCE)
    return path


def _show_warnings(stage: Stage, *, found: dict[str, Any]) -> None:
    for warning in found.get("warnings") or []:
        stage.printer.say(f"warning          {warning['detail']}", style="warn")


def _show_transcript(stage: Stage, *, found: dict[str, Any], took_s: float) -> None:
    text, label = found["text"], f"{found['engine']}, quality: {found['quality']}"
    rate = None if stage.audio else round(voice.word_error_rate(voice.SENTENCE, heard=text), 2)
    _show_warnings(stage, found=found)
    stage.printer.say(
        f'transcript       "{text}"',
        style="good",
        event="demo.transcript",
        id=found["id"],
        text=text,
        engine=found["engine"],
        quality=found["quality"],
        warnings=found.get("warnings") or [],
        word_error_rate=rate,
        seconds=round(took_s, 2),
    )
    error = "" if rate is None else f"; word error rate {rate:.2f} on this easy sentence"
    stage.printer.say(f"                 by {label}; {took_s:.1f} s after the upload{error}")


def _transcribed(stage: Stage, *, api: ParlanceApi, file: Path) -> dict[str, Any]:
    upload_id = api.upload(file)
    begun_s = time.monotonic()
    transcription_id = api.transcribe(upload_id)
    stage.printer.busy("transcribing")
    limit_s = GIVEN_LIMIT_S if stage.audio else SPOKEN_LIMIT_S
    found = api.finished(transcription_id, limit_s=limit_s)
    if found["status"] != "completed":
        problem = found.get("error") or {}
        words = problem.get("detail") or problem.get("code") or "no reason given"
        todo = "Try another file." if stage.audio else "Look at worker.log in the home's logs folder."
        raise DemoError("transcription", detail=f"it ended as {found['status']}: {words}", todo=todo)
    _show_transcript(stage, found=found, took_s=time.monotonic() - begun_s)
    return found


def _await_webhook(stage: Stage, *, receiver: Receiver, subject: str, secret: str) -> None:
    try:
        message = receiver.wait(COMPLETED, subject=subject, secret=secret, limit_s=WEBHOOK_LIMIT_S)
    except WebhookVerificationError as error:
        todo = "Somebody else posted to the receiver, or the endpoint's secret changed."
        raise DemoError("webhook", detail="a message arrived with a wrong signature", todo=todo) from error
    if message is None:
        raise DemoError(
            "webhook",
            detail=f"no message arrived within {WEBHOOK_LIMIT_S:g} s",
            todo="Look at GET /v1/deliveries for the attempts.",
        )
    stage.printer.say(
        f"webhook received and verified ({message.event_type}, {message.event_id})",
        style="good",
        event="demo.webhook",
        id=message.event_id,
        type=message.event_type,
    )


def _show_usage(stage: Stage, *, api: ParlanceApi, cost: dict[str, Any]) -> None:
    stage.printer.say(f"this one cost    {cost['amount']} {cost['currency']}", event="demo.cost", **cost)
    for line in api.usage():
        price = f"{line['amount']} {line['currency']}"
        stage.printer.say(f"usage so far     {line['meter']}: {line['quantity']}, {price}", event="demo.usage", **line)


def curl_line(url: str, *, key: str, file: Path) -> str:
    """Return a command to copy that transcribes a file.

    >>> curl_line("http://127.0.0.1:8700", key="parl_x", file=Path("/a b.wav"))
    "curl -H 'Authorization: Bearer parl_x' -F 'file=@/a b.wav' http://127.0.0.1:8700/v1/transcriptions"
    """
    name = f'"{file}"' if set(str(file)) & set(",;") else str(file)  # curl splits a form's value at these
    parts = ["curl", "-H", f"Authorization: Bearer {key}", "-F", f"file=@{name}", f"{url}/v1/transcriptions"]
    return shlex.join(parts)


def _show_finance(stage: Stage) -> None:
    """One-time links for two people: one prepares the bill, the other approves it."""
    for role in ("operator", "approver"):
        if path := finance_link(role):
            url = f"{stage.url}{path}"
            stage.printer.say(f"{f'finance {role}':<16} {url}", event="demo.finance", role=role, url=url)


def tell(stage: Stage, *, receiver: Receiver) -> None:
    """Tell the whole story, or raise the DemoError of the step that failed."""
    stage.printer.busy("making a demo tenant")
    key = demo_key(stage.home, url=stage.url)
    with ParlanceApi(stage.url, key=key) as api:
        file = _sound(stage)
        api.forget_old_endpoints(path=receiving.PATH)
        endpoint = api.add_endpoint(receiver.url, event_types=[COMPLETED])
        found = _transcribed(stage, api=api, file=file)
        _await_webhook(stage, receiver=receiver, subject=found["id"], secret=endpoint["secret"])
        _show_usage(stage, api=api, cost=found["cost"])
        api.forget_old_endpoints(path=receiving.PATH)
    curl = curl_line(stage.url, key=key, file=file)
    stage.printer.say(f"your key         {key}", event="demo.key", key=key, curl=curl)
    _show_finance(stage)
    stage.printer.say(f"try next\n  {curl}")
