"""What is known of Stripe's side, and what is still to be told to it: public tables of ids and amounts.

Amounts named `_minor` are whole numbers as Stripe's API writes them (`amounts`).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class StripeCustomer(models.Model):
    """The customer that stands for a tenant."""

    tenant_id = models.UUIDField(primary_key=True)
    customer_id = models.CharField(max_length=64, unique=True)
    payment_method = models.CharField(max_length=64, blank=True, default="", help_text="Charged automatically.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "stripe_customer"


class StripeInvoice(models.Model):
    """A statement's invoice as Stripe last showed it: what is paid, credited, disputed, and when it tries again."""

    statement_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    invoice_id = models.CharField(max_length=64, unique=True)
    number = models.CharField(max_length=64, blank=True, default="")
    status = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    due_minor = models.BigIntegerField(help_text="What the statement asks for.")
    total_minor = models.BigIntegerField(help_text="What the invoice asks for.")
    paid_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    disputed_minor = models.BigIntegerField(default=0, db_default=0, help_text="Of disputes that are not decided yet.")
    lost_minor = models.BigIntegerField(default=0, db_default=0, help_text="Of disputes that were lost: gone again.")
    refunded_minor = models.BigIntegerField(default=0, db_default=0, help_text="Sent back of what was paid.")
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    page_url = models.CharField(max_length=500, blank=True, default="")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "stripe_invoice"
        indexes = [models.Index(fields=["tenant_id"], name="stripe_invoice_tenant")]


class StripeCall(models.Model):
    """One thing to be done at Stripe, once. `epoch` counts the answers that Stripe keeps under a key it was given."""

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=16)
    subject_id = models.UUIDField()
    tenant_id = models.UUIDField()
    values = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    epoch = models.IntegerField(default=0)
    attempts = models.IntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    result = models.CharField(max_length=64, blank=True, default="", help_text="Stripe's id of what was made.")
    error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "stripe_call"
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="stripe_call_once")]
        indexes = [models.Index(fields=["not_before"], name="stripe_call_due", condition=Q(state="pending"))]


class StripeEvent(models.Model):
    """A signed event as it came in: only what it is about. Its effect is read from the object as it is then."""

    MAX_ATTEMPTS = 10  # then it waits for a person, who sees it among the differences

    event_id = models.CharField(primary_key=True, max_length=64)
    type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=96)
    received_at = models.DateTimeField(db_default=Now())
    handled_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        db_table = "stripe_event"
        indexes = [models.Index(fields=["not_before"], name="stripe_event_due", condition=Q(handled_at=None))]


class StripeTopUp(models.Model):
    """Money that a paid checkout put into a wallet; the row is made with the credit, so that it happens once."""

    session_id = models.CharField(primary_key=True, max_length=96)
    tenant_id = models.UUIDField()
    payment_intent = models.CharField(max_length=64)
    amount = models.DecimalField(max_digits=38, decimal_places=9)
    currency = models.CharField(max_length=3)
    credited_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "stripe_top_up"
        indexes = [
            models.Index(fields=["tenant_id"], name="stripe_top_up_tenant"),
            models.Index(fields=["payment_intent"], name="stripe_top_up_payment"),
        ]


class TakenBack(models.Model):
    """What went back of a payment, as Stripe last showed it. `operation` names it among the wallet's entries."""

    tenant_id = models.UUIDField(null=True)
    statement_id = models.UUIDField(null=True, help_text="Whose invoice was paid.")
    session_id = models.CharField(max_length=96, blank=True, default="", db_default="", help_text="Of the top-up.")
    payment_intent = models.CharField(max_length=64, blank=True, default="", db_default="")
    operation = models.CharField(max_length=120, blank=True, default="", db_default="")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=32)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


class StripeDispute(TakenBack):
    """A customer's bank takes a payment back."""

    dispute_id = models.CharField(primary_key=True, max_length=64)
    reason = models.CharField(max_length=64)

    class Meta:
        db_table = "stripe_dispute"
        indexes = [models.Index(fields=["payment_intent"], name="stripe_dispute_payment")]


class StripeRefund(TakenBack):
    """We sent a payment back, or a part of it, from here or in Stripe's dashboard."""

    refund_id = models.CharField(primary_key=True, max_length=64)

    class Meta:
        db_table = "stripe_refund"
        indexes = [models.Index(fields=["payment_intent"], name="stripe_refund_payment")]


class StripeRepair(models.Model):
    """The one row that says when Stripe is next asked for what its events may have failed to tell."""

    id = models.SmallIntegerField(primary_key=True)
    due_at = models.DateTimeField()
    done_until = models.DateTimeField(help_text="Everything that Stripe changed before this moment is known.")

    class Meta:
        db_table = "stripe_repair"
        constraints = [models.CheckConstraint(name="stripe_repair_one", condition=Q(id=1))]
