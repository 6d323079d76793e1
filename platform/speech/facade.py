"""The only door to `speech`."""

from speech import erasing
from speech.callbacks import PATH as CALLBACKS_PATH
from speech.callbacks import place_of
from speech.checking import check_engines
from speech.choosing import known_engines
from speech.closing import WORK_DUE
from speech.comparing.clips import clips_in
from speech.comparing.measuring import Result as ComparisonResult
from speech.comparing.measuring import compare, contenders
from speech.comparing.storing import row_of as comparison_row
from speech.comparing.storing import store as store_comparison
from speech.contracts import MEDIA, NoEngine, NotAudio, NotCancelable, SpeechError, UploadUnusable, UrlRefused
from speech.delivering import Delivered, deliver
from speech.engines.whisper import engine_name as whisper_engine
from speech.fetching import SOURCE_DUE, keep_source
from speech.flow import executor_for
from speech.gauges import circuit_gauges
from speech.kinds import JOB_KINDS
from speech.objects import incoming_key, tenant_of
from speech.offers.listing import catalogue_rows, reset_model, set_model
from speech.offers.retiring import tell as tell_of_retiring_models
from speech.openai.following import openai_stream
from speech.openai.routes import audio as openai_audio
from speech.openai.routes import catalogue as openai_models
from speech.openai.speaking import audio_events
from speech.openai.speaking import audio_speech as openai_speech
from speech.own_credentials.engines import executors as own_executors
from speech.pools import available, close_pools, engine_names
from speech.replay import replay
from speech.retention import fetched as content_fetched
from speech.routes.content_policy import router as content_policy
from speech.routes.credentials import router as provider_credentials
from speech.routes.destinations import router as destinations
from speech.routes.dictionary import router as dictionary
from speech.routes.engines import router as engines
from speech.routes.speech import audio_stream, speech, voices
from speech.routes.speech_timings import router as speech_timings
from speech.routes.streams import router as streams
from speech.routes.transcriptions import router as transcriptions
from speech.routes.transcripts import router as transcripts
from speech.routes.upload_origins import router as upload_origins
from speech.routes.uploads import router as uploads
from speech.routes.voice_aliases import router as voice_aliases
from speech.sse import event_stream
from speech.sweeping import sweep_incoming
from speech.synthesis import keeping
from speech.tenant_end import erase_tenant
from speech.uploads import UPLOAD_DUE, expire_upload, tell_store_of_origins
from speech.whisper_pool import models as whisper_models
from speech.whisper_pool import start as start_whisper_pool
from speech.workspace import sweep_workspaces
from tenants.facade import ERASE_DUE, ORIGINS_DUE

DUE_HANDLERS = {
    **erasing.DUE_HANDLERS,
    UPLOAD_DUE: expire_upload,
    ORIGINS_DUE: tell_store_of_origins,
    WORK_DUE: keeping.clean_up,
    SOURCE_DUE: keep_source,
    ERASE_DUE: erase_tenant,
    keeping.FILE_DUE: keeping.expire,
    keeping.ROOM_DUE: keeping.make_room,
}

__all__ = [
    "CALLBACKS_PATH",
    "DUE_HANDLERS",
    "JOB_KINDS",
    "MEDIA",
    "ComparisonResult",
    "Delivered",
    "NoEngine",
    "NotAudio",
    "NotCancelable",
    "SpeechError",
    "UploadUnusable",
    "UrlRefused",
    "audio_events",
    "audio_stream",
    "available",
    "catalogue_rows",
    "check_engines",
    "circuit_gauges",
    "clips_in",
    "close_pools",
    "compare",
    "comparison_row",
    "contenders",
    "content_fetched",
    "content_policy",
    "deliver",
    "destinations",
    "dictionary",
    "engine_names",
    "engines",
    "event_stream",
    "executor_for",
    "incoming_key",
    "known_engines",
    "openai_audio",
    "openai_models",
    "openai_speech",
    "openai_stream",
    "own_executors",
    "place_of",
    "provider_credentials",
    "replay",
    "reset_model",
    "set_model",
    "speech",
    "speech_timings",
    "start_whisper_pool",
    "store_comparison",
    "streams",
    "sweep_incoming",
    "sweep_workspaces",
    "tell_of_retiring_models",
    "tenant_of",
    "transcriptions",
    "transcripts",
    "upload_origins",
    "uploads",
    "voice_aliases",
    "voices",
    "whisper_engine",
    "whisper_models",
]
