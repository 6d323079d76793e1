"""What the routes of a tenant's own voices and words take and give."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from apikit.facade import Body
from speech.schemas import NO_NUL, Language
from speech.synthesis.aliases import name_of
from speech.synthesis.terms import folded

MAX_DENY_TERMS = 1_000


def _alias_name(text: str) -> str:
    name = name_of(text)
    if name is None:
        raise ValueError("a name has 1 to 64 letters, digits, `-`, `.` and `_`, the first a letter or digit")
    return name


def _words(text: str) -> str:
    """NFC, one space between words, something to hear in it."""
    normal = " ".join(unicodedata.normalize("NFC", text).split())
    strange = any(unicodedata.category(letter) in {"Cc", "Cs", "Cn"} for letter in normal)
    if strange or not any(letter.isalnum() for letter in folded(normal)):
        raise ValueError("send text with at least one letter or digit, without control characters")
    return normal


AliasName = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL), AfterValidator(_alias_name)]
VoiceId = Annotated[str, Field(min_length=1, max_length=128, pattern=NO_NUL)]
Term = Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL), AfterValidator(_words)]
SayAs = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL), AfterValidator(_words)]


class VoiceAliasIn(Body):
    """A name of your own for a voice."""

    name: AliasName = Field(description="Letters of any script, digits, `-`, `.` and `_`; upper and lower case alike.")
    voice: VoiceId = Field(description="The `id` of a voice, such as espeak-ng/ko.")


class VoiceAliasPatch(Body):
    voice: VoiceId = Field(description="The `id` of the voice that the name means from now on.")


class VoiceAliasOut(BaseModel):
    name: str
    object: Literal["voice_alias"]
    livemode: bool
    voice: str
    created: str


class VoiceAliasListOut(BaseModel):
    object: Literal["list"]
    data: list[VoiceAliasOut]
    has_more: bool
    next_cursor: str | None


class DictionaryEntryIn(Body):
    """How a term is to be said."""

    language: Language = Field(description="`en` holds for every English, `en-US` for that one and before `en`.")
    term: Term = Field(description="Found as whole words. Without capitals in any case, with one as it is written.")
    say_as: SayAs = Field(description="Plain text that sounds right. The text that was sent is what is billed.")


class DictionaryEntryPatch(Body):
    term: Term | None = None
    say_as: SayAs | None = None


class DictionaryEntryOut(BaseModel):
    id: str
    object: Literal["dictionary_entry"]
    livemode: bool
    language: str
    term: str
    say_as: str
    created: str


class DictionaryOut(BaseModel):
    object: Literal["list"]
    data: list[DictionaryEntryOut]
    has_more: bool
    next_cursor: str | None


class ContentPolicyIn(Body):
    """What may not be said. It replaces the policy as a whole."""

    deny_terms: list[Term] = Field(
        default_factory=list,
        max_length=MAX_DENY_TERMS,
        description="Compared without case and as whole words; Korean, Chinese and Japanese without regard to spaces.",
    )
    moderator_url: str | None = Field(
        default=None,
        max_length=2048,
        pattern=NO_NUL,
        description='An https URL that gets {"text"} and answers {"allowed": true|false, "reason"} within 3 seconds.',
    )
    when_moderator_fails: Literal["refuse", "allow"] = Field(
        default="refuse", description="What happens to a text when the moderator gives no verdict."
    )


class ContentPolicyOut(BaseModel):
    object: Literal["content_policy"]
    livemode: bool
    deny_terms: list[str]
    moderator_url: str | None
    when_moderator_fails: Literal["refuse", "allow"]


class CustomDeletedOut(BaseModel):
    object: Literal["voice_alias", "dictionary_entry"]
    deleted: Literal[True]
