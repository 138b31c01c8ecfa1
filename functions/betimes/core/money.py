"""Money: whole minor units of one currency. No float ever touches an amount."""

from __future__ import annotations

from betimes.core.errors import Rejected
from betimes.core.values import dataclass

# ISO 4217 active codes (funds and precious metals left out) with a minor unit other than 2, and all the others.
_MINOR_UNITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
    **dict.fromkeys(
        (
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY "
            "COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
            "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR "
            "MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
            "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES "
            "WST XCD XCG YER ZAR ZMW ZWG"
        ).split(),
        2,
    ),
}


def minor_units(currency: str) -> int:
    """Return the number of decimal digits of `currency` (CNY 2, JPY 0, KWD 3).

    Raises:
        Rejected: code "unknown_currency".

    Source: ISO 4217, list one.
    """
    try:
        return _MINOR_UNITS[currency]
    except KeyError:
        raise Rejected(
            "unknown_currency", "currency", "a currency is an active ISO 4217 code such as CNY"
        ) from None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units (fen, kobo, cents) of `currency`."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise AssertionError(f"{self.currency} and {other.currency} do not add")

    def decimal(self) -> str:
        """Return the amount as decimal text with thousands separators: `1,234.50`; exact, never rounded."""
        digits = minor_units(self.currency)
        sign = "-" if self.minor < 0 else ""
        whole, part = divmod(abs(self.minor), 10**digits)
        return f"{sign}{whole:,}.{part:0{digits}d}" if digits else f"{sign}{whole:,}"
