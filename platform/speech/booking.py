"""What a provider's call costs, and what a job's parts are billed as."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from billing.facade import BYOK, CostLine, MeasuredLine, record_costs
from dispatch.facade import Attempt, JobRow
from speech.catalogue import EngineModel
from speech.contracts import METER
from speech.engines.ports import ReportedUnits
from speech.models import Checkpoint
from speech.offers.current import catalogue

NANO: Final = Decimal("1e-9")  # the ledger's digits


@dataclass(frozen=True, slots=True)
class HeardSpan:
    """A span of the recording and who heard a channel of it."""

    start_ms: int
    end_ms: int
    engine: str


def book(job: JobRow, attempt: Attempt, *, units: Sequence[ReportedUnits], model: str) -> None:
    """The provider's units as cost entries, in the caller's transaction; the same call twice is booked once.

    Not for a call on the tenant's own credentials: it costs the operator nothing.
    """
    record_costs(
        job.id, tenant_id=job.tenant_id, livemode=job.livemode, api_key_id=job.api_key_id,
        subject_created_at=job.created_at, attempt=attempt.number,
        lines=cost_lines(units, engine=attempt.engine, model=model, known=catalogue()),
    )  # fmt: skip


def cost_lines(
    units: Sequence[ReportedUnits], *, engine: str, model: str, known: Mapping[str, EngineModel]
) -> list[CostLine]:
    """What the units cost by the catalogue; a line without an amount where it knows no price for them.

    >>> lines = cost_lines([ReportedUnits("audio_ms", 1_800_000)], engine="a", model="1",
    ...     known={"a/1": EngineModel("a", "1", cost_per_hour=Decimal("0.21"))})
    >>> lines[0].amount, lines[0].currency
    (Decimal('0.105000000'), 'USD')
    """
    priced = known.get(f"{engine}/{model}") or EngineModel(engine, model)
    return [_cost_line(each, priced) for each in units]


def _cost_line(each: ReportedUnits, priced: EngineModel) -> CostLine:
    asked = priced.asked_for(each.unit, each.quantity)
    if asked is None:
        return CostLine(priced.engine, priced.model, each.unit, each.quantity)
    amount = asked.quantize(NANO, ROUND_HALF_EVEN)
    return CostLine(priced.engine, priced.model, each.unit, each.quantity, priced.cost_currency, amount)


def heard_spans(rows: Iterable[Checkpoint]) -> list[HeardSpan]:
    """The spans of checkpoints in their order."""
    return [HeardSpan(row.start_ms, row.end_ms, row.engine) for row in rows]


def bill_lines(
    spans: Sequence[HeardSpan],
    *,
    engine: str,
    quantity: int,
    channels: int,
    mode: str = "batch",
    own: Collection[str] = (),
) -> list[MeasuredLine]:
    """One line for each engine that has heard a part; `quantity` ms in all, of which no engine's share is known twice.

    `own`: engines that the route has chosen on the tenant's own credentials; they have a price of their own.

    Of channels that are heard apart a span counts once, for the engine that heard the first of them.

    >>> spans = [HeardSpan(0, 600, "a"), HeardSpan(600, 1000, "b")]
    >>> [(line.engine, line.quantity) for line in bill_lines(spans, engine="b", quantity=1000, channels=1)]
    [('a', 600), ('b', 400)]
    >>> [(line.engine, line.quantity) for line in bill_lines([], engine="b", quantity=1000, channels=1)]
    [('b', 1000)]
    >>> [(line.engine, line.mode) for line in bill_lines(spans, engine="b", quantity=9, channels=1, own=["a"])]
    [('a', 'byok'), ('b', 'batch')]
    """
    shares = _shares(spans)
    if len(shares) < 2:
        shares = {next(iter(shares), engine): quantity}
    modes = {name: BYOK if mode == "batch" and name in own else mode for name in shares}
    return [MeasuredLine(name, "", modes[name], METER, share, channels) for name, share in shares.items()]


def _shares(spans: Sequence[HeardSpan]) -> dict[str, int]:
    """Milliseconds by engine, each millisecond of the recording once."""
    shares: dict[str, int] = {}
    until_ms = 0
    for span in sorted(spans, key=lambda span: (span.start_ms, -span.end_ms)):
        new_ms = span.end_ms - max(span.start_ms, until_ms)
        if new_ms > 0:
            shares[span.engine] = shares.get(span.engine, 0) + new_ms
            until_ms = span.end_ms
    return shares
