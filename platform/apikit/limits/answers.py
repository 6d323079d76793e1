"""What clients are told of their limits: draft-ietf-httpapi-ratelimit-headers-10, and the refusal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from apikit.limits.contracts import Charge, Limited, Place, Standing
from apikit.problems import Problem

UNITS = {"audio_seconds": ';qu="audio-seconds"', "characters": ';qu="characters"'}  # ours; requests need none


def headers(charges: Sequence[Charge], standing: Standing) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` for these rates.

    >>> from apikit.limits.contracts import Rate
    >>> headers([Charge("a", "requests", Rate(600, 60), 1)], Standing((599,), (1,)))["RateLimit"]
    '"requests";r=599;t=1'
    """
    policies = [
        f'"{one.name}";q={one.rate.quota};w={one.rate.period_s}{UNITS.get(one.name.rpartition("-")[2], "")}'
        for one in charges
    ]
    levels = [
        f'"{one.name}";r={left};t={again_s}'
        for one, left, again_s in zip(charges, standing.left, standing.full_again_s, strict=True)
    ]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(levels)}


def crowded(place: Place) -> Problem:
    """429 for one request too many at the same moment."""
    whose = "this key's" if place.name.startswith("key-") else "this tenant's"
    detail = f"{place.limit} of {whose} requests are under way, which is the limit. Send it again when one has ended."
    extra = {"violated_policies": [place.name]}
    return Problem("too_many_at_once", 429, detail, extra=extra, headers={"Retry-After": "1"})


def refusal(error: Limited) -> Problem:
    """429 with when to come back; what could never fit is told so."""
    never = [one.name for one in error.charges if one.name in error.violated and one.cost > one.rate.quota]
    if never:
        detail = f"This is more than {', '.join(never)} allow in a whole period. Send it in parts."
        return Problem("rate_limit_too_small", 422, detail)
    wait_s = max(1, math.ceil(error.wait_s))
    detail = f"The limit of {', '.join(error.violated)} is used up. Send it again in {wait_s} s."
    return Problem(
        "rate_limited", 429, detail, extra={"violated_policies": list(error.violated)},
        headers={"Retry-After": str(wait_s)} | headers(error.charges, error.standing),
    )  # fmt: skip
