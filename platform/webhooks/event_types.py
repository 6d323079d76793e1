"""Every event type there is, and which endpoints' filters want it."""

from __future__ import annotations

EVENT_TYPES = {
    "transcription.queued": "A transcription was accepted. Sent only to endpoints that name this type.",
    "transcription.running": "A transcription started. Sent only to endpoints that name this type.",
    "transcription.completed": "A transcription is ready.",
    "transcription.failed": "A transcription ended with an error; nothing is billed.",
    "transcription.canceled": "A transcription was canceled.",
    "transcription.deleted": "A transcription and its content were deleted.",
    "speech.completed": "A speech file is ready.",
    "speech.failed": "A speech job ended with an error; nothing is billed.",
    "speech.canceled": "A speech job was canceled.",
    "speech.deleted": "A speech job and its content were deleted.",
    "destination.copied": "A result was copied to the bucket that its order named.",
    "destination.failed": "A result could not be copied to the bucket that its order named; the job itself is done.",
    "upload.completed": "An upload arrived whole.",
    "upload.expired": "An upload ticket ran out unused.",
    "usage.threshold_reached": "Usage passed a threshold that was set.",
    "budget.exhausted": "A budget is used up; new work is refused.",
    "wallet.low": "A prepaid wallet is nearly empty.",
    "statement.ready": "A statement was closed.",
    "api_key.created": "An API key was made.",
    "api_key.expiring": "An API key ends soon.",
    "api_key.revoked": "An API key was revoked.",
    "webhook_endpoint.failing": "An endpoint has only failed for 10 minutes, an hour or half a day.",
    "webhook_endpoint.disabled": "An endpoint was switched off because of its answers.",
    "webhook_endpoint.recovered": "An endpoint works again after failures.",
    "provider_credential.failing": "A provider refuses your own credentials. Told once until they work again.",
    "model.shutdown_scheduled": "An engine's model has an end date.",
}

# Asked for by hand and sent to its own endpoint whatever that endpoint's filter says.
TEST = "webhook_endpoint.test"

# Most receivers want results only: a wildcard does not bring these.
QUIET = frozenset({"transcription.queued", "transcription.running"})

FAMILIES = frozenset(name.partition(".")[0] for name in EVENT_TYPES)


def is_known(pattern: str) -> bool:
    """Tells if a filter entry can ever match: a type, `family.*` or `*`.

    >>> is_known("transcription.*"), is_known("*"), is_known("transcript.*")
    (True, True, False)
    """
    family, _, rest = pattern.partition(".")
    return pattern == "*" or pattern in EVENT_TYPES or (rest == "*" and family in FAMILIES)


def patterns_for(event_type: str) -> tuple[str, ...]:
    """Returns the filter entries that want an event of this type.

    >>> patterns_for("transcription.completed")
    ('transcription.completed', 'transcription.*', '*')
    >>> patterns_for("transcription.queued")
    ('transcription.queued',)
    >>> patterns_for("webhook_endpoint.test")
    ()
    """
    if event_type == TEST:
        return ()
    if event_type in QUIET:
        return (event_type,)
    return (event_type, f"{event_type.partition('.')[0]}.*", "*")
