"""SSML for providers: plain text escaped into a document, or a customer's document written anew around its content.

Pure. What a customer sent was checked before; it is parsed and written again, never pasted, so that nothing of it can
end an element that we opened.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Final
from xml.parsers import expat

from speech.synthesis.errors import SpeakFailed

Element = tuple[str, dict[str, str]]

_TAG: Final = re.compile(r"<[^>]*>")  # here every > of an attribute is written &gt;


def document(text: str, *, is_ssml: bool, around: Sequence[Element]) -> str:
    """`text` inside these elements, outermost first.

    >>> document("1 < 2 & 3", is_ssml=False, around=[("speak", {}), ("prosody", {"rate": "150%"})])
    '<speak><prosody rate="150%">1 &lt; 2 &amp; 3</prosody></speak>'
    >>> document("<speak>a<break time='1s'/></speak>", is_ssml=True, around=[("speak", {}), ("voice", {"name": "b"})])
    '<speak><voice name="b">a<break time="1s"></break></voice></speak>'
    """
    inner = _content(text) if is_ssml else _escaped(text)
    opened = "".join(_opening(name, attributes) for name, attributes in around)
    return opened + inner + "".join(f"</{name}>" for name, _ in reversed(around))


def without_tags(document: str) -> str:
    """The characters between the tags of what `document` made.

    >>> without_tags('<speak>1 &lt; 2<sub alias="a&gt;b"> c</sub></speak>')
    '1 < 2 c'
    """
    return unescape(_TAG.sub("", document))


@dataclass(slots=True)
class _Writer:
    """Writes what it is told of a document, without its root."""

    depth: int = 0
    written: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth:
            self.written.append(_opening(name, attributes))
        self.depth += 1

    def end(self, name: str) -> None:
        self.depth -= 1
        if self.depth:
            self.written.append(f"</{name}>")

    def text(self, text: str) -> None:
        self.written.append(_escaped(text))

    def forbid(self, *_: object) -> None:
        raise _invalid()


def _content(ssml: str) -> str:
    writer = _Writer()
    _parse(ssml, writer)
    return "".join(writer.written)


def _parse(ssml: str, writer: _Writer) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = writer.start, writer.end
    parser.CharacterDataHandler = writer.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = writer.forbid
    try:
        parser.Parse(ssml, True)
    except (expat.ExpatError, UnicodeEncodeError):
        raise _invalid() from None


def _opening(name: str, attributes: dict[str, str]) -> str:
    pairs = "".join(f' {key}="{_escaped(value, quote=True)}"' for key, value in attributes.items())
    return f"<{name}{pairs}>"


def _escaped(text: str, *, quote: bool = False) -> str:
    """Quotes stay as they are outside of attributes: providers count what is sent."""
    return escape("".join(character for character in text if _is_xml(character)), quote=quote)


def _is_xml(character: str) -> bool:
    """Whether XML 1.0 may hold it; one that it may not makes the whole document unreadable.

    >>> [_is_xml(character) for character in ("a", chr(9), chr(8), chr(0xD800), chr(0xFFFE), chr(0x1F600))]
    [True, True, False, False, False, True]
    """
    code = ord(character)
    return character in "\t\n\r" or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def _invalid() -> SpeakFailed:
    return SpeakFailed(kind="permanent", code="ssml_invalid", detail="The SSML cannot be read. Correct it.")
