"""What an engine can answer instead of a transcript.

EngineError
  kind transient   try again, here or elsewhere
  kind permanent   this request will never work on this engine
  kind quota       the account or the engine has no room now
  kind bad_audio   the audio itself is the reason; no engine should be tried again
"""

from typing import Literal

ErrorKind = Literal["transient", "permanent", "quota", "bad_audio"]


class EngineError(Exception):
    """An engine's failure: `kind` decides what happens next, `code` is stable, `detail` says what to do."""

    def __init__(self, *, kind: ErrorKind, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.kind: ErrorKind = kind
        self.code = code
        self.detail = detail
