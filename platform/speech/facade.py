"""The only door to `speech`."""

from speech.api import transcriptions, uploads
from speech.contracts import NoEngine, NotCancelable, SpeechError, UploadUnusable, UrlRefused
from speech.ending import WORK_DUE, remove_work
from speech.flow import JOB_KINDS, MEDIA, executor_for
from speech.objects import incoming_key
from speech.pools import available, close_pools
from speech.replay import replay
from speech.services import UPLOAD_DUE, expire_upload
from speech.sweeping import sweep_incoming
from speech.workspace import sweep_workspaces

DUE_HANDLERS = {UPLOAD_DUE: expire_upload, WORK_DUE: remove_work}

__all__ = [
    "DUE_HANDLERS",
    "JOB_KINDS",
    "MEDIA",
    "NoEngine",
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
    "uploads",
]
