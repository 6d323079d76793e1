"""Wishes that are each fine and together make no sense: found before anything is made. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from apikit.facade import FieldError, Problem
from speech.languages import is_known
from speech.options import Options


def check(options: Options) -> None:
    """Raises a 422 `Problem` that names each field and what to do instead."""
    found = [
        *_languages(options), *_speakers(options), *_channels(options), *_range(options)
    ]  # fmt: skip
    if found:
        raise Problem(
            "invalid_request", 422, f"{found[0].field}: {found[0].detail} See `errors` for every field.", found
        )


def check_language(tag: str | None, *, field: str) -> None:
    """Raises a 422 `Problem` for a tag whose language does not exist."""
    if tag is not None and not is_known(tag):
        error = _unknown(field, tag)
        raise Problem("invalid_request", 422, f"{field}: {error.detail}", [error])


def _languages(options: Options) -> Iterator[FieldError]:
    if options.language and options.languages:
        yield _contradiction("languages", "Send language when you know it, or languages as candidates; not both.")
    for name, tags in (("language", [options.language or "en"]), ("languages", options.languages)):
        for tag in tags:
            if not is_known(tag):
                yield _unknown(name, tag)


def _speakers(options: Options) -> Iterator[FieldError]:
    hints = {"speakers": options.speakers, "min_speakers": options.min_speakers, "max_speakers": options.max_speakers}
    given = [name for name, value in hints.items() if value is not None]
    if not options.diarize:
        given += ["speaker_scope"] if options.speaker_scope != "recording" else []
        yield from (_contradiction(name, "It needs diarize: true. Send that, or leave it out.") for name in given)
    elif options.speakers is not None and len(given) > 1:
        yield _contradiction("speakers", "Send the exact number, or a range with min_speakers and max_speakers.")
    elif (options.min_speakers or 1) > (options.max_speakers or 26):
        yield _contradiction("max_speakers", "It is below min_speakers. Swap them.")


def _channels(options: Options) -> Iterator[FieldError]:
    if options.multichannel and options.diarize:
        yield _contradiction("diarize", "With multichannel each channel is a speaker of its own. Send one of the two.")


def _range(options: Options) -> Iterator[FieldError]:
    if options.audio_end_ms is not None and options.audio_end_ms <= options.audio_start_ms:
        yield _contradiction("audio_end_ms", "It must be after audio_start_ms.")


def _unknown(name: str, tag: str) -> FieldError:
    detail = f"There is no language {tag}. Use an ISO 639-1 code such as en, ko or pt-BR."
    return FieldError(name, "unknown_language", detail)


def _contradiction(name: str, detail: str) -> FieldError:
    return FieldError(name, "contradiction", detail)
