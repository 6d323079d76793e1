"""Alice owns things, Bob shares nothing with her, Charlie must never see them: three tenants of the running stack."""

from __future__ import annotations

import io
import wave

import pytest
from stack import Stack, Tenant


@pytest.fixture(scope="session")
def alice_http(stack: Stack) -> Tenant:
    return stack.tenant("alice")


@pytest.fixture(scope="session")
def charlie_http(stack: Stack) -> Tenant:
    return stack.tenant("charlie")


@pytest.fixture(scope="session")
def clip() -> bytes:
    """One second of a 16 kHz tone as WAV."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(
            b"".join(((i * 400) % 20_000 - 10_000).to_bytes(2, "little", signed=True) for i in range(16_000))
        )
    return target.getvalue()
