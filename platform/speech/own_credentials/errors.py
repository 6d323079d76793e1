"""What can be wrong with own credentials.

SpeechError
└── CredentialError  they are refused, cannot be tried, or may not be kept
"""

from __future__ import annotations

from speech.contracts import SpeechError


class CredentialError(SpeechError):
    """A stable code and a sentence that says what to do; never the provider's own text, which may quote the secret."""
