"""Object keys: one strict alphabet, so that a key means the same on disk, in a URL and in S3."""

from __future__ import annotations

import re

from storage.errors import KeyInvalid

MAX_KEY_CHARS = 512
# No leading dot: excludes "." and "..". No "%": the local store marks its own files with it.
_SEGMENT = re.compile(r"[A-Za-z0-9_=+@:~-][A-Za-z0-9_=+@:~.-]{0,127}")


def check_key(key: str) -> str:
    """Returns the key, or raises `KeyInvalid`.

    >>> check_key("tenants/t_1/uploads/upl_1")
    'tenants/t_1/uploads/upl_1'
    >>> check_key("../etc/passwd")
    Traceback (most recent call last):
    storage.errors.KeyInvalid: The object key is not allowed. Use segments of letters, digits and ._-=+@:~ joined by single slashes.
    """  # noqa: E501
    if len(key) > MAX_KEY_CHARS or not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise KeyInvalid
    return key


def check_prefix(prefix: str) -> str:
    """Returns a prefix of whole segments that ends in a slash; raises `KeyInvalid` for others, "" included.

    >>> check_prefix("tenants/t_1/")
    'tenants/t_1/'
    """
    if not prefix.endswith("/"):
        raise KeyInvalid  # "t_1" would take "t_10" along, "" everything
    check_key(prefix[:-1])
    return prefix
