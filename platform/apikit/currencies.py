"""ISO 4217: which currencies there are, and to how many digits an amount that is paid is rounded. Pure.

Source: ISO 4217 list one (funds, metals and testing codes left out).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

_WITHOUT_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_WITH_FOUR_DIGITS = "CLF UYW"
_WITH_TWO_DIGITS = """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN
MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"""

EXPONENTS: dict[str, int] = {
    code: digits
    for codes, digits in (
        (_WITHOUT_MINOR_UNIT, 0), (_WITH_TWO_DIGITS, 2), (_WITH_THREE_DIGITS, 3), (_WITH_FOUR_DIGITS, 4),
    )
    for code in codes.split()
}  # fmt: skip


def exponent(currency: str) -> int:
    """Digits after the point of an amount that is paid; ValueError for what is no currency.

    >>> [exponent(code) for code in ("KRW", "USD", "KWD", "CLF")]
    [0, 2, 3, 4]
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency. Write it like USD or KRW.") from None


def rounded(exact: Fraction | Decimal, currency: str) -> Decimal:
    """The amount in the currency's smallest unit, halves away from zero: the one rounding of a statement's line.

    >>> [str(rounded(Decimal(raw), code)) for raw, code in (("0.005", "USD"), ("-0.5", "KRW"), ("0.3333", "KWD"))]
    ['0.01', '-1', '0.333']
    """
    digits = exponent(currency)
    scaled = Fraction(exact) * 10**digits
    doubled = abs(scaled.numerator) * 2 + scaled.denominator
    units = doubled // (2 * scaled.denominator)
    return Decimal(units if scaled >= 0 else -units).scaleb(-digits)


def floored(exact: Decimal, currency: str) -> Decimal:
    """The whole smallest units in an amount, toward minus infinity.

    >>> [str(floored(Decimal(raw), "USD")) for raw in ("1.239", "-0.001")]
    ['1.23', '-0.01']
    """
    digits = exponent(currency)
    return Decimal(Fraction(exact) * 10**digits // 1).scaleb(-digits)
