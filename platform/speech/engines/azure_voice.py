"""Azure Speech as an engine: SSML over REST, one voice of a language at a time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Final

from speech.engines import markup, provider_calls
from speech.engines.azure_styles import STYLES
from speech.engines.ports import ReportedUnits
from speech.engines.provider_calls import ProviderClient
from speech.engines.providers import AzureSettings
from speech.engines.speaking import Count, Mark, SpeakingCapabilities, SpokenPart, Tick, Timing, Voice
from speech.synthesis.errors import SpeakFailed
from speech.synthesis.ssml import TAGS

if TYPE_CHECKING:
    import httpx

NAME: Final = "azure"
PROVIDER: Final = "Azure Speech"
RATE_HZ: Final = 24_000
OUTPUT: Final = "raw-24khz-16bit-mono-pcm"
# Azure cuts its answer at ten minutes and says nothing: slow Chinese at half speed fills seven with this much.
MAX_CHARACTERS: Final = 1_000
CUT_BYTES: Final = 599 * 2 * RATE_HZ
SPEEDS_PERMILLE: Final = (500, 2000)
_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
NAMESPACE: Final = "http://www.w3.org/2001/10/synthesis"
OWN_NAMESPACE: Final = "http://www.w3.org/2001/mstts"

# One woman's and one man's voice for each locale, from Microsoft's list of neural voices (language support, TTS).
_LIST: Final = """
ko-KR SunHiNeural InJoonNeural
en-US JennyNeural GuyNeural
en-GB SoniaNeural RyanNeural
en-AU NatashaNeural WilliamNeural
ja-JP NanamiNeural KeitaNeural
zh-CN XiaoxiaoNeural YunxiNeural
zh-TW HsiaoChenNeural YunJheNeural
de-DE KatjaNeural ConradNeural
fr-FR DeniseNeural HenriNeural
es-ES ElviraNeural AlvaroNeural
es-MX DaliaNeural JorgeNeural
it-IT ElsaNeural DiegoNeural
pt-BR FranciscaNeural AntonioNeural
pt-PT RaquelNeural DuarteNeural
nl-NL FennaNeural MaartenNeural
pl-PL ZofiaNeural MarekNeural
ru-RU SvetlanaNeural DmitryNeural
tr-TR EmelNeural AhmetNeural
sv-SE SofieNeural MattiasNeural
cs-CZ VlastaNeural AntoninNeural
ro-RO AlinaNeural EmilNeural
hu-HU NoemiNeural TamasNeural
el-GR AthinaNeural NestorasNeural
he-IL HilaNeural AvriNeural
ar-SA ZariyahNeural HamedNeural
hi-IN SwaraNeural MadhurNeural
"""


class AzureVoice:
    """The voices of one resource."""

    def __init__(self, settings: AzureSettings) -> None:
        self._settings = settings
        self._http = ProviderClient(settings.url)
        self.capabilities = SpeakingCapabilities(
            name=NAME,
            max_characters=MAX_CHARACTERS,
            ssml_tags=TAGS - {"voice", "w", "mark"},
            quality="production",
            rtfx=20.0,
            executor=f"cloud:azure:{settings.region}",
            speeds_permille=SPEEDS_PERMILLE,
        )

    def voices(self) -> tuple[Voice, ...]:
        return tuple(voice for line in _LIST.strip().splitlines() for voice in _voices(line))

    def speak(self, part: SpokenPart, *, on_tick: Tick | None = None, on_units: Count | None = None) -> Iterator[bytes]:
        """Samples as Azure sends them."""
        if not part.text.strip():
            return
        with contextlib.closing(self._post(part)) as response:
            if response.status_code != 200:
                provider_calls.error_body(response)
                raise classify(response.status_code, retry_after=response.headers.get("retry-after"))
            if on_units is not None:
                on_units(ReportedUnits("characters", billed_characters(part)))
            provider_calls.require_audio(response.headers.get("content-type"), provider=PROVIDER)
            yield from _uncut(provider_calls.samples(response.iter_raw(), on_tick=on_tick))

    def takes(self, part: SpokenPart) -> bool:
        """As it bills: Han is long, too."""
        return billed_characters(part) <= MAX_CHARACTERS

    def marks(
        self, part: SpokenPart, *, kind: Timing, on_tick: Tick | None = None, on_units: Count | None = None
    ) -> list[Mark]:
        """Its REST interface tells no times."""
        raise NotImplementedError

    def close(self) -> None:
        self._http.close()

    def _post(self, part: SpokenPart) -> httpx.Response:
        headers = {
            "Ocp-Apim-Subscription-Key": self._settings.key, "Content-Type": "application/ssml+xml",
            "X-Microsoft-OutputFormat": OUTPUT, "User-Agent": "Parlance",
        }  # fmt: skip
        url = f"{self._settings.url.rstrip('/')}/cognitiveservices/v1"
        return self._http.post(url, headers=headers, content=request_body(part).encode())


def request_body(part: SpokenPart) -> str:
    """The document for one part."""
    locale = _locale(part.voice.name)
    own = {"xmlns:mstts": OWN_NAMESPACE} if part.style else {}
    around: list[markup.Element] = [
        ("speak", {"version": "1.0", "xmlns": NAMESPACE, **own, "xml:lang": locale}),
        ("voice", {"name": part.voice.name}),
    ]
    return markup.document(part.text, is_ssml=part.is_ssml, around=[*around, *_manner(part)])


def _manner(part: SpokenPart) -> list[markup.Element]:
    """Style and speed, where they are not the voice's own."""
    style = [("mstts:express-as", {"style": part.style})] if part.style else []
    rate = [] if part.speed_permille == 1000 else [("prosody", {"rate": f"{part.speed_permille / 1000:g}"})]
    return [*style, *rate]


def billed_characters(part: SpokenPart) -> int:
    """What Azure bills, which its answers do not tell: every code point, Han twice, markup too but for the frame.

    >>> voice = Voice(NAME, "ja-JP-NanamiNeural", ("ja-jp",), "female", RATE_HZ)
    >>> billed_characters(SpokenPart("漢字とかな", voice)), billed_characters(SpokenPart("안녕하세요", voice))
    (7, 5)
    """
    sent = unescape(markup.document(part.text, is_ssml=part.is_ssml, around=_manner(part)))
    return len(sent) + len(_HAN.findall(sent))


def classify(status: int, *, retry_after: str | None) -> SpeakFailed:
    """An error answer as ours; Azure's bodies hold no code.

    >>> [classify(status, retry_after=None).code for status in (400, 401, 429, 502)]
    ['ssml_invalid', 'provider_credentials_refused', 'provider_busy', 'provider_error']
    """
    if status == 429:
        return provider_calls.busy(PROVIDER, retry_after=retry_after)
    if status in {401, 403}:
        return provider_calls.not_let_in(PROVIDER)
    if status == 408 or status >= 500:
        return provider_calls.broken(PROVIDER)
    if status == 400:
        return provider_calls.refused(PROVIDER, code="ssml_invalid", why="cannot follow this text or SSML")
    return provider_calls.refused(PROVIDER)


def _uncut(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        yield piece
    if total >= CUT_BYTES:
        detail = f"{PROVIDER} speaks ten minutes at most. Send the SSML in shorter parts."
        raise SpeakFailed(kind="permanent", code="speech_too_long", detail=detail)


def _voices(line: str) -> Iterator[Voice]:
    locale, woman, man = line.split()
    languages = (locale.lower(), locale.partition("-")[0])
    for name, gender in ((woman, "female"), (man, "male")):
        full = f"{locale}-{name}"
        yield Voice(NAME, full, languages, gender, RATE_HZ, styles=STYLES.get(full, ()))


def _locale(name: str) -> str:
    """`ko-KR` of `ko-KR-SunHiNeural`."""
    return "-".join(name.split("-")[:2])
