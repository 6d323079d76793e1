"""Tenants of the running stack, and OpenAI's own SDK pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI
from stack import Stack, Tenant

from tests.api.media import tone
from workers.demo import voice
from workers.embedded.home import Home


@pytest.fixture(scope="session")
def anna(stack: Stack) -> Tenant:
    """Uses the SDK."""
    return stack.tenant("anna")


@pytest.fixture(scope="session")
def oscar(stack: Stack) -> Tenant:
    """Counts: nobody else makes jobs for him."""
    return stack.tenant("oscar")


@pytest.fixture(scope="session")
def clip() -> bytes:
    """Two seconds of a tone: four words of the simulated engine."""
    return tone(2_000)


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A sentence that the demo engine understands."""
    target = tmp_path_factory.mktemp("voice") / "spoken.wav"
    voice.speak(target)
    return target.read_bytes()


@pytest.fixture
def sdk(stack: Stack) -> Iterator[Callable[..., OpenAI]]:
    """Makes clients for a key: `base_url` is all that differs from OpenAI's own service."""
    with ExitStack() as opened:

        def make(key: str, *, base_url: str = "", max_retries: int = 0, **options: Any) -> OpenAI:
            # Proxies of the environment are none of this test's business.
            http = DefaultHttpxClient(trust_env=False)
            return opened.enter_context(
                OpenAI(
                    api_key=key, base_url=base_url or f"{stack.url}/v1", max_retries=max_retries, http_client=http,
                    **options,
                )
            )  # fmt: skip

        yield make


@pytest.fixture
def async_sdk(stack: Stack) -> Callable[..., AsyncOpenAI]:
    """Makes asynchronous clients for a key; use them with `async with`."""

    def make(key: str, *, max_retries: int = 0) -> AsyncOpenAI:
        http = DefaultAsyncHttpxClient(trust_env=False)
        return AsyncOpenAI(api_key=key, base_url=f"{stack.url}/v1", max_retries=max_retries, http_client=http)

    return make


@pytest.fixture
def database(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """The stack's database as its owner sees it."""
    with psycopg.connect(Home(stack.home).state()["env"]["DATABASE_OWNER_URL"], autocommit=True) as connection:
        yield connection


@pytest.fixture
def store(stack: Stack) -> Path:
    """The folder of the stack's objects."""
    return stack.home / "objects"
