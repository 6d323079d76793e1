"""SSML (W3C Speech Synthesis Markup Language 1.1), read by a parser that opens nothing and expands nothing. Pure.

What is billed and checked for its script is the spoken text: without tags, entities decoded.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from xml.parsers import expat

from speech.synthesis.errors import TextUnusable

TAGS = frozenset(
    {"speak", "p", "s", "break", "emphasis", "prosody", "say-as", "sub", "phoneme", "lang", "w", "mark", "voice"}
)
MAX_DEPTH = 32
MAX_BYTES = 1_000_000


@dataclass(slots=True)
class _Reader:
    """Collects the spoken text, and refuses everything that could reach outside the document."""

    allowed: frozenset[str]
    depth: int = 0
    spoken: list[str] = field(default_factory=list)

    def start(self, name: str, _attributes: object) -> None:
        self.depth += 1
        tag = name.rpartition(":")[2] if name.startswith("amazon:") else name
        if name not in self.allowed:
            known = ", ".join(sorted(self.allowed))
            raise TextUnusable("ssml_tag_unsupported", f"The voice cannot follow <{tag}>. Tags it knows: {known}.")
        if self.depth == 1 and name != "speak":
            raise TextUnusable("ssml_invalid", "SSML begins with <speak>. Wrap the text in it.")
        if self.depth > MAX_DEPTH:
            raise TextUnusable("ssml_invalid", f"The tags are nested more than {MAX_DEPTH} deep. Flatten them.")
        if name in {"p", "s", "break"}:
            self.spoken.append(" ")

    def end(self, _name: str) -> None:
        self.depth -= 1

    def forbid(self, *_: object) -> None:
        raise TextUnusable("ssml_invalid", "SSML may not hold a DOCTYPE, entities or processing instructions.")


def substitutes_in(ssml: str) -> list[str]:
    """What is said in place of the text: the `alias` of every <sub>. The document was read by `spoken_of` before.

    >>> substitutes_in('<speak><sub alias="kilogram">kg</sub></speak>')
    ['kilogram']
    """
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, given: found.append(given["alias"]) if "alias" in given else None
    parser.Parse(ssml, True)
    return found


def spoken_of(ssml: str, *, allowed: frozenset[str] = TAGS) -> str:
    """The text that a voice says; raises `TextUnusable` for what is not SSML, or not SSML that this voice knows.

    >>> spoken_of("<speak>One &amp; <emphasis>two</emphasis></speak>")
    'One & two'
    """
    if len(ssml.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise TextUnusable("text_too_long", f"SSML may have at most {MAX_BYTES} bytes. Send it in several requests.")
    reader = _Reader(allowed)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.spoken.append
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ProcessingInstructionHandler = reader.forbid
    try:
        parser.Parse(ssml, True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        line = getattr(error, "lineno", 1)
        raise TextUnusable("ssml_invalid", f"The SSML is not well-formed XML, line {line}. Correct it.") from None
    return unicodedata.normalize("NFC", " ".join("".join(reader.spoken).split()))
