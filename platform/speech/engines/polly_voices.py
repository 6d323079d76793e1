"""The voices of Amazon Polly as data: language, name, gender, families; and which families a region has.

From AWS's published answers of DescribeVoices and its list of generative voices. A voice that a region lacks is
refused by Polly by name and fails as `voice_unavailable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["neural", "standard", "long-form", "generative"]
_FAMILIES: Final[dict[str, Family]] = {"n": "neural", "s": "standard", "l": "long-form", "g": "generative"}

# Language, then Name:gender:families. The Welsh accent of English has a code that is no BCP 47 tag.
_LIST: Final = """
ko-KR Seoyeon:f:ns
en-US Joanna:f:nsg Danielle:f:nlg Gregory:m:nl Ivy:f:ns Joey:m:ns Justin:m:n Kendra:f:ns Kevin:m:ns Kimberly:f:ns
en-US Matthew:m:ng Ruth:f:nlg Salli:f:ns Stephen:m:ng
en-GB Amy:f:nsg Arthur:m:n Brian:m:nsg Emma:f:ns
en-AU Olivia:f:ng Nicole:f:s Russell:m:s
en-IN Kajal:f:ng Aditi:f:s Raveena:f:s
en-IE Niamh:f:n
en-NZ Aria:f:ng
en-ZA Ayanda:f:n
en-GB-WLS Geraint:m:s
ja-JP Takumi:m:ns Kazuha:f:n Tomoko:f:n Mizuki:f:s
cmn-CN Zhiyu:f:ns
yue-CN Hiujin:f:n
arb Zeina:f:s
ar-AE Hala:f:n Zayd:m:n
ca-ES Arlet:f:n
cy-GB Gwyneth:f:s
da-DK Sofie:f:n Mads:m:s Naja:f:s
de-DE Vicki:f:ns Daniel:m:n Hans:m:s Marlene:f:s
de-AT Hannah:f:n
es-ES Lucia:f:ns Sergio:m:n Conchita:f:s Enrique:m:s
es-MX Mia:f:ns Andres:m:n
es-US Lupe:f:ns Pedro:m:n Miguel:m:s Penelope:f:s
fi-FI Suvi:f:n
fr-FR Lea:f:ns Remi:m:n Celine:f:s Mathieu:m:s
fr-BE Isabelle:f:n
fr-CA Gabrielle:f:n Liam:m:n Chantal:f:s
is-IS Dora:f:s Karl:m:s
it-IT Bianca:f:ns Adriano:m:n Carla:f:s Giorgio:m:s
nb-NO Ida:f:n Liv:f:s
nl-NL Laura:f:ng Lotte:f:s Ruben:m:s
nl-BE Lisa:f:ng
pl-PL Ola:f:n Ewa:f:s Jacek:m:s Jan:m:s Maja:f:s
pt-BR Camila:f:ns Thiago:m:n Vitoria:f:ns Ricardo:m:s
pt-PT Ines:f:ns Cristiano:m:s
ro-RO Carmen:f:s
ru-RU Maxim:m:s Tatyana:f:s
sv-SE Elin:f:n Astrid:f:s
tr-TR Burcu:f:n Filiz:f:s
"""
# Voices that are at home in a second language; Polly must be told when that one is meant.
_SECOND: Final = {"Aditi": "hi-IN", "Kajal": "hi-IN"}
# Our tag for a code of Polly's, where they differ.
_TAGS: Final = {"arb": "ar", "cmn-CN": "zh-CN", "en-GB-WLS": "en-GB"}

WITHOUT_NEURAL: Final = frozenset({"us-east-2", "us-west-1", "eu-north-1", "sa-east-1", "me-south-1"})
WITH_LONG_FORM: Final = frozenset({"us-east-1"})
WITH_GENERATIVE: Final = frozenset({"us-east-1", "us-west-2", "eu-central-1"})


@dataclass(frozen=True, slots=True)
class PollyVoice:
    """One voice; `codes` are the languages as Polly names them, its own first."""

    name: str
    gender: str
    codes: tuple[str, ...]
    families: frozenset[Family]

    @property
    def languages(self) -> tuple[str, ...]:
        """Our tags, each with its region and without."""
        tags = [_TAGS.get(code, code).lower() for code in self.codes]
        return tuple(dict.fromkeys(form for tag in tags for form in (tag, tag.partition("-")[0])))

    def code_for(self, language: str) -> str | None:
        """What Polly must be told to have this language spoken; None where its own is meant."""
        wanted = language.partition("-")[0].lower()
        second = [code for code in self.codes[1:] if _TAGS.get(code, code).partition("-")[0] == wanted]
        return second[0] if second else None


def families_in(region: str) -> tuple[Family, ...]:
    """The families of voices that a region has, the usual one first.

    >>> families_in("ap-northeast-2"), families_in("eu-north-1")
    (('neural', 'standard'), ('standard',))
    """
    there: dict[Family, bool] = {
        "neural": region not in WITHOUT_NEURAL,
        "standard": True,
        "generative": region in WITH_GENERATIVE,
        "long-form": region in WITH_LONG_FORM,
    }
    return tuple(family for family, has in there.items() if has)


def _read(line: str) -> list[PollyVoice]:
    code, *entries = line.split()
    return [_voice(code, *entry.split(":")) for entry in entries]


def _voice(code: str, name: str, gender: str, families: str) -> PollyVoice:
    codes = (code, _SECOND[name]) if name in _SECOND else (code,)
    return PollyVoice(
        name, "male" if gender == "m" else "female", codes, frozenset(_FAMILIES[letter] for letter in families)
    )


VOICES: Final = tuple(voice for line in _LIST.strip().splitlines() for voice in _read(line))
