"""Every kind of job of this package."""

from speech import flow
from speech.copying import with_copies
from speech.synthesis import flow as speaking_flow

JOB_KINDS = with_copies(flow.JOB_KINDS | speaking_flow.JOB_KINDS)
