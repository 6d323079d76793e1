"""A language as the locale that a provider wants: most know no bare `ko`, only `ko-KR`."""

from __future__ import annotations

from typing import Final

from speech.languages import primary

_LIST: Final = """
af-ZA am-ET ar-EG az-AZ bg-BG bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-DE el-GR en-US es-ES et-EE eu-ES fa-IR fi-FI fil-PH
fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID is-IS it-IT ja-JP jv-ID ka-GE kk-KZ km-KH kn-IN ko-KR lo-LA
lt-LT lv-LV mk-MK ml-IN mn-MN mr-IN ms-MY mt-MT my-MM nb-NO ne-NP nl-NL pa-IN pl-PL ps-AF pt-BR ro-RO ru-RU si-LK sk-SK
sl-SI so-SO sq-AL sr-RS sv-SE sw-KE ta-IN te-IN th-TH tr-TR uk-UA ur-IN uz-UZ vi-VN zh-CN zu-ZA
"""
LOCALES: Final = {primary(locale): locale for locale in _LIST.split()} | {"no": "nb-NO", "tl": "fil-PH"}


def locale_of(tag: str) -> str:
    """The tag itself when it names a region, else the usual region of its language.

    >>> locale_of("ko"), locale_of("en-GB"), locale_of("xx")
    ('ko-KR', 'en-GB', 'xx')
    """
    return tag if "-" in tag else LOCALES.get(primary(tag), tag)
