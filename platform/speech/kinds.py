"""Every kind of job of this package."""

from speech import flow
from speech.synthesis import flow as speaking_flow

JOB_KINDS = flow.JOB_KINDS | speaking_flow.JOB_KINDS
