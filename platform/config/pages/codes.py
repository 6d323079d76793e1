"""Every stable `code` of a problem or a failed job: data, from which `/problems/<code>` is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Code:
    """One code: where it is met (an HTTP status, or 0 for a job's `error`), what it means and what to do.

    `again`: the same request may be sent again, later and with the same Idempotency-Key.
    """

    status: int
    meaning: str
    action: str
    again: bool = False


_REQUESTS: Final = {
    "bad_request": Code(400, "The request line or a header cannot be read.", "Percent-encode the path as UTF-8."),
    "invalid_json": Code(
        400, "The body is not one JSON object.", "Send UTF-8, each name once, with Content-Type application/json."
    ),
    "invalid_multipart": Code(
        400, "The multipart body cannot be taken apart.", "Let your HTTP client build the form; send the file last."
    ),
    "invalid_request": Code(
        422, "One or more fields are wrong.", "Read `errors`: each entry names the field, a code and what to send."
    ),
    "quarantined": Code(
        503,
        "The system was restored from a backup; until its operator has looked at it, it can only be read.",
        "Try again later; the operator ends it with `parlance resume`.",
        again=True,
    ),
    "invalid_idempotency_key": Code(400, "The Idempotency-Key is empty or too long.", "Send 1 to 255 characters."),
    "idempotency_key_reused": Code(
        422, "This Idempotency-Key came with another request before.", "Use a new key for a new request."
    ),
    "body_too_large": Code(413, "The body is larger than this route takes.", "Create an upload and PUT the file."),
    "method_not_allowed": Code(405, "The path exists, the method does not.", "See the `Allow` header."),
    "not_found": Code(
        404,
        "There is nothing of this id for your key. What belongs to somebody else looks the same.",
        "Check the id and that the key is of the same mode (live or test).",
    ),
    "http_error": Code(400, "The request cannot be served as sent.", "Compare it with the reference."),
    "internal_error": Code(500, "A fault on our side.", "Send it again, or quote the request_id.", again=True),
    "unavailable": Code(503, "A part of the service restarts.", "Wait for Retry-After and send it again.", again=True),
    "overloaded": Code(
        503, "More work waits than can be done in time.", "Wait for Retry-After and send it again.", again=True
    ),
    "storage_unavailable": Code(503, "The object store does not answer.", "Send it again later.", again=True),
    "not_done_in_time": Code(
        504, "A synchronous route waited as long as it may; the job goes on.", "Send it again: it joins the same job.",
        again=True,
    ),
    "rate_limited": Code(
        429, "A rate of requests, audio seconds or characters is used up.", "Wait for Retry-After.", again=True
    ),
    "rate_limit_too_small": Code(422, "More than a rate allows in a whole period.", "Send it in parts."),
    "too_many_at_once": Code(
        429, "The limit of requests at the same moment is reached.", "Send it again when one has ended.", again=True
    ),
    "too_many_streams": Code(429, "Too many open streams.", "Close some, or poll with `Prefer: wait`.", again=True),
    "canceled": Code(409, "The job was canceled while the answer was waited for.", "Send a new request."),
    "not_ready": Code(
        409, "The job has not finished.", "Ask with `Prefer: wait=30`, or wait for its webhook.", again=True
    ),
}  # fmt: skip

_ACCESS: Final = {
    "invalid_api_key": Code(
        401, "The key is missing, malformed, unknown, expired or revoked.", "Send `Authorization: Bearer parl_…`."
    ),
    "wrong_key_kind": Code(
        403,
        "A key of the operator's was sent to a tenant's route, or the other way round.",
        "Send the operator's key (`parl_op_…`) to /v1/admin/ only, and a tenant's everywhere else.",
    ),
    "tenant_ended": Code(409, "The tenant is closed for good.", "Create another tenant."),
    "ip_not_allowed": Code(403, "The key may not be used from this address.", "Change the key's address list."),
    "scope_missing": Code(403, "The key lacks the scope that the detail names.", "Use or make a key that has it."),
    "autoscale_token_wrong": Code(
        401, "The token of /internal/autoscale is missing or wrong.", "Send PARLANCE_AUTOSCALE_TOKEN as the bearer."
    ),
    "key_too_wide": Code(
        422, "A key cannot give more rights than it has: scopes, addresses, life.", "Ask for less, or use a wider key."
    ),
    "key_ended": Code(409, "The key was revoked or replaced.", "Make a new one."),
    "member_exists": Code(409, "Somebody of this address is a member already.", "Change the role, or send a new link."),
    "last_owner": Code(409, "The tenant would be without an owner who has joined.", "Make another member owner first."),
    "too_many_members": Code(422, "There are as many members as there may be.", "Remove who has left."),
    "too_many_keys": Code(422, "There are as many living keys as there may be.", "Revoke those that nobody uses."),
    "tenant_closed": Code(0, "The tenant was closed before the job had ended.", "Nothing was billed."),
    "tenant_suspended": Code(
        403, "The tenant is suspended: running jobs end, new ones are refused.", "Ask the operator."
    ),
}

_MONEY: Final = {
    "insufficient_funds": Code(
        402, "The balance and credit do not cover the job.", "Top up, or ask for a credit limit."
    ),
    "budget_exceeded": Code(402, "A budget of the tenant or the key is used up.", "Raise it, or wait for its period."),
    "no_wallet": Code(422, "There is no wallet.", "Ask the operator to open one."),
    "no_price": Code(422, "No price book prices this engine in your currency.", "Choose another engine."),
    "mixed_currencies": Code(422, "Amounts of several currencies cannot be added.", "Ask for one currency."),
    "metering_open": Code(409, "Work of the month is still running.", "Close it once all has ended.", again=True),
    "nothing_to_reverse": Code(422, "The job has no entries, or they were reversed.", "Check the job's id."),
    "changes_past": Code(
        409,
        "A price book would change the minimum commit of months that have begun.",
        "Draft it again from a later month on, or have the operator approve it as retroactive.",
    ),
    "same_person": Code(403, "Who made it cannot approve it.", "Ask somebody else with the right."),
    "wrong_status": Code(409, "It is not in a state in which this can be done.", "Look at its status."),
    "currency_frozen": Code(422, "A wallet in use keeps its currency.", "Bring balance and holds to zero first."),
    "period_not_over": Code(422, "A month can be closed once it is over.", "Close it in the month after."),
    "hold_missing": Code(500, "A job has neither hold nor entries.", "Quote the request_id to the operator."),
    "stripe_off": Code(409, "Payments are not set up on this installation.", "Ask the operator."),
    "payments_unavailable": Code(
        503, "The payment provider does not answer.", "Wait for Retry-After and send it again.", again=True
    ),
    "live_key_needed": Code(409, "Test keys cost nothing, so there is nothing to pay.", "Use a live key."),
    "wallet_missing": Code(409, "There is no prepaid wallet to top up.", "Ask the operator for one."),
    "currency_not_collectable": Code(
        409, "Stripe does not take this currency, or not this amount exactly.", "Use another amount, or pay otherwise."
    ),
    "stripe_disagreement": Code(409, "Stripe holds something else than was sent.", "A person of finance looks at it."),
    "invalid_signature": Code(400, "A Stripe event is not signed by our account's secret.", "Nothing: it is refused."),
    "billing_error": Code(422, "Billing refused the request.", "The detail says why."),
}

_MEDIA: Final = {
    "whisper_pool_elsewhere": Code(
        0, "The Whisper pool that was to hear a part is not in this process.", "Nothing: it is tried again.", again=True
    ),
    "whisper_pool_closed": Code(0, "No Whisper pool takes parts just now.", "Nothing: it is tried again.", again=True),
    "whisper_pool_leaves": Code(0, "The Whisper pool ended during a part.", "Nothing: it is tried again.", again=True),
    "whisper_pool_failed": Code(0, "The Whisper pool failed at a part.", "Nothing: it is tried again.", again=True),
    "audio_missing": Code(0, "The job's audio is gone.", "Send the audio again."),
    "audio_range_empty": Code(0, "audio_start_ms is not before the audio's end.", "Send a smaller audio_start_ms."),
    "diarization_too_long": Code(
        0, "The engine labels speakers over shorter audio only.", "Send `speaker_scope: part`, or another engine."
    ),
    "speech_threshold_not_met": Code(0, "Less speech than speech_threshold asks for.", "Nothing was billed."),
    "media_bad_rate": Code(0, "The sample rate is outside the limits.", "Resample to 8 to 192 kHz."),
    "media_damaged": Code(0, "The bytes are not what the format promises.", "Export the file again."),
    "media_decoder_failed": Code(0, "The decoder gave up on this file.", "Convert it to WAV or FLAC.", again=True),
    "media_empty": Code(422, "There is no sound in it.", "Check what was recorded."),
    "media_no_audio": Code(0, "The container has no audio track.", "Send a file with sound."),
    "media_not_audio": Code(422, "This is a text, image, document or archive.", "Send audio or video."),
    "media_too_long": Code(0, "The audio is longer than the limit.", "Cut it and send the parts."),
    "media_too_many_channels": Code(0, "More channels than the limit.", "Mix them down."),
    "media_unsupported": Code(422, "Not a format that is accepted.", "Convert it to WAV, FLAC, MP3, OGG or MP4."),
    "no_transcript": Code(409, "The job ended without a transcript.", "See the job's `error`."),
    "no_audio": Code(409, "The job ended without audio.", "See the job's `error`."),
    "not_cancelable": Code(409, "The job has ended.", "There is nothing to cancel."),
}

_UPLOADS: Final = {
    "upload_already_complete": Code(409, "The file of this upload has arrived.", "Use it, or create a new upload."),
    "upload_expired": Code(409, "The upload's time is over.", "Create a new one."),
    "upload_incomplete": Code(409, "The file of this upload has not arrived.", "PUT it first."),
    "upload_stalled": Code(408, "The body stopped coming.", "PUT it again.", again=True),
    "upload_used": Code(409, "Another job has taken this upload.", "Create a new one for each job."),
    "upload_closed": Code(
        409, "No part of this upload can come any more: it is complete or its time is over.", "Look at the upload."
    ),
    "origin_not_allowed": Code(
        403, "Pages of this origin may not send files here.", "Register the origin: PUT /v1/upload-origins."
    ),
    "checksum_mismatch": Code(422, "The bytes have another SHA-256 than was signed.", "Send the file that was signed."),
    "content_encoding_refused": Code(415, "A PUT takes the plain bytes.", "Leave Content-Encoding out."),
    "content_range_refused": Code(400, "A PUT takes the whole file.", "Leave Content-Range out."),
    "content_type_mismatch": Code(415, "Another Content-Type than was signed.", "Send the type of the upload."),
    "length_mismatch": Code(400, "More or fewer bytes than declared.", "Declare the file's true size."),
    "length_required": Code(411, "The size must be declared.", "Send Content-Length."),
    "method_mismatch": Code(403, "The URL was signed for another method.", "Use the method it was made for."),
    "range_not_satisfiable": Code(416, "The range lies outside the file.", "See Content-Range for its size."),
    "signature_invalid": Code(403, "The URL was altered.", "Use it exactly as it was given."),
    "url_expired": Code(403, "The URL's time is over.", "GET the resource for a fresh one."),
    "object_missing": Code(404, "There is no such file.", "GET the resource for a fresh URL."),
    "object_exists": Code(409, "The file is there already.", "Create a new upload."),
    "too_large": Code(413, "The file is larger than allowed.", "Send a smaller one."),
}

_FETCHING: Final = {
    "url_blocked": Code(422, "The URL leads to an address that may not be called.", "Use a public https URL."),
    "connect_failed": Code(0, "Nobody answered at the URL.", "Check that it is reachable.", again=True),
    "tls_failed": Code(0, "The URL's certificate is not valid.", "Renew it, or use another host."),
    "connection_lost": Code(0, "The connection broke while fetching.", "Send the job again.", again=True),
    "deadline_exceeded": Code(0, "Fetching took too long.", "Use a faster host, or an upload.", again=True),
    "too_slow": Code(0, "The host sends too slowly.", "Use a faster host, or an upload."),
    "response_too_large": Code(0, "The answer is larger than allowed.", "Send a smaller file."),
    "unsupported_encoding": Code(0, "The host compressed its answer.", "Serve the plain file."),
    "http_status": Code(0, "The host answered with an error.", "Check the URL and its expiry."),
}

_ENGINES: Final = {
    "no_engine_allowed": Code(
        422, "The routing policies of request, key and tenant leave no engine.", "Widen `routing`, or ask the operator."
    ),
    "no_engine": Code(422, "No engine can do all of this.", "The detail lists engines that come close."),
    "callback_refused": Code(403, "Not what the provider of the call would send.", "Only providers call this."),
    "callback_not_awaited": Code(503, "The call is being worked on.", "Bring it again after Retry-After.", again=True),
    "provider_never_finished": Code(0, "The provider took the part and never brought its text.", "Send it again."),
    "unknown_engine": Code(422, "There is no engine of that name.", "See GET /v1/engines."),
    "unknown_model": Code(422, "There is no model of that name.", "See GET /v1/engines or /v1/models."),
    "model_retired": Code(422, "The provider has shut the model down.", "Use the replacement that the detail names."),
    "model_shut_down": Code(404, "The provider has shut the model down.", "Use the replacement that is named."),
    "language_unsupported": Code(0, "The engine does not know the language.", "Choose another engine."),
    "part_too_long": Code(0, "A part was longer than the engine takes.", "Quote the request_id.", again=True),
    "not_now": Code(0, "The engine takes no calls now.", "Send the job again later.", again=True),
    "provider_answer_unusable": Code(0, "The provider's answer made no sense.", "Send the job again.", again=True),
    "provider_busy": Code(0, "The provider takes no more calls now.", "Send the job again later.", again=True),
    "provider_connection_lost": Code(0, "The provider's answer broke off.", "Send the job again.", again=True),
    "provider_credentials_gone": Code(0, "Your own credentials were deleted meanwhile.", "Send the job again."),
    "provider_credentials_refused": Code(0, "The provider refused the credentials.", "Renew them."),
    "provider_error": Code(0, "The provider failed on its side.", "Send the job again later.", again=True),
    "provider_quota": Code(0, "The account at the provider is used up.", "Raise its limit."),
    "circuit_open": Code(0, "The provider failed too often just now.", "Send it again later.", again=True),
    "held_back": Code(0, "The provider asked to be left alone for a while.", "Send it again later.", again=True),
    "retries_spent": Code(0, "The provider is in trouble; no more tries now.", "Send it again later.", again=True),
    "provider_refused": Code(0, "The provider refused the request.", "Change it, or choose another engine."),
    "provider_timeout": Code(0, "The provider did not answer in time.", "Send the job again later.", again=True),
    "provider_unreachable": Code(503, "The provider cannot be reached.", "Send the job again later.", again=True),
    "simulated_unknown": Code(0, "The `simulate` option is not known.", "See the testing page."),
}

_SPEECH: Final = {
    "text_empty": Code(422, "There is nothing to say.", "Send text with at least one letter."),
    "text_too_long": Code(422, "The text is longer than allowed.", "Send it in parts."),
    "text_control_characters": Code(422, "The text has control characters.", "Take them out."),
    "ssml_invalid": Code(422, "The SSML is not well-formed or not allowed.", "Check it; entities are not expanded."),
    "ssml_tag_unsupported": Code(422, "The engine does not know a tag.", "Leave it out, or choose another voice."),
    "style_unsupported": Code(
        422, "The voice does not speak in this style.", "Take a voice that has it: /v1/voices?style=... lists them."
    ),
    "ssml_too_long": Code(422, "SSML is not cut, and this is too long at once.", "Send it in parts."),
    "dictionary_too_long": Code(422, "The dictionary makes the text too long.", "Shorten the text or the entries."),
    "unknown_voice": Code(422, "There is no such voice.", "See GET /v1/voices."),
    "no_voice": Code(422, "No voice fits.", "See GET /v1/voices."),
    "voice_language": Code(422, "The voice does not speak the language.", "The detail names voices that do."),
    "voice_script": Code(422, "The voice is made for another script.", "The detail names voices that fit."),
    "voice_unavailable": Code(0, "The provider does not have the voice here.", "Choose another voice."),
    "speed_unsupported": Code(422, "The voice cannot speak so fast or slowly.", "The detail has its limits."),
    "timings_unsupported": Code(422, "The engine does not tell such times.", "The detail names engines that do."),
    "audio_expired": Code(410, "The file was not used for long and is gone.", "Send the text again."),
    "no_timings": Code(409, "The speech was made without times.", "Send the text again with `timings`."),
    "speed_out_of_range": Code(0, "The speed is outside the engine's limits.", "Choose another speed."),
    "speech_timeout": Code(0, "The engine took too long.", "Send it again.", again=True),
    "speech_too_long": Code(0, "The engine speaks only so long at once.", "Send it in parts."),
    "encoding_failed": Code(0, "The audio could not be encoded.", "Choose another format.", again=True),
    "cut_short": Code(0, "The engine's answer ended early.", "Send it again.", again=True),
    "encoder_died": Code(0, "The encoder stopped.", "Send it again.", again=True),
    "content_policy": Code(422, "Your content policy forbids this text.", "Nothing was billed."),
    "moderator_unavailable": Code(503, "Your moderator did not answer.", "Send it again.", again=True),
    "alias_taken": Code(409, "There is an alias of that name.", "PATCH it, or take another name."),
    "term_taken": Code(409, "The dictionary has this term.", "PATCH its entry."),
    "endpoint_not_allowed": Code(422, "The operator does not allow this endpoint.", "Leave it out for AWS."),
    "destination_unverified": Code(409, "The destination is not verified.", "POST its /verify first."),
    "destination_refused": Code(409, "Your role or bucket refuses.", "Check its policies and the external id."),
    "destination_role_open": Code(409, "Your role needs no external id.", "Require sts:ExternalId in its policy."),
    "destination_bucket_missing": Code(409, "There is no such bucket.", "Check its name."),
    "destination_region": Code(409, "The bucket is in another region.", "Register it with its own region."),
    "destination_unreachable": Code(503, "The bucket cannot be reached now.", "Try it again later.", again=True),
    "destination_deleted": Code(0, "The destination was deleted before the copy.", "Fetch the result."),
    "destinations_not_set_up": Code(409, "The installation cannot take on roles.", "The operator must set it up."),
    "provider_credential_refused": Code(422, "The provider does not take these credentials.", "Check them there."),
    "provider_credential_exists": Code(409, "There are credentials for this provider.", "Rotate or delete them."),
    "live_key_required": Code(403, "A test key cannot do this.", "Use a live key."),
    "invalid_region": Code(422, "The provider does not work there.", "The detail names regions."),
    "too_many": Code(422, "A limit per tenant is reached.", "Delete one first."),
}

_WEBHOOKS: Final = {
    "unknown_event_type": Code(422, "There is no such event type.", "The detail lists them."),
    "too_many_endpoints": Code(422, "The tenant's endpoints are used up.", "Delete one, or change one."),
    "too_many_webhook_urls": Code(422, "Jobs have named too many URLs.", "Make an endpoint."),
    "webhook_url_not_allowed": Code(403, "The operator's policy forbids this URL.", "Use an endpoint."),
    "header_refused": Code(422, "A custom header may not or cannot be sent.", "The detail says which."),
    "job_url_fixed": Code(409, "A job's URL cannot be changed so.", "Make an endpoint."),
    "endpoint_closed": Code(409, "Disabled, deleted, or the event has expired.", "Enable it, or replay."),
    "rotation_running": Code(409, "The secret before the last still signs.", "Wait until it expires.", again=True),
    "replay_running": Code(409, "One replay of an endpoint at a time.", "Wait, or cancel it.", again=True),
    "delivery_busy": Code(409, "An attempt is under way.", "Ask again in a moment.", again=True),
    "webhook_error": Code(422, "The webhook request was refused.", "The detail says why."),
}

SECTIONS: Final[dict[str, dict[str, Code]]] = {
    "Requests": _REQUESTS,
    "Keys and rights": _ACCESS,
    "Money": _MONEY,
    "Audio and transcripts": _MEDIA,
    "Uploads and files": _UPLOADS,
    "Fetching your URLs": _FETCHING,
    "Engines and providers": _ENGINES,
    "Speech": _SPEECH,
    "Webhooks": _WEBHOOKS,
}
CODES: Final[dict[str, Code]] = {name: code for section in SECTIONS.values() for name, code in section.items()}
