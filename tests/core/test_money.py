"""Money: whole minor units, exact to the last digit, of one currency at a time."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core.errors import Rejected
from betimes.core.money import Money, minor_units

AMOUNTS = st.integers(-(10**18), 10**18)
CURRENCIES = st.sampled_from(["CNY", "JPY", "KWD", "CLF", "NGN", "TWD"])


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (120_000, "CNY", "1,200.00"),
        (5, "CNY", "0.05"),
        (0, "CNY", "0.00"),
        (-5, "CNY", "-0.05"),
        (-123_456, "CNY", "-1,234.56"),
        (1_234_567, "JPY", "1,234,567"),
        (1_234_567, "KWD", "1,234.567"),
        (12_345, "CLF", "1.2345"),
    ],
)
def test_an_amount_reads_as_its_currency_writes_it(minor: int, currency: str, text: str) -> None:
    """The number of decimals is the currency's, thousands are set apart, the sign stands in front."""
    assert Money(minor, currency).decimal() == text


@given(AMOUNTS, CURRENCIES)
def test_no_digit_is_lost_in_writing(minor: int, currency: str) -> None:
    """Reading the text back gives the same number of minor units, however large."""
    text = Money(minor, currency).decimal().replace(",", "")
    assert Fraction(text) * 10 ** minor_units(currency) == minor


@given(AMOUNTS, AMOUNTS, CURRENCIES)
def test_what_is_added_can_be_taken_away(one: int, other: int, currency: str) -> None:
    """Subtraction undoes addition, and both are exact."""
    first, second = Money(one, currency), Money(other, currency)
    assert (first + second).minor == one + other
    assert first + second - second == first


@pytest.mark.parametrize("sign", [1, -1])
def test_two_currencies_do_not_add(sign: int) -> None:
    """Adding or subtracting amounts of two currencies is our mistake and stops us."""
    yuan, dollar = Money(1, "CNY"), Money(1, "USD")
    with pytest.raises(AssertionError):
        _ = yuan + dollar if sign > 0 else yuan - dollar


@pytest.mark.parametrize("code", ["", "cny", "RMB", "XXX", "DEM", "CNY "])
def test_an_unknown_currency_is_refused(code: str) -> None:
    """Only active codes, exactly as ISO 4217 writes them."""
    with pytest.raises(Rejected) as caught:
        minor_units(code)
    assert (caught.value.code, caught.value.field) == ("unknown_currency", "currency")
