"""Template filter `prose`: words of the API document, with `code` as code and everything else as text."""

from __future__ import annotations

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def prose(text: str) -> SafeString:
    """Escaped text in which what stands between backticks is code.

    >>> prose("`a<b` & c")
    '<code>a&lt;b</code> &amp; c'
    """
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:  # one backtick too many: all of it is text
        return mark_safe(escape(text))  # noqa: S308  # escaped
    shown = (f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
    return mark_safe("".join(shown))  # noqa: S308  # each part was escaped
