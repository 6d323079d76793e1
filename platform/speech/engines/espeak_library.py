"""espeak-ng's C interface through ctypes. Loaded only inside the espeak program, never in a Parlance process."""

import ctypes
import re
import wave
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import espeakng_loader

SYNCHRONOUS: Final = 2
BUFFER_MS: Final = 200
RATE_PARAMETER: Final = 1
POSITION_CHARACTERS: Final = 1
UTF8_TEXT: Final = 1
SSML_TEXT: Final = 0x10
VARIANT: Final = re.compile(r"[a-z0-9_-]{1,20}")
GENDERS: Final = {1: "male", 2: "female"}

SAMPLES = ctypes.POINTER(ctypes.c_short)
LIST_END, EVENTS = 0, {1: "word", 2: "sentence"}  # espeak_EVENT_TYPE; others are of no use here


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h, version 1.52; its last member is a union of 8 bytes."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, SAMPLES, ctypes.c_int, ctypes.POINTER(_Event))


class EspeakFailed(Exception):
    """A call into the library did not return success."""


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class Library:
    """The one instance of a process: the C interface is global state."""

    def __init__(self) -> None:
        self._c = ctypes.CDLL(espeakng_loader.get_library_path())
        self._c.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        data_path = str(espeakng_loader.get_data_path()).encode()
        self.sample_rate_hz: int = self._c.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data_path, 0)
        if self.sample_rate_hz <= 0:
            raise EspeakFailed("initialize")

    def voices(self) -> list[dict[str, Any]]:
        """Name, identifier, language tags and gender of every voice."""
        listed = self._c.espeak_ListVoices(None)
        found: list[dict[str, Any]] = []
        while listed[len(found)]:
            voice = listed[len(found)].contents
            found.append(
                {
                    "name": voice.name.decode(),
                    "identifier": voice.identifier.decode(),
                    "languages": _tags(voice.languages),
                    "gender": GENDERS.get(voice.gender, "neutral"),
                }
            )
        return found

    def resolve(self, wish: str) -> str | None:
        """What `espeak_SetVoiceByName` understands for a name, tag or identifier; keeps a `+variant`.

        The library's own lookup does not know every tag it lists ("en-gb"), so the list decides.
        """
        base, _, variant = wish.lower().partition("+")
        if variant and not VARIANT.fullmatch(variant):  # the library makes a file name of it
            return None
        voices = self.voices()
        for names in (_own_names, _first_tag, _all_tags):
            for voice in voices:
                if base in names(voice):
                    return str(voice["identifier"]) + (f"+{variant}" if variant else "")
        return None

    def speak(self, text: str, *, voice: str, wpm: int, out: Path) -> None:
        """Write the spoken text to `out`; raises EspeakFailed."""
        self._must(self._c.espeak_SetVoiceByName(voice.encode()))
        self._must(self._c.espeak_SetParameter(RATE_PARAMETER, wpm, 0))
        with out.open("wb") as file, wave.open(file, "wb") as target:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(self.sample_rate_hz)
            self._synthesize(text, write=target.writeframesraw)
        if out.stat().st_size <= 44:  # the header alone: nothing was spoken
            raise EspeakFailed("silence")

    def speak_raw(self, text: str, *, voice: str, wpm: int, out: IO[bytes], is_ssml: bool = False) -> None:
        """Write bare samples to `out` as they are made; raises EspeakFailed."""
        self._must(self._c.espeak_SetVoiceByName(voice.encode()))
        self._must(self._c.espeak_SetParameter(RATE_PARAMETER, wpm, 0))

        def write(samples: bytes) -> None:
            out.write(samples)
            out.flush()

        self._synthesize(text, write=write, flags=UTF8_TEXT | (SSML_TEXT if is_ssml else 0))

    def marks(self, text: str, *, voice: str, wpm: int, kind: str, is_ssml: bool = False) -> list[tuple[int, int]]:
        """Where and at which sample each word or sentence begins: characters into the text, markup included."""
        self._must(self._c.espeak_SetVoiceByName(voice.encode()))
        self._must(self._c.espeak_SetParameter(RATE_PARAMETER, wpm, 0))
        found: list[tuple[int, int]] = []

        def on_event(event: Any) -> None:
            if EVENTS.get(event.type) == kind:
                found.append((event.text_position - 1, event.sample))

        flags = UTF8_TEXT | (SSML_TEXT if is_ssml else 0)
        self._synthesize(text, write=len, flags=flags, on_event=on_event)
        return found

    def _synthesize(
        self,
        text: str,
        *,
        write: Callable[[bytes], object],
        flags: int = UTF8_TEXT,
        on_event: Callable[[Any], None] | None = None,
    ) -> None:
        problems: list[OSError] = []

        def on_samples(samples: Any, count: int, events: Any) -> int:
            place = 0
            while on_event is not None and events[place].type != LIST_END:
                on_event(events[place])
                place += 1
            try:
                if samples and count > 0:
                    write(ctypes.string_at(samples, count * 2))
            except OSError as problem:  # an exception cannot cross the library; 1 tells it to stop
                problems.append(problem)
                return 1
            return 0

        callback = CALLBACK(on_samples)  # must stay referenced while the library may call it
        self._c.espeak_SetSynthCallback(callback)
        data = text.encode() + b"\x00"
        size = ctypes.c_size_t(len(data))
        self._must(self._c.espeak_Synth(data, size, 0, POSITION_CHARACTERS, 0, flags, None, None))
        self._must(self._c.espeak_Synchronize())
        if problems:
            raise EspeakFailed("output")

    def _must(self, code: int) -> None:
        if code != 0:
            raise EspeakFailed(str(code))


def _tags(address: int | None) -> list[str]:
    """The library's list: one priority byte, a tag, NUL, and so on; a zero priority ends it."""
    tags: list[str] = []
    while address and ctypes.string_at(address, 1) != b"\x00":
        tag = ctypes.string_at(address + 1)
        tags.append(tag.decode().lower())
        address += len(tag) + 2
    return tags


def _own_names(voice: dict[str, Any]) -> tuple[str, ...]:
    return voice["identifier"].lower(), voice["name"].lower()


def _first_tag(voice: dict[str, Any]) -> tuple[str, ...]:
    return tuple(voice["languages"][:1])


def _all_tags(voice: dict[str, Any]) -> tuple[str, ...]:
    return tuple(voice["languages"])
