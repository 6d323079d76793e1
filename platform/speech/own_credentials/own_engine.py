"""A provider's engine on a tenant's own credentials: the same, but run by an executor and a circuit of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from speech.audio.pcm import PcmRange
from speech.engines.errors import EngineError, ErrorKind
from speech.engines.ports import Callback, Capabilities, CloudSpeechToText, EngineRequest, Heard, Pending, Tick
from speech.own_credentials.contracts import OWN

REFUSED: Final[frozenset[ErrorKind]] = frozenset({"auth", "quota"})

# Told of every answer: None, or the code with which the credentials were refused.
OnAnswer = Callable[[str | None], None]


class OwnEngine:
    """A `CloudSpeechToText` that tells whether its credentials are taken."""

    def __init__(self, engine: CloudSpeechToText, *, on_answer: OnAnswer) -> None:
        self._engine = engine
        self._on_answer = on_answer
        self.capabilities = as_own(engine.capabilities)

    def submit(
        self, pcm: PcmRange, *, request: EngineRequest, callback: Callback | None = None, on_tick: Tick | None = None
    ) -> Heard | Pending:
        with self._told():
            return self._engine.submit(pcm, request=request, callback=callback, on_tick=on_tick)

    def poll(self, external_id: str, *, request: EngineRequest) -> Heard | Pending:
        with self._told():
            return self._engine.poll(external_id, request=request)

    def read_callback(
        self,
        *,
        headers: Mapping[str, str],
        body: bytes,
        callback: Callback,
        external_id: str,
        request: EngineRequest,
    ) -> Heard | Pending:
        return self._engine.read_callback(
            headers=headers, body=body, callback=callback, external_id=external_id, request=request
        )

    def check_credentials(self) -> None:
        self._engine.check_credentials()

    def close(self) -> None:
        self._engine.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            if error.kind in REFUSED:
                self._on_answer(error.code)
            raise
        self._on_answer(None)


def as_own(able: Capabilities) -> Capabilities:
    """An engine's capabilities on own credentials.

    >>> from speech.engines.simulated import CAPABILITIES
    >>> own = as_own(replace(CAPABILITIES, executor="cloud:deepgram:eu"))
    >>> own.executor, own.region
    ('cloud:deepgram:own', 'eu')
    """
    _, provider, region = (*able.executor.split(":"), "", "")[:3]
    return replace(able, executor=f"cloud:{provider}:{OWN}", region=region)
