"""What the API answers.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from parlance._model import Model

__all__ = [
    "ApiKey",
    "ApiKeyTold",
    "Attempt",
    "AuditActor",
    "AuditEntry",
    "BillingLink",
    "Budget",
    "BudgetTold",
    "Concurrency",
    "ContentPolicy",
    "Copy",
    "Cost",
    "CustomDeleted",
    "Deleted",
    "DeletedEndpoint",
    "DeletedMember",
    "DeletedTold",
    "Delivery",
    "Destination",
    "DestinationDeleted",
    "DictionaryEntry",
    "EndpointHealth",
    "Engine",
    "EngineHealth",
    "EngineLimits",
    "EngineListExtra",
    "EngineModel",
    "Event",
    "EventListExtra",
    "InvitedMember",
    "KeyLimits",
    "KeyRate",
    "KeyRouting",
    "Limits",
    "Member",
    "ModelTold",
    "NewApiKey",
    "Notice",
    "Price",
    "PricesExtra",
    "Problem",
    "ProblemField",
    "Progress",
    "ProviderCredential",
    "ProviderCredentialDeleted",
    "ProviderCredentialTold",
    "Queue",
    "Rate",
    "RawAnswer",
    "ReplayCount",
    "Segment",
    "SignedRequest",
    "SpeakingEngine",
    "Speech",
    "SpeechProgress",
    "SpeechTimings",
    "SpeechTold",
    "Speeds",
    "Spend",
    "SpokenAudio",
    "Statement",
    "StatementEntry",
    "StatementHead",
    "StatementLine",
    "StatementTold",
    "TestSent",
    "Tier",
    "Timed",
    "Total",
    "Transcript",
    "Transcription",
    "TranscriptionTold",
    "Upload",
    "UploadOrigins",
    "UploadPart",
    "UploadTold",
    "Usage",
    "UsageLine",
    "Voice",
    "VoiceAlias",
    "Wallet",
    "WalletTold",
    "WebhookEndpoint",
    "WebhookEndpointTold",
    "WebhookJobSecret",
    "WebhookReplay",
    "Word",
]


class ApiKey(Model):
    """A key: what it may do. Its secret is shown once, by the request that makes it."""

    created: datetime
    created_by: str
    """The key that made it, or `operator`."""

    expires_at: datetime | None
    hint: str
    """The beginning and the last four characters."""

    id: str
    ip_allow: list[str]
    """Empty: anywhere."""

    last_used_at: datetime | None
    """To the minute."""

    limits: KeyLimits
    livemode: bool
    name: str
    object: Literal["api_key"]
    replaced_by: str | None
    """After a rotation: the new key."""

    revoked_at: datetime | None
    routing: KeyRouting
    scopes: list[str]
    status: Literal["active", "expired", "revoked"] | str
    url: str


class Attempt(Model):
    """One attempt. Headers and `response`, the answer's beginning, are kept for failures and the last 100
    successes.
    """

    error: str | None
    finished_at: datetime | None
    latency_ms: int | None
    manual: bool
    number: int
    request_headers: dict[str, str] | None
    response: str | None
    response_headers: dict[str, str] | None
    started_at: datetime
    status: int | None


class AuditActor(Model):
    """Who: a key, a member, the operator of this service, or the system by itself."""

    id: str | None
    type: Literal["api_key", "member", "operator", "system"] | str


class AuditEntry(Model):
    """One change. `before` and `after` hold what changed, never a secret and no content."""

    action: str
    actor: AuditActor
    address: str | None
    after: dict[str, Any] | None
    before: dict[str, Any] | None
    created: datetime
    id: str
    livemode: bool | None
    """null: the change is of both modes."""

    object: Literal["audit_entry"]
    request_id: str | None
    subject: str
    user_agent: str | None


class BillingLink(Model):
    """A page at Stripe for one person, soon; make a new link for each visit."""

    expires_at: datetime | None
    object: Literal["billing_link"]
    purpose: Literal["top_up", "card", "portal"] | str
    url: str


class Budget(Model):
    """A month's budget of the tenant (`api_key_id` null) or of the key. A hard one refuses, a soft one only
    tells.
    """

    amount: Decimal
    api_key_id: str | None
    hard: bool
    held: str
    left: str
    name: str
    spent: str


class Concurrency(Model):
    """So many requests may be under way at the same moment."""

    limit: int
    name: str
    shared_by: Literal["tenant", "api_key"] | str


class ContentPolicy(Model):
    """A ContentPolicy."""

    deny_terms: list[str]
    livemode: bool
    moderator_url: str | None
    object: Literal["content_policy"]
    when_moderator_fails: Literal["refuse", "allow"] | str


class Copy(Model):
    """The copy in your bucket: `key` is its place there. `canceled`: the job brought no result."""

    error: Notice | None
    id: str
    key: str
    status: Literal["pending", "copied", "failed", "canceled"] | str


class Cost(Model):
    """What the job costs: an exact decimal and its ISO 4217 currency."""

    amount: Decimal
    currency: str


class CustomDeleted(Model):
    """A CustomDeleted."""

    deleted: Literal[True]
    object: Literal["voice_alias", "dictionary_entry"] | str


class Deleted(Model):
    """A Deleted."""

    deleted: Literal[True]
    id: str
    object: str
    url: str


class DeletedEndpoint(Model):
    """What was deleted."""

    deleted: Literal[True]
    id: str
    object: Literal["webhook_endpoint"]


class DeletedMember(Model):
    """Who was removed."""

    deleted: Literal[True]
    id: str
    object: Literal["member"]


class Delivery(Model):
    """One event on its way to one endpoint; `attempts` when one delivery is read."""

    attempt_count: int
    attempts: list[Attempt] | None = None
    created_at: datetime
    endpoint_id: str
    event_id: str
    event_type: str
    finished_at: datetime | None
    id: str
    last_error: str | None
    last_status: int | None
    livemode: bool
    next_attempt_at: datetime | None
    object: Literal["delivery"]
    state: Literal["pending", "sending", "delivered", "failed", "canceled"] | str


class Destination(Model):
    """Verified by a write and a delete in the bucket; orders name its id."""

    bucket: str
    created: datetime
    endpoint_url: str
    external_id: str
    id: str
    livemode: bool
    object: Literal["destination"]
    prefix: str
    region: str
    role_arn: str
    status: Literal["unverified", "verified"] | str
    verified_at: datetime | None


class DestinationDeleted(Model):
    """A DestinationDeleted."""

    deleted: Literal[True]
    id: str
    object: Literal["destination"]


class DictionaryEntry(Model):
    """A DictionaryEntry."""

    created: datetime
    id: str
    language: str
    livemode: bool
    object: Literal["dictionary_entry"]
    say_as: str
    term: str


class EndpointHealth(Model):
    """`failing`: no success since; `probing`: one delivery at a time until one succeeds; `disabled`: switched
    off.

    One that its failures switched off is tried again by itself at `next_try_at`, or at once when you enable
    it.
    """

    failing_since: str | None
    last_success_at: datetime | None
    next_try_at: datetime | None
    status: Literal["ok", "failing", "probing", "disabled"] | str


class Engine(Model):
    """What an engine can do. `languages`: ISO 639 codes, null for any; `region` null: on the operator's
    machines.
    """

    features: dict[str, bool]
    health: EngineHealth
    id: str
    languages: list[str] | None
    limits: EngineLimits
    models: list[EngineModel]
    object: Literal["engine"]
    own_credentials: bool
    quality: Literal["demo", "simulated", "production"] | str
    region: str | None
    warnings: list[Notice]


class EngineHealth(Model):
    """Whether the engine's provider answers. One in trouble is tried last, and again by itself."""

    retry_after_s: int | None
    status: Literal["available", "in_trouble"] | str


class EngineLimits(Model):
    """Longer recordings are cut into parts of at most `max_part_ms` and joined again."""

    max_audio_ms: int
    max_part_ms: int
    max_upload_bytes: int


class EngineModel(Model):
    """A model of an engine; from `shutdown_date` on it is refused, and `replacement` is the one to ask for."""

    deprecated_at: datetime | None
    id: str
    is_offered: bool
    languages: list[str] | None
    max_part_ms: int
    model: str
    replacement: str | None
    shutdown_date: date | None
    since: str


class Event(Model):
    """An event; `data` is what its deliveries carry."""

    created_at: datetime
    data: dict[str, Any]
    id: str
    livemode: bool
    object: Literal["event"]
    position: int | None
    sequence: int
    type: str


class InvitedMember(Model):
    """A person with the link by which to join: pass it on now."""

    created: datetime
    email: str
    id: str
    join_url: str
    """Works once, for a day."""

    object: Literal["member"]
    role: Literal["owner", "admin", "developer", "billing", "viewer"] | str
    status: Literal["invited", "active"] | str
    """active: the link was used."""

    url: str


class KeyLimits(Model):
    """Rates of the key's own, beside the tenant's."""

    audio_seconds: KeyRate | None = None
    characters: KeyRate | None = None
    concurrency: int | None = None
    """So many requests at the same moment."""

    requests: KeyRate | None = None


class KeyRate(Model):
    """So much per so many seconds."""

    period_s: int
    quota: int


class KeyRouting(Model):
    """Which engines the key may use, beside what its tenant may."""

    allow: list[str] | None = None
    deny: list[str] | None = None
    fallbacks: int | None = None
    hedge: bool | None = None
    local_only: bool = False
    optimize: Literal["cost", "latency", "quality"] | str | None = None
    regions: list[str] | None = None


class Limits(Model):
    """What the key may still spend, and how fast."""

    budgets: list[Budget]
    concurrency: list[Concurrency]
    """Empty: any number of requests at the same moment."""

    currency: str
    object: Literal["limits"]
    rates: list[Rate]
    """A meter without a rate is not limited."""

    wallet: Wallet | None


class Member(Model):
    """A person of the tenant."""

    created: datetime
    email: str
    id: str
    object: Literal["member"]
    role: Literal["owner", "admin", "developer", "billing", "viewer"] | str
    status: Literal["invited", "active"] | str
    """active: the link was used."""

    url: str


class NewApiKey(Model):
    """A key just made, with its secret: store it now."""

    created: datetime
    created_by: str
    """The key that made it, or `operator`."""

    expires_at: datetime | None
    hint: str
    """The beginning and the last four characters."""

    id: str
    ip_allow: list[str]
    """Empty: anywhere."""

    last_used_at: datetime | None
    """To the minute."""

    limits: KeyLimits
    livemode: bool
    name: str
    object: Literal["api_key"]
    replaced_by: str | None
    """After a rotation: the new key."""

    revoked_at: datetime | None
    routing: KeyRouting
    scopes: list[str]
    secret: str
    status: Literal["active", "expired", "revoked"] | str
    url: str


class Notice(Model):
    """A warning or error: a stable code and a sentence."""

    code: str
    detail: str


class Price(Model):
    """`unit_price` per `unit_size` of the meter; `model` is empty when it prices every model of the engine."""

    currency: str
    engine: str
    feature: str
    included: int
    """The month's free quantity; what is above it is paid."""

    increment_ms: int
    meter: str
    minimum_ms: int
    mode: str
    model: str
    per_channel: bool
    tier_mode: str
    """graduated, volume, package, or empty: one price for every unit."""

    tiers: list[Tier]
    unit_price: Decimal
    unit_size: int


class Problem(Model):
    """RFC 9457 problem details."""

    code: str
    detail: str
    errors: list[ProblemField] | None = None
    request_id: str
    status: int
    title: str
    type: str


class ProblemField(Model):
    """One wrong field."""

    code: str
    detail: str
    field: str


class Progress(Model):
    """How much has been heard: milliseconds of audio, and percent."""

    done_ms: int
    percent: int
    total_ms: int


class ProviderCredential(Model):
    """Credentials, without their secret: `last4` is all that is ever shown of it."""

    checked_at: datetime
    created: datetime
    failing_code: str | None
    failing_since: str | None
    id: str
    last4: str
    livemode: bool
    name: str
    object: Literal["provider_credential"]
    provider: Literal["assemblyai", "deepgram", "google", "openai", "azure"] | str
    region: str | None
    rotated_at: datetime | None
    status: Literal["working", "failing"] | str


class ProviderCredentialDeleted(Model):
    """A ProviderCredentialDeleted."""

    deleted: Literal[True]
    id: str
    object: Literal["provider_credential"]


class Queue(Model):
    """A job whose next step waits: its place among the tenant's own jobs there (1 is next), and when it should
    start.

    `position` 1000 stands for that or more; the estimate is null then, and while no worker is alive. Lists
    leave `queue` null: get the transcription.
    """

    estimated_start_at: datetime | None
    position: int


class Rate(Model):
    """One rate limit and how it stands now."""

    full_again_s: int
    """In so many seconds all of it is back, without further use."""

    left: int
    """So much passes at once now."""

    meter: Literal["requests", "audio_seconds", "characters"] | str
    name: str
    """As in the headers RateLimit and RateLimit-Policy."""

    period_s: int
    quota: int
    shared_by: Literal["tenant", "api_key"] | str
    """Whose calls use it up; each mode has its own."""


class RawAnswer(Model):
    """What a provider answered for a part of the recording, in its own JSON behind a link that needs no key."""

    download_url: str
    download_url_expires_at: datetime
    end_ms: int
    engine: str
    object: Literal["raw_answer"]
    size_bytes: int
    start_ms: int


class ReplayCount(Model):
    """What a replay would send now; nothing was started."""

    count: int
    endpoint_id: str
    object: Literal["webhook_replay_count"]


class Segment(Model):
    """A stretch of speech; its words are those of `words` between its times."""

    channel: int | None = None
    end_ms: int
    id: int
    speaker: str | None = None
    start_ms: int
    text: str


class SignedRequest(Model):
    """Send the file with exactly this method, URL and headers; no key is needed."""

    headers: dict[str, str]
    method: str
    url: str


class SpeakingEngine(Model):
    """What an engine that speaks can do; longer text is cut into parts of `max_part_characters` and joined
    again.

    `region` null: on the operator's machines. `timings_are_billed`: they cost the price of the text again.
    """

    formats: list[str]
    health: EngineHealth
    id: str
    is_offered: bool
    languages: list[str]
    max_part_characters: int
    object: Literal["speaking_engine"]
    quality: Literal["demo", "simulated", "production"] | str
    region: str | None
    replacement: str | None
    shutdown_date: date | None
    speed: Speeds
    ssml_tags: list[str]
    timings: list[Literal["sentence", "word"] | str]
    timings_are_billed: bool
    voices: int
    warnings: list[Notice]


class Speech(Model):
    """A speech job. The text is not in it."""

    audio: SpokenAudio | None
    characters: int
    cost: Cost | None
    created: datetime
    delete_after_s: int | None = None
    delete_at: datetime | None = None
    destination: Copy | None = None
    engine: str
    error: Notice | None
    finished_at: datetime | None
    format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm", "mulaw"] | str
    id: str
    language: str
    livemode: bool
    metadata: dict[str, str]
    object: Literal["speech"]
    progress: SpeechProgress
    quality: Literal["demo", "simulated", "production"] | str
    reused_from: str | None
    routing: dict[str, Any]
    sample_rate_hz: int
    speed: float
    started_at: datetime | None
    status: Literal["queued", "running", "completed", "failed", "canceled"] | str
    style: str | None = None
    tags: list[str]
    timings: Literal["word", "sentence"] | str | None
    url: str
    voice: str
    warnings: list[Notice]


class SpeechProgress(Model):
    """A SpeechProgress."""

    done_characters: int
    percent: int
    total_characters: int


class SpeechTimings(Model):
    """When each word or sentence is said; each ends where the next one begins. `text` is as sent, without
    markup.
    """

    data: list[Timed]
    duration_ms: int
    id: str
    kind: Literal["word", "sentence"] | str
    language: str
    object: Literal["speech_timings"]
    text: str


class Speeds(Model):
    """A Speeds."""

    max: float
    min: float


class Spend(Model):
    """The running month by the statement's rules, without tax."""

    amount: Decimal
    currency: str
    forecast: str
    lines: list[StatementLine]
    object: Literal["spend"]
    period: str
    time_zone: str


class SpokenAudio(Model):
    """The file. `download_url` works without a key until `download_url_expires_at`; every GET makes a new one."""

    content_type: str
    download_url: str | None = None
    download_url_expires_at: datetime | None = None
    duration_ms: int
    sample_rate_hz: int
    size_bytes: int


class Statement(Model):
    """A bill with its lines."""

    address: str
    content_hash: str
    currency: str
    due: str
    ends_at: datetime
    entries: int
    from_wallet: str
    id: str
    legal_name: str
    lines: list[StatementLine]
    livemode: bool
    object: Literal["statement"]
    period: str
    registration_number: str
    starts_at: datetime
    status: str
    subtotal: str
    tax: str
    tax_name: str
    tax_percent: str
    time_zone: str
    total: str


class StatementEntry(Model):
    """One entry of the ledger. `kind`: usage, reversal or adjust."""

    amount: Decimal
    billable_quantity: int
    book_version: int
    created_at: datetime
    currency: str
    engine: str
    feature: str
    kind: str
    meter: str
    mode: str
    model: str
    object: Literal["statement_entry"]
    occurred_at: datetime
    on_wallet: bool
    origin_period: str
    raw_quantity: int
    sequence: int
    subject_id: str
    unit_price: Decimal
    unit_size: int


class StatementHead(Model):
    """A month's bill. `due` is the total less what a wallet has paid; `content_hash` proves terms and lines."""

    address: str
    content_hash: str
    currency: str
    due: str
    ends_at: datetime
    entries: int
    from_wallet: str
    id: str
    legal_name: str
    livemode: bool
    object: Literal["statement"]
    period: str
    registration_number: str
    starts_at: datetime
    status: str
    subtotal: str
    tax: str
    tax_name: str
    tax_percent: str
    time_zone: str
    total: str


class StatementLine(Model):
    """A quantity at one price, rounded once. `kind`: usage, included, late, adjust, minimum or tax."""

    amount: Decimal
    book_version: int | None
    description: str
    engine: str
    entries: int
    feature: str
    formula: str
    kind: str
    meter: str
    mode: str
    model: str
    object: Literal["statement_line"]
    ordinal: int
    origin_period: str | None
    quantity: int
    tier: str
    unit_price: Decimal | None
    unit_size: int | None


class TestSent(Model):
    """The test event that is on its way."""

    id: str
    object: Literal["event"]
    type: str


class Tier(Model):
    """A price up to and including so many units of the month; null for all above."""

    unit_price: Decimal
    up_to: int | None


class Timed(Model):
    """`text` is the whole text's [start:end] in code points."""

    end: int
    end_ms: int
    start: int
    start_ms: int
    text: str


class Total(Model):
    """The sum of one currency."""

    amount: Decimal
    currency: str


class Transcript(Model):
    """The transcript alone; times are milliseconds from the start of the recording."""

    duration_ms: int
    language: str | None
    language_confidence: float | None = None
    segments: list[Segment]
    text: str
    words: list[Word]


class Transcription(Model):
    """A transcription. `text`, `words` and `segments` appear once it is completed.

    A canceled one shows them too, as far as its text had been read before it was canceled; that part is
    billed.
    """

    cost: Cost | None
    created: datetime
    delete_after_s: int | None = None
    delete_at: datetime | None = None
    destination: Copy | None = None
    duration_ms: int | None
    engine: str | None
    error: Notice | None
    filename: str | None
    finished_at: datetime | None
    id: str
    language: str | None
    language_confidence: float | None = None
    livemode: bool
    metadata: dict[str, str]
    model: str | None
    object: Literal["transcription"]
    progress: Progress
    quality: Literal["demo", "simulated", "production"] | str | None
    queue: Queue | None = None
    reused_from: str | None
    routing: dict[str, Any] | None
    segments: list[Segment] | None = None
    started_at: datetime | None
    status: Literal["queued", "running", "completed", "failed", "canceled"] | str
    tags: list[str]
    task: Literal["transcribe", "translate"] | str
    text: str | None = None
    url: str
    warnings: list[Notice]
    words: list[Word] | None = None


class Upload(Model):
    """`upload` takes a file that comes whole; `parts` are there for one that comes in parts."""

    content_type: str
    created: datetime
    expires_at: datetime
    filename: str
    id: str
    livemode: bool
    object: Literal["upload"]
    parts: list[UploadPart] | None = None
    size_bytes: int
    status: Literal["pending", "completed", "used", "expired"] | str
    upload: SignedRequest | None = None


class UploadOrigins(Model):
    """A UploadOrigins."""

    object: Literal["upload_origins"]
    origins: list[str]


class UploadPart(Model):
    """Bytes `start` to `start + size_bytes` of the file. Sent again, a part replaces itself."""

    number: int
    size_bytes: int
    start: int
    status: Literal["pending", "completed"] | str
    upload: SignedRequest | None = None


class Usage(Model):
    """Usage in the half-open range [from, to)."""

    data: list[UsageLine]
    from_: datetime = Field(alias="from")
    object: Literal["usage"]
    time_zone: str
    to: datetime
    totals: list[Total]


class UsageLine(Model):
    """One group; `start` is the beginning of its hour or day when one was asked for."""

    amount: Decimal
    api_key_id: str | None = None
    currency: str
    engine: str | None = None
    jobs: int
    meter: str | None = None
    mode: str | None = None
    model: str | None = None
    quantity: int
    """Billable audio milliseconds or code points."""

    start: datetime | None = None
    tag: str | None = None
    """The tag, or `erased` when its name was erased."""


class Voice(Model):
    """A Voice."""

    aliases: list[str]
    engine: str
    gender: str
    id: str
    languages: list[str]
    name: str
    object: Literal["voice"]
    quality: Literal["demo", "simulated", "production"] | str
    sample_rate_hz: int
    styles: list[str]


class VoiceAlias(Model):
    """A VoiceAlias."""

    created: datetime
    livemode: bool
    name: str
    object: Literal["voice_alias"]
    voice: str


class Wallet(Model):
    """Prepaid money; `spendable` is balance and credit less what running jobs hold."""

    balance: str
    credit_limit: str
    currency: str
    held: str
    spendable: str


class WebhookEndpoint(Model):
    """An endpoint; `secret` is shown when one endpoint is made, read, changed or rotated, not in lists.

    `kind` is `job` for a URL that jobs named themselves. Header values are masked but when the endpoint is
    made.
    """

    created_at: datetime
    description: str
    disabled_reason: str | None
    enabled: bool
    event_types: list[str]
    headers: dict[str, str]
    health: EndpointHealth
    id: str
    include: list[Literal["text"]]
    kind: Literal["endpoint", "job"] | str
    livemode: bool
    max_in_flight: int
    metadata: dict[str, str]
    object: Literal["webhook_endpoint"]
    previous_secret_expires_at: datetime | None
    public_key: str | None
    rate_per_s: float | None
    schedule: list[int] | None
    secret: str | None = None
    signature: Literal["v1", "v1+v1a"] | str
    url: str


class WebhookJobSecret(Model):
    """The secret that verifies the events sent to the URLs that jobs named (`webhook_url`), one per mode."""

    livemode: bool
    object: Literal["webhook_job_secret"]
    previous_secret_expires_at: datetime | None
    secret: str


class WebhookReplay(Model):
    """A replay. `opened_count` deliveries are on their way or done, of the `expected_count` at its start."""

    created_at: datetime
    endpoint_id: str
    event_types: list[str]
    expected_count: int
    finished_at: datetime | None
    from_: str = Field(alias="from")
    id: str
    livemode: bool
    object: Literal["webhook_replay"]
    only_missed: bool
    opened_count: int
    state: Literal["running", "completed", "canceled"] | str
    to: str


class Word(Model):
    """A Word."""

    confidence: float | None = None
    end_ms: int
    speaker: str | None = None
    start_ms: int
    text: str


class EngineListExtra(Model):
    """What the list tells beside its things."""

    speaking: list[SpeakingEngine]


class EventListExtra(Model):
    """What the list tells beside its things."""

    next_after: int | None = None


class PricesExtra(Model):
    """What the list tells beside its things."""

    version: int | None
    """The price book's version; null when the currency has none yet."""


class ApiKeyTold(ApiKey):
    """What an event tells of its subject."""

    omitted: dict[str, Literal["too_long", "deleted", "delivered"] | str] | None = None
    """Fields left out of this body, and why. GET the resource for them."""


class BudgetTold(Model):
    """What an event tells of its subject."""

    amount: Decimal
    api_key_id: str | None
    """The key that the budget is for; null: all of the tenant."""

    currency: str
    id: str
    livemode: bool
    name: str
    object: Literal["budget"]
    percent: int
    """The threshold that was passed; 100: the budget is used up."""

    spent: Decimal


class TranscriptionTold(Transcription):
    """What an event tells of its subject."""

    omitted: dict[str, Literal["too_long", "deleted", "delivered"] | str] | None = None
    """Fields left out of this body, and why. GET the resource for them."""


class SpeechTold(Speech):
    """What an event tells of its subject."""

    omitted: dict[str, Literal["too_long", "deleted", "delivered"] | str] | None = None
    """Fields left out of this body, and why. GET the resource for them."""


class ModelTold(Model):
    """What an event tells of its subject."""

    days_left: int
    id: str
    last_used_on: date
    """The last day on which you used it."""

    livemode: bool
    object: Literal["model"]
    replacement: str | None
    shutdown_date: date
    url: str


class ProviderCredentialTold(ProviderCredential):
    """What an event tells of its subject."""

    omitted: dict[str, Literal["too_long", "deleted", "delivered"] | str] | None = None
    """Fields left out of this body, and why. GET the resource for them."""

    url: str | None = None
    """Where the API shows the resource; asks for your key."""


class DeletedTold(Deleted):
    """What an event tells of its subject."""

    livemode: bool | None = None
    omitted: dict[str, Literal["too_long", "deleted", "delivered"] | str] | None = None
    """Fields left out of this body, and why. GET the resource for them."""

    deleted_at: datetime
    """From this moment on nothing of the content was left."""

    reason: Literal["request", "retention"] | str
    """Deleted by a call, or kept as long as wanted."""


class StatementTold(Model):
    """What an event tells of its subject."""

    currency: str
    due: Decimal
    id: str
    livemode: bool
    object: Literal["statement"]
    period: str
    """YYYY-MM"""

    status: Literal["closed"]
    total: Decimal
    url: str
    """Where the API shows it with its lines."""


class UploadTold(Upload):
    """What an event tells of its subject."""

    omitted: dict[str, Literal["too_long", "deleted", "delivered"] | str] | None = None
    """Fields left out of this body, and why. GET the resource for them."""

    url: str | None = None
    """Where the API shows the resource; asks for your key."""


class WalletTold(Model):
    """What an event tells of its subject."""

    balance: Decimal
    currency: str
    held: Decimal
    id: str
    livemode: bool
    object: Literal["wallet"]


class WebhookEndpointTold(Model):
    """What an event tells of its subject."""

    api_url: str
    """Where the API shows the endpoint; asks for your key."""

    created_at: datetime
    disabled_reason: str | None
    enabled: bool
    event_types: list[str]
    id: str
    livemode: bool
    object: Literal["webhook_endpoint"]
