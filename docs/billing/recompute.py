"""Compute a statement again from its export, to the last unit: python recompute.py statement.jsonl

Needs nothing but Python, and nothing of Parlance: GET /v1/statements/{id}/export?format=jsonl gives the file.
"""

import json
import sys
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

# ISO 4217: how many digits an amount has; every other currency has two.
DIGITS = {**dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
          **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3), "CLF": 4, "UYW": 4}  # fmt: skip


def rounded(exact, currency):
    """Half away from zero, to the currency's own digits."""
    digits = DIGITS.get(currency, 2)
    scaled = abs(Fraction(exact)) * 10**digits
    units = int(scaled + Fraction(1, 2))
    return Decimal(units if exact >= 0 else -units).scaleb(-digits)


def read(lines):
    """The objects of the file by their kind."""
    found = defaultdict(list)
    for line in lines:
        shape = json.loads(line)
        found[shape["object"]].append(shape)
    return found


def line_amounts(entries, prices, statement):
    """Amounts of the lines that prices make: (amount, is it the month's own usage)."""
    month, currency = statement["period"], statement["currency"]
    own, late, adjusted = defaultdict(list), defaultdict(list), defaultdict(list)
    for entry in entries:
        dimensions = tuple(entry[name] for name in ("meter", "engine", "model", "mode", "feature"))
        price = (entry["book_version"], Decimal(entry["unit_price"]), entry["unit_size"])
        if entry["kind"] == "adjust" or (entry["kind"] == "reversal" and not entry["billable_quantity"]):
            subject = entry["subject_id"] if entry["meter"] == "money" else None
            adjusted[dimensions, price, entry["origin_period"], subject].append(Fraction(entry["amount"]))
        elif entry["origin_period"] == month:
            own[dimensions, price].append(entry["billable_quantity"])
        else:
            late[dimensions, price, entry["origin_period"]].append(entry["billable_quantity"])
    for (_, (_, unit_price, unit_size), _), quantities in late.items():
        yield rounded(Fraction(unit_price) * sum(quantities) / unit_size, currency), False
    for amounts in adjusted.values():
        yield rounded(sum(amounts), currency), False
    for dimensions in {key[0] for key in own}:
        groups = sorted((price, sum(quantities)) for (of, price), quantities in own.items() if of == dimensions)
        for exact in month_amounts(dimensions, groups, prices):
            yield rounded(exact, currency), True


def month_amounts(dimensions, groups, prices):
    """Exact amounts of one engine, model, mode, feature and meter; a new price goes on in the tiers of the one before."""
    before, whole = 0, sum(quantity for _, quantity in groups)
    for (version, unit_price, unit_size), quantity in groups:
        price = price_of(dimensions, version, unit_price, unit_size, prices)
        yield from portions(quantity, before, whole, unit_price, unit_size, price)
        before += quantity


def price_of(dimensions, version, unit_price, unit_size, prices):
    """The line of the price book: the model's own, else the engine's."""
    meter, engine, model, mode, feature = dimensions
    for wanted in (model, ""):
        for price in prices:
            same = (price["book_version"], price["engine"], price["model"], price["mode"], price["meter"],
                    price["feature"]) == (version, engine, wanted, mode, meter, feature)  # fmt: skip
            if same and (Decimal(price["unit_price"]), price["unit_size"]) == (unit_price, unit_size):
                return price
    return {"included": 0, "tier_mode": "", "tiers": []}


def portions(quantity, before, whole, unit_price, unit_size, price):
    """Each portion that has a price of its own."""
    if quantity <= 0:
        yield Fraction(unit_price) * quantity / unit_size
        return
    included = price["included"]
    free = min(quantity, max(0, included - before))
    start, paid = max(0, before - included), quantity - free
    if not paid:
        return
    tiers = [(tier["up_to"], Fraction(tier["unit_price"])) for tier in price["tiers"]]
    if price["tier_mode"] == "graduated":
        below, end = 0, start + paid
        for up_to, each in tiers:
            top = end if up_to is None else min(end, up_to)
            yield each * max(0, top - max(start, below)) / unit_size
            below = below if up_to is None else up_to
    elif price["tier_mode"] == "volume":
        reached = whole - included
        yield next(each for up_to, each in tiers if up_to is None or reached <= up_to) * paid / unit_size
    elif price["tier_mode"] == "package":
        yield Fraction(unit_price) * (-(-(start + paid) // unit_size) - -(-start // unit_size))
    else:
        yield Fraction(unit_price) * paid / unit_size


def recompute(lines):
    """(subtotal, tax, total) as computed here."""
    found = read(lines)
    (statement,) = found["statement"]
    if len(found["statement_entry"]) != statement["entries"]:
        sys.exit("The export was cut: fetch it again.")
    amounts = list(line_amounts(found["statement_entry"], found["price"], statement))
    subtotal = sum((amount for amount, _ in amounts), Decimal(0)) + Decimal(statement["minimum"] or 0)
    tax = rounded(Fraction(subtotal) * Fraction(statement["tax_percent"]) / 100, statement["currency"])
    return statement, subtotal, tax, subtotal + tax


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        statement, subtotal, tax, total = recompute(file)
    same = (subtotal, tax, total) == tuple(Decimal(statement[name]) for name in ("subtotal", "tax", "total"))
    print(f"{total} {statement['currency']}: {'the same' if same else 'DIFFERENT from ' + statement['total']}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
