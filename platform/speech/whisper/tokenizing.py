"""openai-whisper's multilingual tokenizer."""

import warnings
from functools import lru_cache
from typing import Any

from whisper.tokenizer import get_tokenizer


@lru_cache(maxsize=4)
def multilingual(num_languages: int = 99) -> Any:
    """Without a language or a task of its own: those are each window's. 100 languages from large-v3 on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it forgets to close its file
        return get_tokenizer(True, num_languages=num_languages)
