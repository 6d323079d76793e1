"""A tenant's own engines: those of providers whose credentials it has brought, made once and kept.

They have the names of the installation's engines and stand in their place for this tenant, or beside them where the
installation has none. Their executors are of their own ("cloud:deepgram:own"), and so are their circuits.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from django.conf import settings

from observe.facade import get_logger
from speech.engines.ports import Capabilities, CloudSpeechToText
from speech.engines.providers import (
    AssemblyAiSettings,
    AzureSettings,
    DeepgramSettings,
    GoogleSettings,
    OpenAiSettings,
    Providers,
)
from speech.engines.registry import hearers_with
from speech.models import ProviderCredential
from speech.own_credentials import contracts, sealing
from speech.own_credentials.contracts import OWN, OwnCredential
from speech.own_credentials.own_engine import OwnEngine
from tenants.facade import VaultError

MAX_TENANTS: Final = 512

log = get_logger(__name__)


@dataclass(slots=True)
class _Known:
    read_at: float
    versions: frozenset[tuple[UUID, object]]
    engines: dict[str, CloudSpeechToText]


_known: dict[UUID, _Known] = {}


def engines_of(tenant_id: UUID, *, installed: Providers) -> Mapping[str, CloudSpeechToText]:
    """The engines on the tenant's own credentials, whose context this is; empty for most."""
    known = _known.get(tenant_id)
    if known is None or time.monotonic() - known.read_at > settings.CATALOGUE_S:
        known = _read(tenant_id, known, installed=installed)
    return known.engines


def forget(tenant_id: UUID) -> None:
    """Its credentials have changed: this process reads them anew at once."""
    known = _known.get(tenant_id)
    if known is not None:
        known.read_at = float("-inf")


def made_with(credential: OwnCredential, *, installed: Providers) -> Mapping[str, CloudSpeechToText]:
    """The engines that these credentials make. Addresses are the operator's alone: a tenant names a region at most."""
    made = hearers_with(_only(credential, installed))
    return {name: engine for name, engine in made.items() if _is_of(engine.capabilities, credential.provider)}


def executors() -> list[str]:
    """Whoever runs own engines: every worker that serves providers serves these."""
    return [f"cloud:{provider}:{OWN}" for provider in contracts.KINDS]


def _guarded(
    row: ProviderCredential, made: Mapping[str, CloudSpeechToText], tenant_id: UUID
) -> dict[str, CloudSpeechToText]:
    told = _Told(tenant_id, row.provider, is_failing=row.failing_since is not None)
    return {name: OwnEngine(engine, on_answer=told) for name, engine in made.items()}


class _Told:
    """Tells the tenant when its credentials begin to be refused, and notes when they work again."""

    def __init__(self, tenant_id: UUID, provider: str, *, is_failing: bool) -> None:
        self._tenant_id, self._provider, self._is_failing = tenant_id, provider, is_failing

    def __call__(self, code: str | None) -> None:
        if self._is_failing == (code is not None):
            return
        self._is_failing = code is not None
        from speech.own_credentials import telling  # late: what it shows knows of engines

        telling.note(self._tenant_id, provider=self._provider, code=code)


def _is_of(able: Capabilities, provider: str) -> bool:
    return able.executor.split(":")[1:2] == [provider]


def _only(credential: OwnCredential, installed: Providers) -> Providers:
    """The one provider with these credentials, at the operator's address."""
    secret, region = credential.secret, credential.region
    match credential.provider:
        case "assemblyai":
            place: Literal["us", "eu"] = "eu" if region == "eu" else "us"
            base = installed.assemblyai or AssemblyAiSettings("")
            return Providers(assemblyai=replace(base, api_key=secret, region=place))
        case "deepgram":
            return Providers(deepgram=replace(installed.deepgram or DeepgramSettings(""), api_key=secret))
        case "google":
            there = installed.google or GoogleSettings("")
            return Providers(google=replace(there, account=secret, location=region or "us"))
        case "openai":
            return Providers(openai=replace(installed.openai or OpenAiSettings(""), api_key=secret))
        case "azure":
            azure = installed.azure or AzureSettings("", region=region)
            return Providers(azure=replace(azure, key=secret, region=region))
    raise LookupError(credential.provider)


def _read(tenant_id: UUID, before: _Known | None, *, installed: Providers) -> _Known:
    rows = list(ProviderCredential.objects.filter(livemode=True))
    versions = frozenset((row.id, row.updated_at) for row in rows)
    if before is not None and before.versions == versions:
        before.read_at = time.monotonic()
        return before
    engines: dict[str, CloudSpeechToText] = {}
    for row in rows:
        try:
            engines |= _guarded(
                row, made_with(sealing.opened(row, tenant_id=tenant_id), installed=installed), tenant_id
            )
        except VaultError:
            log.warning("own_credentials_unreadable", provider=row.provider)
    if len(_known) >= MAX_TENANTS:
        _known.clear()  # engines under way stay with who uses them
    _known[tenant_id] = _Known(time.monotonic(), versions, engines)
    return _known[tenant_id]
