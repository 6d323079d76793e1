"""The only door to `dispatch`."""

from dispatch.accepting import ADD_JOB, LANE, Entry, Measured
from dispatch.backlog import check as check_backlog
from dispatch.broker import announce_ended, announce_progress, broker_ready, celery_app, depth, wake, wake_on_commit
from dispatch.claims import claim, true_up
from dispatch.contracts import (
    BATCH,
    INTERACTIVE,
    TERMINAL,
    DueHandlers,
    GiveUp,
    JobKind,
    JobKinds,
    JobRow,
    Lease,
    LeaseLost,
    NewItem,
    NewJob,
    Overloaded,
    RetryLater,
    ServiceClass,
    executor_of,
    queue_name,
)
from dispatch.dead_letters import bury, list_dead_letters, take_for_replay
from dispatch.due import add_due_date, drop_due_date
from dispatch.gauges import queue_gauges, seconds_since_oldest_end
from dispatch.heart import heart
from dispatch.jobs import (
    COMPLETE,
    cut_into_segments,
    end,
    finish_segment,
    get_job,
    lock_job,
    mark_deleted,
    mark_readable,
    next_sequence,
    remove,
    reopen,
    start,
    take_over,
    traceparents,
)
from dispatch.listing import Among, JobFilter, JobPage, list_jobs
from dispatch.parking import park, unpark
from dispatch.positions import Place, place_of
from dispatch.queue import activate, add_job, enqueue, enqueue_leased
from dispatch.sweeper import Sweeper
from dispatch.waiting import waiter
from dispatch.wakeups import TASK
from dispatch.worker import Worker

__all__ = [
    "ADD_JOB",
    "BATCH",
    "COMPLETE",
    "INTERACTIVE",
    "LANE",
    "TASK",
    "TERMINAL",
    "Among",
    "DueHandlers",
    "Entry",
    "GiveUp",
    "JobFilter",
    "JobKind",
    "JobKinds",
    "JobPage",
    "JobRow",
    "Lease",
    "LeaseLost",
    "Measured",
    "NewItem",
    "NewJob",
    "Overloaded",
    "Place",
    "RetryLater",
    "ServiceClass",
    "Sweeper",
    "Worker",
    "activate",
    "add_due_date",
    "add_job",
    "announce_ended",
    "announce_progress",
    "broker_ready",
    "bury",
    "celery_app",
    "check_backlog",
    "claim",
    "cut_into_segments",
    "depth",
    "drop_due_date",
    "end",
    "enqueue",
    "enqueue_leased",
    "executor_of",
    "finish_segment",
    "get_job",
    "heart",
    "list_dead_letters",
    "list_jobs",
    "lock_job",
    "mark_deleted",
    "mark_readable",
    "next_sequence",
    "park",
    "place_of",
    "queue_gauges",
    "queue_name",
    "remove",
    "reopen",
    "seconds_since_oldest_end",
    "start",
    "take_for_replay",
    "take_over",
    "traceparents",
    "true_up",
    "unpark",
    "waiter",
    "wake",
    "wake_on_commit",
]
