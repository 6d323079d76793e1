"""`client.transcriptions`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, overload

from parlance._call import Call, RequestOptions, is_json, new_key, parse, quoted
from parlance._generated.models import Deleted, Progress, RawAnswer, Segment, Transcript, Transcription
from parlance._generated.params import RoutingParams
from parlance._model import Model
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.streams import EventStream
from parlance._sync.transport import Transport


class TranscriptionsResourceWithRawResponse:
    def __init__(self, resource: TranscriptionsResource) -> None:
        self.list = raw_page(resource.list)
        self.create = raw(resource.create)
        self.delete = raw(resource.delete)
        self.get = raw(resource.get)
        self.cancel = raw(resource.cancel)
        self.raw = raw_page(resource.raw)
        self.transcript = raw(resource.transcript)


class TranscriptionsResource:
    """`client.transcriptions`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> TranscriptionsResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return TranscriptionsResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        status: Literal["queued", "running", "completed", "failed", "canceled"] | None = None,
        engine: str | None = None,
        tag: str | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[Transcription]:
        """List transcriptions.

        Newest first, without their texts; every filter given must fit.

        With `tag`, a page may hold fewer than `limit` rows, even none, while `has_more` is true: follow
        `next_cursor`.
        """
        call = Call(
            "GET",
            "/v1/transcriptions",
            query={
                "limit": limit,
                "cursor": cursor,
                "status": status,
                "engine": engine,
                "tag": tag,
                "created_after": created_after,
                "created_before": created_before,
            },
            options=options,
        )
        return Pager(self._transport, call, Transcription, Model)

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        audio_end_ms: int | None = None,
        audio_start_ms: int | None = None,
        audio_url: str | None = None,
        delete_after_s: int | None = None,
        destination_id: str | None = None,
        diarize: bool | None = None,
        engine: str | None = None,
        language: str | None = None,
        languages: Sequence[str] | None = None,
        max_speakers: int | None = None,
        metadata: Mapping[str, str] | None = None,
        min_speakers: int | None = None,
        model: str | None = None,
        multichannel: bool | None = None,
        profanity_filter: bool | None = None,
        prompt: str | None = None,
        redact_pii: Sequence[str] | None = None,
        reuse: Literal["auto", "never"] | None = None,
        routing: RoutingParams | None = None,
        simulate: str | None = None,
        speaker_scope: Literal["recording", "part"] | None = None,
        speakers: int | None = None,
        speech_threshold: float | None = None,
        tags: Sequence[str] | None = None,
        task: Literal["transcribe", "translate"] | None = None,
        upload_id: str | None = None,
        vocabulary: Sequence[str] | None = None,
        webhook_url: str | None = None,
        word_timestamps: bool | None = None,
        wait_s: float | None = None,
        options: RequestOptions | None = None,
    ) -> Transcription:
        """Transcribe a recording.

        Accepted as a job; `Prefer: wait=30` answers with the result when it is there in time.

        `idempotency_key`: The same key and request within 24 hours are the same job, billed once.
        `audio_end_ms`: Hear up to here.
        `audio_start_ms`: Hear from here on.
        `audio_url`: An https URL that we fetch once.
        `delete_after_s`: Erase the content so many seconds after the job's end; 0: once it was fetched or
          delivered, after an hour at most. The tenant's own setting holds where it is shorter.
        `diarize`: Label who speaks.
        `engine`: A wish; without one the best is taken.
        `language`: BCP 47 tag of the speech, such as en or ko-KR.
        `languages`: Candidates for detection, when the language is not known.
        `model`: One of an engine's models; see /v1/engines.
        `multichannel`: Hear each channel by itself; segments tell their channel.
        `profanity_filter`: Hide rude words.
        `prompt`: Context for the engine.
        `redact_pii`: Kinds of personal data to hide; ["all"] hides every kind.
        `reuse`: `auto`: the same recording with the same options is answered from the earlier result, at the
          price of a cache hit. Default: the tenant's setting.
        `routing`: Which engines may be taken, and what is to be preferred among them.
        `simulate`: Outcome of the simulated engine, such as transient_error.
        `speaker_scope`: `part`: when no engine hears the whole recording at once, labels hold within a part
          only.
        `speakers`: Exactly so many, if known.
        `speech_threshold`: Refuse a recording with less than this share of speech; nothing is billed then.
        `task`: `translate` gives English text.
        `upload_id`: An upload whose file has arrived.
        `vocabulary`: Names and terms to expect.
        `webhook_url`: Receives this job's events, signed like those of an endpoint.
        `word_timestamps`: true: only engines with times for each word; false: leave the words out.
        """
        call = Call(
            "POST",
            "/v1/transcriptions",
            body={
                "audio_end_ms": audio_end_ms,
                "audio_start_ms": audio_start_ms,
                "audio_url": audio_url,
                "delete_after_s": delete_after_s,
                "destination_id": destination_id,
                "diarize": diarize,
                "engine": engine,
                "language": language,
                "languages": languages,
                "max_speakers": max_speakers,
                "metadata": metadata,
                "min_speakers": min_speakers,
                "model": model,
                "multichannel": multichannel,
                "profanity_filter": profanity_filter,
                "prompt": prompt,
                "redact_pii": redact_pii,
                "reuse": reuse,
                "routing": routing,
                "simulate": simulate,
                "speaker_scope": speaker_scope,
                "speakers": speakers,
                "speech_threshold": speech_threshold,
                "tags": tags,
                "task": task,
                "upload_id": upload_id,
                "vocabulary": vocabulary,
                "webhook_url": webhook_url,
                "word_timestamps": word_timestamps,
            },
            idempotency_key=idempotency_key or new_key(),
            wait_s=wait_s,
            options=options,
        )
        response = self._transport.send(call)
        return parse(response, Transcription)

    def delete(self, transcription_id: str, *, options: RequestOptions | None = None) -> Deleted:
        """Delete a transcription's content.

        Erase audio and text. A running job is canceled first; its line in the bill, if any, stays.
        """
        call = Call("DELETE", f"/v1/transcriptions/{quoted(transcription_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, Deleted)

    def get(
        self, transcription_id: str, *, wait_s: float | None = None, options: RequestOptions | None = None
    ) -> Transcription:
        """Get a transcription.

        The job and, once completed, its text; `Prefer: wait=30` waits for the end.
        """
        call = Call("GET", f"/v1/transcriptions/{quoted(transcription_id)}", wait_s=wait_s, options=options)
        response = self._transport.send(call)
        return parse(response, Transcription)

    def cancel(self, transcription_id: str, *, options: RequestOptions | None = None) -> Transcription:
        """Cancel a transcription.

        Stop at once. What had been read of the text by then stays readable and is billed; nothing else is.
        """
        call = Call("POST", f"/v1/transcriptions/{quoted(transcription_id)}/cancel", options=options)
        response = self._transport.send(call)
        return parse(response, Transcription)

    def raw(self, transcription_id: str, *, options: RequestOptions | None = None) -> Pager[RawAnswer]:
        """List the providers' answers.

        What the providers themselves answered, part by part, as links to their JSON; erased with the
        transcription.

        Empty for an engine of this installation, and for a result that was taken over from another job.
        """
        call = Call("GET", f"/v1/transcriptions/{quoted(transcription_id)}/raw", options=options)
        return Pager(self._transport, call, RawAnswer, Model)

    def stream(
        self, transcription_id: str, *, options: RequestOptions | None = None
    ) -> EventStream[Transcription | Deleted | Progress | Segment]:
        """Follow a transcription as server-sent events.

        Text as it is heard. What was sent counts as read: if the job is canceled, that part is billed.

        A comment every 15 s keeps the connection alive. A stream that ends without its last event was cut:
        come back with `Last-Event-ID`, to any process and also after the end, and nothing is missed or told
        twice.
        """
        call = Call("GET", f"/v1/transcriptions/{quoted(transcription_id)}/stream", options=options)
        return EventStream(
            self._transport,
            call,
            {
                "canceled": Transcription,
                "completed": Transcription,
                "deleted": Deleted,
                "failed": Transcription,
                "progress": Progress,
                "segment": Segment,
                "status": Transcription,
            },
        )

    @overload
    def transcript(
        self,
        transcription_id: str,
        *,
        max_line_chars: int | None = None,
        max_lines: int | None = None,
        min_cue_ms: int | None = None,
        max_cue_ms: int | None = None,
        max_chars_per_s: int | None = None,
        word_times: bool | None = None,
        speakers: bool | None = None,
        paragraphs: bool | None = None,
        format: Literal["json"] | None = None,
        download: bool | None = None,
        options: RequestOptions | None = None,
    ) -> Transcript: ...
    @overload
    def transcript(
        self,
        transcription_id: str,
        *,
        max_line_chars: int | None = None,
        max_lines: int | None = None,
        min_cue_ms: int | None = None,
        max_cue_ms: int | None = None,
        max_chars_per_s: int | None = None,
        word_times: bool | None = None,
        speakers: bool | None = None,
        paragraphs: bool | None = None,
        format: Literal["srt", "vtt", "text"],
        download: bool | None = None,
        options: RequestOptions | None = None,
    ) -> str: ...
    def transcript(
        self,
        transcription_id: str,
        *,
        max_line_chars: int | None = None,
        max_lines: int | None = None,
        min_cue_ms: int | None = None,
        max_cue_ms: int | None = None,
        max_chars_per_s: int | None = None,
        word_times: bool | None = None,
        speakers: bool | None = None,
        paragraphs: bool | None = None,
        format: Literal["srt", "vtt", "text", "json"] | None = None,
        download: bool | None = None,
        options: RequestOptions | None = None,
    ) -> Transcript | str:
        """Get text, captions or words.

        The transcript as json, text, srt or vtt, in UTF-8; `download=true` names it after the recording, to
        be saved.

        A canceled transcription has one as far as its text had been read before.

        `max_line_chars`: Letters on a line as a reader counts them: 42, for ko 16, ja 13, zh 16.
        `max_lines`: Of one caption; 2.
        `min_cue_ms`: A caption stays so long if the next one leaves room; 1000.
        `max_cue_ms`: No caption stays longer; 7000.
        `max_chars_per_s`: Reading speed: a caption stays until it is read, if the next one leaves room; 17,
          for ko 12, ja 4, zh 9.
        `word_times`: vtt: each word's time inside the captions, where the engine gave it; false.
        `speakers`: Name speakers, else channels, where known; true.
        `paragraphs`: text: with paragraphs (true), or on one line.
        """
        call = Call(
            "GET",
            f"/v1/transcriptions/{quoted(transcription_id)}/transcript",
            query={
                "max_line_chars": max_line_chars,
                "max_lines": max_lines,
                "min_cue_ms": min_cue_ms,
                "max_cue_ms": max_cue_ms,
                "max_chars_per_s": max_chars_per_s,
                "word_times": word_times,
                "speakers": speakers,
                "paragraphs": paragraphs,
                "format": format,
                "download": download,
            },
            options=options,
        )
        response = self._transport.send(call)
        if not is_json(response):
            return response.text
        return parse(response, Transcript)
