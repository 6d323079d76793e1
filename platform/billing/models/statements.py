"""Contracts, adjustments and statements: what a tenant is asked to pay, and who agreed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apikit.ids import new_id


class Contract(models.Model):
    """The terms of a tenant's statements from one month on. Currency and zone are the tenant's and never change."""

    tenant_id = models.UUIDField()
    starts_on = models.DateField()
    plan = models.CharField(max_length=64, blank=True, default="")
    legal_name = models.CharField(max_length=200, blank=True, default="")
    address = models.TextField(blank=True, default="")
    registration_number = models.CharField(max_length=64, blank=True, default="")
    tax_name = models.CharField(max_length=64, blank=True, default="")
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    collection = models.CharField(max_length=16, default="none")
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "billing_contract"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "starts_on"], name="billing_contract_once"),
            models.CheckConstraint(
                name="billing_contract_sane", condition=Q(tax_percent__gte=0, tax_percent__lt=100, starts_on__day=1)
            ),
        ]


class Adjustment(models.Model):
    """A credit, a debit or the reversal of a job's entries; or, of what was collected, a credit note, the voiding of an
    invoice or the refund of a top-up. Asked for by one person, approved by another.
    """

    class Kind(models.TextChoices):
        CREDIT = "credit"
        DEBIT = "debit"
        REVERSAL = "reversal"
        CREDIT_NOTE = "credit_note"
        VOID = "void"
        REFUND = "refund"

    class Status(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=11, choices=Kind.choices)
    amount = models.DecimalField(
        max_digits=38, decimal_places=9, help_text="What is added to the bill; a credit and what goes back are below 0."
    )
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=32)
    text = models.CharField(max_length=500)
    evidence = models.CharField(max_length=500, blank=True, default="")
    subject_id = models.UUIDField(null=True, help_text="The job that is reversed.")
    subject_created_at = models.DateTimeField(null=True)
    statement_id = models.UUIDField(null=True, help_text="Whose invoice is credited or voided.")
    session_id = models.CharField(max_length=96, blank=True, default="", db_default="", help_text="Of the top-up.")
    memo = models.CharField(max_length=500, blank=True, default="", db_default="", help_text="What the customer reads.")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.REQUESTED)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.CharField(max_length=200)
    approved_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # null: nobody yet
    approved_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "adjustment"
        indexes = [models.Index(fields=["tenant_id", "-id"], name="adjustment_list")]
        constraints = [
            models.CheckConstraint(
                name="adjustment_four_eyes", condition=Q(approved_by=None) | ~Q(approved_by=F("created_by"))
            ),
            models.CheckConstraint(
                name="adjustment_sign",
                condition=Q(kind__in=["credit", "credit_note", "refund"], amount__lt=0)
                | Q(kind="debit", amount__gt=0)
                | Q(kind__in=["reversal", "void"]),
            ),
        ]


class Statement(models.Model):
    """One tenant's month in its own time zone. Its lines are frozen from `rated` on, itself once it is `closed`.

    draft → rated → reviewed → approved → pushed → closed. A draft may be made anew at any time; it is rated once its
    month's metering is complete (the ledger's month is closed).
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        RATED = "rated"
        REVIEWED = "reviewed"
        APPROVED = "approved"
        PUSHED = "pushed"
        CLOSED = "closed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    period = models.DateField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.DRAFT)
    currency = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    legal_name = models.CharField(max_length=200)
    address = models.TextField(blank=True, default="")
    registration_number = models.CharField(max_length=64, blank=True, default="")
    tax_name = models.CharField(max_length=64, blank=True, default="")
    tax_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    collection = models.CharField(max_length=16, default="none")
    subtotal = models.DecimalField(max_digits=38, decimal_places=9)
    tax = models.DecimalField(max_digits=38, decimal_places=9)
    total = models.DecimalField(max_digits=38, decimal_places=9)
    from_wallet = models.DecimalField(
        max_digits=38, decimal_places=9, help_text="Part of the total that a wallet paid."
    )
    due = models.DecimalField(max_digits=38, decimal_places=9)
    entries = models.BigIntegerField()
    content_hash = models.CharField(max_length=64)
    drafted_at = models.DateTimeField(db_default=Now())
    rated_at = models.DateTimeField(null=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # null: nobody yet
    approved_at = models.DateTimeField(null=True)
    approved_by = models.CharField(max_length=200, null=True)  # noqa: DJ001  # null: nobody yet
    pushed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "statement"
        indexes = [
            models.Index(fields=["tenant_id", "-id"], name="statement_list"),
            models.Index(fields=["period", "status"], name="statement_board"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "period"], name="statement_once"),
            models.CheckConstraint(
                name="statement_four_eyes", condition=Q(approved_by=None) | ~Q(approved_by=F("reviewed_by"))
            ),
            models.CheckConstraint(
                name="statement_sums",
                condition=Q(total=F("subtotal") + F("tax"), due=F("total") - F("from_wallet")),
            ),
        ]


class StatementLine(models.Model):
    """One line: a quantity at one price, rounded once to the currency's exponent. `ordinal` counts from 0.

    kind: usage, included, late, adjust, minimum or tax. The price columns are null where no price made the amount.
    """

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="lines")
    tenant_id = models.UUIDField()
    ordinal = models.IntegerField()
    kind = models.CharField(max_length=8)
    description = models.CharField(max_length=500)
    meter = models.CharField(max_length=16, blank=True, default="")
    engine = models.CharField(max_length=64, blank=True, default="")
    model = models.CharField(max_length=64, blank=True, default="")
    mode = models.CharField(max_length=8, blank=True, default="")
    feature = models.CharField(max_length=32, blank=True, default="")
    book_version = models.IntegerField(null=True)
    origin_period = models.DateField(null=True)
    subject_id = models.UUIDField(null=True, help_text="The adjustment of an `adjust` line that a person asked for.")
    quantity = models.BigIntegerField(default=0)
    unit_price = models.DecimalField(max_digits=38, decimal_places=9, null=True)
    unit_size = models.BigIntegerField(null=True)
    ledger_price = models.DecimalField(max_digits=38, decimal_places=9, null=True)
    tier = models.CharField(max_length=64, blank=True, default="")
    formula = models.CharField(max_length=200)
    entries = models.BigIntegerField(default=0)
    amount = models.DecimalField(max_digits=38, decimal_places=9)

    class Meta:
        db_table = "statement_line"
        constraints = [models.UniqueConstraint(fields=["statement", "ordinal"], name="statement_line_once")]
