"""The only door to `speech`."""

from speech.contracts import NoEngine, NotAudio, NotCancelable, SpeechError, UploadUnusable, UrlRefused
from speech.ending import WORK_DUE, remove_work
from speech.fetching import SOURCE_DUE, keep_source
from speech.flow import JOB_KINDS, MEDIA, executor_for
from speech.objects import incoming_key
from speech.pools import available, close_pools
from speech.replay import replay
from speech.routes.transcriptions import router as transcriptions
from speech.routes.transcripts import router as transcripts
from speech.routes.uploads import router as uploads
from speech.sweeping import sweep_incoming
from speech.uploads import UPLOAD_DUE, expire_upload
from speech.workspace import sweep_workspaces

DUE_HANDLERS = {UPLOAD_DUE: expire_upload, WORK_DUE: remove_work, SOURCE_DUE: keep_source}

__all__ = [
    "DUE_HANDLERS",
    "JOB_KINDS",
    "MEDIA",
    "NoEngine",
    "NotAudio",
    "NotCancelable",
    "SpeechError",
    "UploadUnusable",
    "UrlRefused",
    "available",
    "close_pools",
    "executor_for",
    "incoming_key",
    "replay",
    "sweep_incoming",
    "sweep_workspaces",
    "transcriptions",
    "transcripts",
    "uploads",
]
