"""Whether the providers' engines let us in: one cheap call each, for the operator who has just set one up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from speech import pools, providers
from speech.engines.errors import EngineError
from speech.engines.registry import ENGINES

# What turns each engine on.
VARIABLES: Final = {
    "assemblyai": "PARLANCE_ASSEMBLYAI_API_KEY",
    "azure": "PARLANCE_AZURE_SPEECH_KEY",
    "deepgram": "PARLANCE_DEEPGRAM_API_KEY",
    "google": "PARLANCE_GOOGLE_SPEECH_CREDENTIALS",
    "openai": "PARLANCE_OPENAI_API_KEY",
}


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one engine: `code` "" is well."""

    engine: str
    code: str
    detail: str

    @property
    def is_well(self) -> bool:
        return not self.code


def check_engines(name: str | None) -> list[Check]:
    """The engine of this name, or every provider's that is set up; raises LookupError for a name that is none."""
    names = [name] if name else [engine for engine in providers.hearers() if engine in VARIABLES]
    return [_check(each) for each in names]


def _check(name: str) -> Check:
    engine = providers.hearers().get(name)
    if engine is None:
        return _without(name)
    try:
        engine.check_credentials()
    except EngineError as error:
        return Check(name, error.code, error.detail)
    return Check(name, "", f"It lets us in ({engine.capabilities.executor}).")


def _without(name: str) -> Check:
    if pools.is_here(name):
        return Check(name, "", "It runs on this machine and needs no credentials.")
    if name not in VARIABLES:
        raise LookupError(f"There is no engine {name}. Engines: {', '.join(sorted({*VARIABLES, *ENGINES}))}.")
    return Check(name, "not_set_up", f"Set {VARIABLES[name]} (or {VARIABLES[name]}_FILE) and start again.")
