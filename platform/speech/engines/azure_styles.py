"""Speaking styles of Azure's voices, for `mstts:express-as`.

From memory of Microsoft's list of voice styles and roles, and compared with no live list (`StyleList` of voices/list):
Azure ignores a style that a voice does not have, so an entry too many sounds as if no style had been asked for.
"""

from __future__ import annotations

from typing import Final

_MOODS: Final = (
    "angry", "cheerful", "excited", "friendly", "hopeful", "sad", "shouting", "terrified", "unfriendly", "whispering",
)  # fmt: skip
STYLES: Final[dict[str, tuple[str, ...]]] = {
    "en-US-JennyNeural": ("assistant", "chat", "customerservice", "newscast", *_MOODS),
    "en-US-GuyNeural": ("newscast", *_MOODS),
    "en-GB-SoniaNeural": ("cheerful", "sad"),
    "en-GB-RyanNeural": ("chat", "cheerful"),
    "ja-JP-NanamiNeural": ("chat", "cheerful", "customerservice"),
    "zh-CN-XiaoxiaoNeural": (
        "affectionate", "angry", "assistant", "calm", "chat", "cheerful", "customerservice", "disgruntled", "fearful",
        "friendly", "gentle", "lyrical", "newscast", "poetry-reading", "sad", "serious",
    ),
    "zh-CN-YunxiNeural": (
        "angry", "assistant", "chat", "cheerful", "depressed", "disgruntled", "embarrassed", "fearful",
        "narration-relaxed", "newscast", "sad", "serious",
    ),
    "fr-FR-DeniseNeural": ("cheerful", "sad"),
    "es-MX-JorgeNeural": ("chat", "cheerful"),
    "pt-BR-FranciscaNeural": ("calm",),
}  # fmt: skip
