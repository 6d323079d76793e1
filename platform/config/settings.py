"""Django's settings and Parlance's own, all from `config.env`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from config.env import DatabaseUrl, env

MODE = env.choice("PARLANCE_MODE", "production", allowed=("development", "production"))
DEBUG = False
SECRET_KEY = env.secret("PARLANCE_SECRET_KEY")
# Versioned: "1:<base64url>,2:<base64url>"; the highest version is used for new values.
KEY_PEPPERS = env.secret("PARLANCE_KEY_PEPPER")
MASTER_KEYS = env.secret("PARLANCE_MASTER_KEY")

PUBLIC_URL = env.text("PARLANCE_PUBLIC_URL", "http://127.0.0.1:8700").rstrip("/")
ALLOWED_HOSTS = ["*"]  # the tenant never comes from the host name, and no link is built from it
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

SHARED_APPS = [
    "django_tenants",
    "django.contrib.contenttypes",
    "ninja",
    "apikit",
    "events",
    "dispatch",
    "tenants",
    "webhooks",
    "billing",
    "billing.stripe",
    "console",
    "speech.offers",
]
TENANT_APPS = ["speech", "webhooks.endpoints", "billing.usage_tags"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "tenants.Tenant"
TENANT_DB_ALIAS = "owner"
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "config.urls"


def _database(url: DatabaseUrl, *, options: str = "") -> dict[str, object]:
    return {
        "ENGINE": "tenants.postgres",
        "NAME": url.name,
        "USER": url.user,
        "PASSWORD": url.password,
        "HOST": url.host,
        "PORT": url.port,
        "CONN_MAX_AGE": None,  # request and worker threads are kept, and so are their connections
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "parlance",
            "options": options,
            "server_side_binding": True,
            "prepare_threshold": 3,
        },
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


# Least rights: `default` is the role behind the walls, `system` claims and sends, `owner` migrates.
DATABASES = {
    "default": _database(env.database("DATABASE_URL")),
    # Claims, heartbeats and sweeps: a commit lost in a database crash is only done again.
    "system": _database(env.database("DATABASE_SYSTEM_URL"), options="-c synchronous_commit=off"),
    "owner": _database(env.database("DATABASE_OWNER_URL")),
}
FINANCE_ROLE = env.database("DATABASE_FINANCE_URL").user if env.words("DATABASE_FINANCE_URL") else None
# Where there is such a login, the finance pages read as it: it may look at money, and at nothing else.
FINANCE_READS = "finance" if FINANCE_ROLE else "system"
if FINANCE_ROLE:
    DATABASES["finance"] = _database(env.database("DATABASE_FINANCE_URL"))

REDIS_URL = env.secret("REDIS_URL")
S3 = env.s3()
STORAGE_DIR = Path(env.text("PARLANCE_STORAGE_DIR", "objects"))
# Files of steps at work: local disk, private, swept at start.
WORK_DIR = Path(env.text("PARLANCE_WORK_DIR", str(Path(tempfile.gettempdir()) / f"parlance-work-{os.getuid()}")))
# Exact host:port pairs a development stack may call although they are private (the demo's receiver).
EGRESS_ALLOW = frozenset(env.words("PARLANCE_EGRESS_ALLOW"))

# A provider's engines exist once they are set up here. Without these keys the usual AWS chain (role) is asked.
POLLY_REGION = env.region("PARLANCE_POLLY_REGION")
POLLY_BASE_URL = env.url("PARLANCE_POLLY_BASE_URL")
AWS_ACCESS_KEY_ID = env.secret("AWS_ACCESS_KEY_ID", "")
AWS_SECRET_ACCESS_KEY = env.secret("AWS_SECRET_ACCESS_KEY", "")
AWS_SESSION_TOKEN = env.secret("AWS_SESSION_TOKEN", "")
# Tenants' own buckets are AWS's, or of these services: exact origins such as https://objects.example.com.
DESTINATION_ENDPOINTS = frozenset(env.words("PARLANCE_DESTINATION_ENDPOINTS"))
OPENAI_API_KEY = env.secret("PARLANCE_OPENAI_API_KEY", "")
OPENAI_BASE_URL = env.url("PARLANCE_OPENAI_BASE_URL", "https://api.openai.com/v1")
AZURE_SPEECH_KEY, AZURE_SPEECH_REGION = env.key_with_region("PARLANCE_AZURE_SPEECH_KEY", "PARLANCE_AZURE_SPEECH_REGION")
AZURE_SPEECH_BASE_URL = env.url("PARLANCE_AZURE_SPEECH_BASE_URL")
ASSEMBLYAI_API_KEY = env.secret("PARLANCE_ASSEMBLYAI_API_KEY", "")
ASSEMBLYAI_REGION = env.choice("PARLANCE_ASSEMBLYAI_REGION", "us", allowed=("us", "eu"))
ASSEMBLYAI_BASE_URL = env.url("PARLANCE_ASSEMBLYAI_BASE_URL")
DEEPGRAM_API_KEY = env.secret("PARLANCE_DEEPGRAM_API_KEY", "")
DEEPGRAM_REGION = env.region("PARLANCE_DEEPGRAM_REGION", "global")  # what routing is told of the base URL
DEEPGRAM_BASE_URL = env.url("PARLANCE_DEEPGRAM_BASE_URL", "https://api.deepgram.com")
GOOGLE_SPEECH_CREDENTIALS = env.secret("PARLANCE_GOOGLE_SPEECH_CREDENTIALS", "")  # a service account's JSON
GOOGLE_SPEECH_LOCATION = env.region("PARLANCE_GOOGLE_SPEECH_LOCATION", "us")
GOOGLE_SPEECH_BASE_URL = env.url("PARLANCE_GOOGLE_SPEECH_BASE_URL")
GOOGLE_TOKEN_URL = env.url("PARLANCE_GOOGLE_TOKEN_URL", "https://oauth2.googleapis.com/token")

# An edit of the catalogue of models is in force everywhere within so many seconds; requests are spared the statement.
CATALOGUE_S = env.number("PARLANCE_CATALOGUE_S", 30, minimum=1)
# Whether providers that can are to bring their results to PARLANCE_PUBLIC_URL: "auto" when that is an https address.
PROVIDER_CALLBACKS = env.choice("PARLANCE_PROVIDER_CALLBACKS", "auto", allowed=("auto", "on", "off"))

# Statements are collected by Stripe once both secrets are set; without them the tenants' contracts collect by `none`.
STRIPE = env.stripe()

# The shared Whisper pool: the models whose weights (`tiny.pt`, ...) lie in the folder, the best first, or those named.
# Name them where the web processes do not see the pool's disk.
WHISPER_DIR = Path(env.text("PARLANCE_WHISPER_DIR", "models"))
WHISPER_MODELS = env.words("PARLANCE_WHISPER_MODELS")
# On CPUs: "float32" gives openai-whisper's own tokens, "int8" is about half as fast again.
WHISPER_PRECISION = env.choice("PARLANCE_WHISPER_PRECISION", "float32", allowed=("float32", "int8"))
WHISPER_ROWS = env.number("PARLANCE_WHISPER_ROWS", 0)  # windows that share a step; 0: 8 on CPUs, 64 on a GPU

# A lease must outlive a slow heartbeat, and be short enough that a killed worker's item soon runs again.
LEASE_S = env.number("PARLANCE_LEASE_S", 30, minimum=1)
MAX_ATTEMPTS = env.number("PARLANCE_MAX_ATTEMPTS", 4, minimum=1)
SWEEP_INTERVAL_MS = env.number("PARLANCE_SWEEP_INTERVAL_MS", 1000, minimum=50)
MAX_AUDIO_MS = env.number("PARLANCE_MAX_AUDIO_HOURS", 12, minimum=1) * 3_600_000
MAX_UPLOAD_BYTES = env.number("PARLANCE_MAX_UPLOAD_MB", 5000, minimum=1) * 1_000_000
# "media,cloud:*": what the worker processes serve; unset, everything but the pools. Networks can be walled by it.
EXECUTORS = env.words("PARLANCE_EXECUTORS") or ("*",)
# "media=2,local:pocketsphinx=2": how many items of an executor one worker process runs at once.
SLOTS = env.words("PARLANCE_SLOTS")
# Open event streams of one web process, and of one tenant in it; each takes about 45 kB and a socket.
MAX_STREAMS = env.number("PARLANCE_MAX_STREAMS", 5000, minimum=1)
MAX_STREAMS_PER_TENANT = env.number("PARLANCE_MAX_STREAMS_PER_TENANT", 1000, minimum=1)
# A part of a recording takes its engine about so long: what a killed worker loses, and what others wait for where
# there is only one slot.
SEGMENT_WORK_MS = env.number("PARLANCE_SEGMENT_WORK_MS", 10_000, minimum=1)
MAX_QUEUE_AGE_S = env.number("PARLANCE_MAX_QUEUE_AGE_S", 86_400, minimum=60)

# "http://proxy:3128": tenants' URLs are called through it, after our own check of where they lead.
EGRESS_PROXY = env.proxy("PARLANCE_EGRESS_PROXY")

# Alerts by e-mail: "smtp://user:password@host:587", "smtps://…", "console:". Unset: nobody is written to.
_mail = env.mail("PARLANCE_EMAIL_URL")
SENDS_MAIL = _mail is not None
EMAIL_BACKEND = _mail.backend if _mail else "django.core.mail.backends.dummy.EmailBackend"
EMAIL_HOST = _mail.host if _mail else ""
EMAIL_PORT = _mail.port if _mail else 0
EMAIL_HOST_USER = _mail.user if _mail else ""
EMAIL_HOST_PASSWORD = _mail.password if _mail else ""
EMAIL_USE_TLS = _mail.starttls if _mail else False
EMAIL_USE_SSL = _mail.tls if _mail else False
EMAIL_TIMEOUT = 20  # seconds; a mail server that hangs must not hold the others' mails for long
DEFAULT_FROM_EMAIL = env.text("PARLANCE_EMAIL_FROM") if _mail else "parlance@localhost"

# Prometheus' /metrics of each process, on a port of its own; 0 is off. `parlance up` gives every process the next one.
METRICS_PORT = env.number("PARLANCE_METRICS_PORT", 0)
METRICS_BIND = env.text("PARLANCE_METRICS_BIND", "127.0.0.1")

# Who may ask `/internal/autoscale` what waits in the queues: `Authorization: Bearer …`. Unset: there is no such path.
AUTOSCALE_TOKEN = env.optional_secret("PARLANCE_AUTOSCALE_TOKEN")

# What a tenant may do unless its own rates say otherwise: "requests=600/minute,audio_seconds=36000/hour". Unset: all.
DEFAULT_LIMITS = env.rates("PARLANCE_LIMITS")
# The same by plan, a semicolon between plans: "free:requests=60/minute,concurrency=5;pro:requests=600/minute".
PLAN_LIMITS = env.plans("PARLANCE_PLAN_LIMITS")
# Web processes in all: while Redis is away, each lets its part of a rate through.
LIMIT_PROCESSES = env.number("PARLANCE_LIMIT_PROCESSES", 1, minimum=1)

# "http://collector:4318": spans go there over OTLP/HTTP; unset, none are made. The share is of traces that begin here.
OTLP_ENDPOINT = env.url("PARLANCE_OTLP_ENDPOINT")
TRACE_PERCENT = env.number("PARLANCE_TRACE_PERCENT", 100)

# The forms of the finance pages, the only ones there are.
CSRF_COOKIE_NAME = "finance_csrf"
CSRF_COOKIE_PATH = "/finance/"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL.split("/", 3)[0] + "//" + PUBLIC_URL.split("/", 3)[2]]

LOGGING_CONFIG = None  # observe.logs configures logging
