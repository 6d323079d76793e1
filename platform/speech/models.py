"""A tenant's content: uploads, requests and transcripts. These tables live in the tenant's own schema."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from apikit.ids import new_id


class Upload(models.Model):
    """A ticket for one file, and the file once it has arrived. Used once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    livemode = models.BooleanField()
    object_key = models.CharField(max_length=300)
    filename = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    part_bytes = models.BigIntegerField(
        null=True, help_text="The size of each part but the last; null: the file comes whole."
    )
    parts_id = models.TextField(
        blank=True, default="", db_default="", help_text="The store's own name for a file in parts."
    )
    completed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "upload"
        indexes = [models.Index(fields=["livemode", "-id"], name="upload_list")]


class TranscriptionRequest(models.Model):
    """What the customer asked for, and what was found out about the audio. One row per transcription job."""

    job_id = models.UUIDField(primary_key=True)
    livemode = models.BooleanField()
    object_key = models.CharField(max_length=300, blank=True)
    audio_url = models.TextField(blank=True)
    filename = models.CharField(max_length=255, blank=True)
    engine = models.CharField(max_length=64, blank=True, help_text="The customer's wish; empty: any.")
    language = models.CharField(max_length=35, blank=True)
    options = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    tags = ArrayField(models.CharField(max_length=64), default=list)
    routing = models.JSONField(default=dict)
    media = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    error = models.JSONField(null=True)
    presentation = models.JSONField(
        default=dict, db_default={}, help_text="How a route answers that decides it at the request."
    )
    sha256 = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the source file, once known."
    )
    reuse = models.BooleanField(
        default=False, db_default=False, help_text="Whether an earlier result for the same may be the answer."
    )
    reused_from = models.UUIDField(null=True, help_text="The job whose result this one took over.")
    destination = models.JSONField(null=True, help_text="Where the result is copied, as the resource shows it.")
    delete_after_s = models.BigIntegerField(
        null=True, help_text="Seconds from the job's end to the erasure of its content; 0: once it was fetched."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "transcription_request"


class TranscriptionTag(models.Model):
    """A tag of a job, for lists: written with the job, removed with its content."""

    pk = models.CompositePrimaryKey("livemode", "tag", "job_id")
    livemode = models.BooleanField()
    tag = models.CharField(max_length=64)
    job_id = models.UUIDField()

    class Meta:
        db_table = "transcription_tag"


class StoredTranscript(models.Model):
    """The canonical transcript: inline when small, else as an object."""

    job_id = models.UUIDField(primary_key=True)
    language = models.CharField(max_length=35, blank=True)
    body = models.JSONField(null=True)
    object_key = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "transcript"


class Checkpoint(models.Model):
    """A finished segment of a running job, until `merge` has joined them."""

    pk = models.CompositePrimaryKey("job_id", "ordinal")
    job_id = models.UUIDField()
    ordinal = models.IntegerField()
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    engine = models.CharField(max_length=64)
    price_version = models.IntegerField(null=True)
    body = models.JSONField()
    raw_key = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="The object of the provider's own answer."
    )

    class Meta:
        db_table = "checkpoint"


class SharedResult(models.Model):
    """Jobs that ask the same of the same recording: one leader, whose result is or will be the others' too."""

    job_id = models.UUIDField(primary_key=True)
    livemode = models.BooleanField()
    fingerprint = models.BinaryField(help_text="SHA-256 over the recording's hash and everything asked of it.")
    leads = models.BooleanField()
    followed = models.BooleanField(
        default=False, db_default=False, help_text="Whether others wait for this leader: it must tell them of its end."
    )

    class Meta:
        db_table = "shared_result"
        constraints = [
            models.UniqueConstraint(
                fields=["livemode", "fingerprint"], name="shared_result_leader", condition=models.Q(leads=True)
            )
        ]
        indexes = [
            models.Index(
                fields=["livemode", "fingerprint", "job_id"],
                name="shared_result_followers",
                condition=models.Q(leads=False),
            )
        ]


class SpeechRequest(models.Model):
    """What is to be said, and how. One row per speech job."""

    job_id = models.UUIDField(primary_key=True)
    livemode = models.BooleanField()
    text = models.TextField(help_text="NFC; SSML as it was sent.")
    said_as = models.TextField(
        blank=True, db_default="", help_text="The text as the tenant's dictionary had it said; empty: as it was sent."
    )
    swaps = models.JSONField(
        default=list, db_default=[], help_text="Where the two differ: [start, end, said_start, said_end]."
    )
    timings = models.CharField(max_length=8, blank=True, default="", db_default="", help_text="word | sentence")
    is_ssml = models.BooleanField(default=False)
    characters = models.IntegerField(help_text="Code points of the spoken text: what is billed.")
    voice = models.CharField(max_length=128)
    engine = models.CharField(max_length=64)
    language = models.CharField(max_length=35)
    format = models.CharField(max_length=8)
    sample_rate_hz = models.IntegerField()
    speed_permille = models.IntegerField()
    style = models.CharField(max_length=32, blank=True, default="", db_default="")
    simulate = models.CharField(max_length=64, blank=True)
    metadata = models.JSONField(default=dict)
    tags = ArrayField(models.CharField(max_length=64), default=list)
    routing = models.JSONField(default=dict)
    warnings = models.JSONField(default=list)
    error = models.JSONField(null=True)
    reuse = models.BooleanField()
    reused_from = models.UUIDField(null=True)
    destination = models.JSONField(null=True, help_text="Where the file is copied, as the resource shows it.")
    delete_after_s = models.BigIntegerField(
        null=True, help_text="Seconds from the job's end to the erasure of its content; 0: once it was fetched."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "speech_request"

    @property
    def voiced(self) -> str:
        """The text as the voice gets it."""
        return self.said_as or self.text


class SpokenAudio(models.Model):
    """The finished file of a speech job."""

    job_id = models.UUIDField(primary_key=True)
    object_key = models.CharField(max_length=300)
    content_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    duration_ms = models.BigIntegerField()
    sample_rate_hz = models.IntegerField()
    used_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="When it was made, fetched or taken over last."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "spoken_audio"
        indexes = [models.Index(fields=["used_at", "job_id"], name="spoken_audio_used")]


class VoiceAlias(models.Model):
    """The tenant's own name for a voice."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    livemode = models.BooleanField()
    name = models.CharField(max_length=64)
    voice = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "voice_alias"
        constraints = [models.UniqueConstraint(fields=["livemode", "name"], name="voice_alias_name")]


class DictionaryEntry(models.Model):
    """How a term is said in a language."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    livemode = models.BooleanField()
    language = models.CharField(max_length=35, help_text="Lower case; without a region it holds for all of them.")
    term = models.CharField(max_length=300)
    say_as = models.CharField(max_length=600)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "dictionary_entry"
        constraints = [models.UniqueConstraint(fields=["livemode", "language", "term"], name="dictionary_entry_term")]


class ContentPolicy(models.Model):
    """What the tenant does not want said. No row: nothing is forbidden."""

    livemode = models.BooleanField(primary_key=True)
    deny_terms = ArrayField(models.CharField(max_length=300), default=list)
    moderator_url = models.TextField(blank=True)
    when_moderator_fails = models.CharField(max_length=8, default="refuse")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "content_policy"


class Destination(models.Model):
    """A bucket of the tenant's own, and the role that writes there; usable once it is verified."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    livemode = models.BooleanField()
    bucket = models.CharField(max_length=63)
    prefix = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=40)
    endpoint_url = models.CharField(max_length=300, blank=True)
    role_arn = models.CharField(max_length=600)
    external_id = models.CharField(max_length=64, unique=True)
    verified_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "destination"
        indexes = [models.Index(fields=["livemode", "-id"], name="destination_list")]


class ProviderCredential(models.Model):
    """The tenant's own credentials at a provider; the secret is sealed and bound to this row and column."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    livemode = models.BooleanField()
    provider = models.CharField(max_length=20)
    region = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=100, blank=True)
    secret = models.BinaryField()
    last4 = models.CharField(max_length=4, blank=True)
    checked_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)
    failing_code = models.CharField(max_length=64, blank=True)
    rotated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "provider_credential"
        constraints = [models.UniqueConstraint(fields=["livemode", "provider"], name="provider_credential_once")]
