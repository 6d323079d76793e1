"""What an engine can answer instead of a transcript.

EngineError
  kind auth           the credentials are wrong or may not do this; nobody else's are meant
  kind quota          the account has nothing left; waiting does not help
  kind rate_limited   come back later, after `retry_after_s` if it says so
  kind transient      try again, here or elsewhere
  kind timeout        it took too long; try again, here or elsewhere
  kind invalid_input  the engine refuses the request as it is
  kind unsupported    the engine lacks a language, model or option
  kind too_large      the part is longer than the engine takes
  kind bad_audio      the audio itself is the reason; no engine should be tried again
  kind permanent      this request will never work on this engine, for another reason
EngineNotFree         it has not done the part, for a reason that is not the part's: asking again uses up no attempt
CallbackRefused       what was delivered is not the provider's own, or is about something else
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from speech.engines.ports import ReportedUnits

ErrorKind = Literal[
    "auth",
    "quota",
    "rate_limited",
    "transient",
    "timeout",
    "invalid_input",
    "unsupported",
    "too_large",
    "bad_audio",
    "permanent",
]
PASSING: Final[frozenset[ErrorKind]] = frozenset({"rate_limited", "transient", "timeout"})


class EngineError(Exception):
    """An engine's failure: `kind` decides what happens next, `code` is stable, `detail` says what to do.

    `units` is what the provider charges for it nevertheless. Neither text nor a provider's own words are in any of it.
    """

    def __init__(
        self,
        *,
        kind: ErrorKind,
        code: str,
        detail: str,
        retry_after_s: float | None = None,
        units: Sequence["ReportedUnits"] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.kind: ErrorKind = kind
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.units = tuple(units)

    @property
    def may_pass(self) -> bool:
        """Whether the same engine may do it later."""
        return self.kind in PASSING


class EngineNotFree(EngineError):
    """The engine gives the part back, to be heard elsewhere or after `retry_after_s`."""

    def __init__(self, code: str, *, detail: str, retry_after_s: float) -> None:
        super().__init__(kind="transient", code=code, detail=detail, retry_after_s=retry_after_s)


class CallbackRefused(Exception):
    """A delivery that must not be believed; the provider is told so, and nothing else happens."""
