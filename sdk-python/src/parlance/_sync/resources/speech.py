"""`client.speech`.

Generated from openapi.json by `make sdk`: do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from parlance._call import Call, RequestOptions, new_key, parse, quoted
from parlance._generated.models import Deleted, Speech, SpeechTimings
from parlance._model import Model
from parlance._sync.pages import Pager
from parlance._sync.raw import raw, raw_page
from parlance._sync.streams import ByteStream
from parlance._sync.transport import Transport


class SpeechResourceWithRawResponse:
    def __init__(self, resource: SpeechResource) -> None:
        self.list = raw_page(resource.list)
        self.create = raw(resource.create)
        self.delete = raw(resource.delete)
        self.get = raw(resource.get)
        self.cancel = raw(resource.cancel)
        self.captions = raw(resource.captions)
        self.timings = raw(resource.timings)


class SpeechResource:
    """`client.speech`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def with_raw_response(self) -> SpeechResourceWithRawResponse:
        """The same methods; each returns a `RawResponse`: status and headers beside the answer or the page."""
        return SpeechResourceWithRawResponse(self)

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        status: Literal["queued", "running", "completed", "failed", "canceled"] | None = None,
        options: RequestOptions | None = None,
    ) -> Pager[Speech]:
        """List speech jobs.

        Newest first.
        """
        call = Call("GET", "/v1/speech", query={"limit": limit, "cursor": cursor, "status": status}, options=options)
        return Pager(self._transport, call, Speech, Model)

    def create(
        self,
        *,
        idempotency_key: str | None = None,
        delete_after_s: int | None = None,
        destination_id: str | None = None,
        engine: str | None = None,
        format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm", "mulaw"] | None = None,
        language: str | None = None,
        metadata: Mapping[str, str] | None = None,
        reuse: Literal["auto", "never"] | None = None,
        sample_rate_hz: int | None = None,
        simulate: str | None = None,
        speed: float | None = None,
        ssml: str | None = None,
        style: str | None = None,
        tags: Sequence[str] | None = None,
        text: str | None = None,
        timings: Literal["word", "sentence"] | None = None,
        voice: str | None = None,
        webhook_url: str | None = None,
        options: RequestOptions | None = None,
    ) -> Speech:
        """Speak a text.

        Short text is answered with the audio itself; long text, or `Prefer: respond-async`, with a job.

        `idempotency_key`: The same key and request within 24 hours are the same job, billed once.
        `delete_after_s`: Erase the content so many seconds after the job's end; 0: once it was fetched or
          delivered, after an hour at most. The tenant's own setting holds where it is shorter.
        `language`: BCP 47 tag; without one, by the text's script.
        `reuse`: `auto`: the same text in the same voice is answered from the cache, cheaper.
        `sample_rate_hz`: Default: the voice's own rate, or the next one that the format knows.
        `speed`: 1 is the voice's own speed.
        `ssml`: A <speak> document instead of text.
        `style`: One of the voice's `styles`, see /v1/voices; without a voice, one that has it speaks.
        `text`: Plain text, up to 200,000 characters.
        `timings`: When each word or sentence is said, see /timings and /captions. With Amazon Polly a call of
          its own, billed like the speech; /v1/engines tells which engines can.
        `voice`: A voice or alias, see /v1/voices; without, by language.
        """
        call = Call(
            "POST",
            "/v1/speech",
            body={
                "delete_after_s": delete_after_s,
                "destination_id": destination_id,
                "engine": engine,
                "format": format,
                "language": language,
                "metadata": metadata,
                "reuse": reuse,
                "sample_rate_hz": sample_rate_hz,
                "simulate": simulate,
                "speed": speed,
                "ssml": ssml,
                "style": style,
                "tags": tags,
                "text": text,
                "timings": timings,
                "voice": voice,
                "webhook_url": webhook_url,
            },
            idempotency_key=idempotency_key or new_key(),
            prefer="respond-async",
            options=options,
        )
        response = self._transport.send(call)
        return parse(response, Speech)

    def delete(self, speech_id: str, *, options: RequestOptions | None = None) -> Deleted:
        """Delete a speech job's content.

        Erase text and audio. A running job is canceled first; its line in the bill, if any, stays.
        """
        call = Call("DELETE", f"/v1/speech/{quoted(speech_id)}", options=options)
        response = self._transport.send(call)
        return parse(response, Deleted)

    def get(
        self,
        speech_id: str,
        *,
        url_expires_s: int | None = None,
        wait_s: float | None = None,
        options: RequestOptions | None = None,
    ) -> Speech:
        """Get a speech job.

        The job and, once completed, a fresh URL of its file; `Prefer: wait=30` waits for the end.
        """
        call = Call(
            "GET",
            f"/v1/speech/{quoted(speech_id)}",
            query={"url_expires_s": url_expires_s},
            wait_s=wait_s,
            options=options,
        )
        response = self._transport.send(call)
        return parse(response, Speech)

    def audio(self, speech_id: str, *, options: RequestOptions | None = None) -> ByteStream:
        """Get the audio.

        The file itself, or for a large one a redirect to its signed URL.
        """
        call = Call("GET", f"/v1/speech/{quoted(speech_id)}/audio", options=options)
        return ByteStream(self._transport, call)

    def cancel(self, speech_id: str, *, options: RequestOptions | None = None) -> Speech:
        """Cancel a speech job.

        Stop at once. What was sent of a stream by then is billed; nothing else is.
        """
        call = Call("POST", f"/v1/speech/{quoted(speech_id)}/cancel", options=options)
        response = self._transport.send(call)
        return parse(response, Speech)

    def captions(
        self,
        speech_id: str,
        *,
        max_line_chars: int | None = None,
        max_lines: int | None = None,
        min_cue_ms: int | None = None,
        max_cue_ms: int | None = None,
        max_chars_per_s: int | None = None,
        word_times: bool | None = None,
        format: Literal["srt", "vtt"] | None = None,
        download: bool | None = None,
        options: RequestOptions | None = None,
    ) -> str:
        """Get captions of a speech.

        The text as captions for the audio; `download=true` has them saved under the job's id.

        `max_line_chars`: Letters on a line as a reader counts them: 42, for ko 16, ja 13, zh 16.
        `max_lines`: Of one caption; 2.
        `min_cue_ms`: A caption stays so long if the next one leaves room; 1000.
        `max_cue_ms`: No caption stays longer; 7000.
        `max_chars_per_s`: Reading speed: a caption stays until it is read, if the next one leaves room; 17,
          for ko 12, ja 4, zh 9.
        `word_times`: vtt: each word's time inside the captions, where the engine gave it; false.
        """
        call = Call(
            "GET",
            f"/v1/speech/{quoted(speech_id)}/captions",
            query={
                "max_line_chars": max_line_chars,
                "max_lines": max_lines,
                "min_cue_ms": min_cue_ms,
                "max_cue_ms": max_cue_ms,
                "max_chars_per_s": max_chars_per_s,
                "word_times": word_times,
                "format": format,
                "download": download,
            },
            options=options,
        )
        response = self._transport.send(call)
        return response.text

    def timings(self, speech_id: str, *, options: RequestOptions | None = None) -> SpeechTimings:
        """Get when each word is said.

        Words or sentences with their places in the text and their times, as `timings` asked for.
        """
        call = Call("GET", f"/v1/speech/{quoted(speech_id)}/timings", options=options)
        response = self._transport.send(call)
        return parse(response, SpeechTimings)
