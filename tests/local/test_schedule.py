"""`betimes schedule` prints what the core computed, and answers wrong input with code 2 and the way out."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from betimes import cli
from betimes.adapters import packs
from betimes.core.errors import Rejected
from betimes.local.schedule import parse_rate

LOAN = ("jiebei_like", "--principal", "6000", "--months", "3", "--from", "2026-06-15")
RATE = ("--rate", "0.0003/day")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return the exit code, what was printed, and what was said about errors."""
    try:
        code = cli.main(["schedule", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_published_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row with its date, days and amounts; the totals; and three yearly rates under their own names."""
    code, out, _ = run(capsys, *LOAN, *RATE)
    assert code == 0
    lines = [line.split() for line in out.splitlines() if line]
    header = "no due days instalment interest fee principal balance".split()
    assert header in lines
    assert ["1", "2026-07-15", "30", "2,036.70", "54.00", "0.00", "1,982.70", "4,017.30"] in lines
    assert ["3", "2026-09-15", "31", "2,036.72", "18.76", "0.00", "2,017.96", "0.00"] in lines
    assert ["all", "92", "6,110.12", "110.12", "0.00", "6,000.00"] in lines
    rates = {line[0]: line[1] for line in lines if line[0] in {"nominal", "effective", "actuarial"}}
    assert rates == {"nominal": "10.95", "effective": "11.55", "actuarial": "10.98"}
    assert "0.03 % a day × 365" in out
    assert "*" not in out


@pytest.mark.parametrize("rate", ["0.03%/day", "10.95%", "10.95%/year", "0.1095/year"])
def test_one_rate_can_be_written_in_several_ways(
    capsys: pytest.CaptureFixture[str], rate: str
) -> None:
    """A daily rate and the yearly one it makes give the same rows."""
    expected = json.loads(run(capsys, *LOAN, *RATE, "--json")[1])
    found = json.loads(run(capsys, *LOAN, "--rate", rate, "--json")[1])
    assert found == expected


def test_json_is_one_object_of_minor_units(capsys: pytest.CaptureFixture[str]) -> None:
    """Totals are the sums of the rows; rates are fractions of one; the profile is told by its content."""
    document = json.loads(run(capsys, *LOAN, *RATE, "--json")[1])
    assert document["profile"] == packs.profiles()["jiebei_like"].id
    assert [row["due_on"] for row in document["rows"]] == ["2026-07-15", "2026-08-15", "2026-09-15"]
    for name, total in document["totals"].items():
        assert total == sum(row[name] for row in document["rows"])
    assert document["totals"]["principal_minor"] == 600_000
    assert Decimal(document["yearly"]["nominal"]) == Decimal("0.1095")


def test_a_flat_fee_shows_what_it_costs_a_year(capsys: pytest.CaptureFixture[str]) -> None:
    """The tariff's fee for the months, or the fee that is told: 8.8 % is 15.86 %."""
    loan = ("huabei_like", "--principal", "1000", "--months", "12", "--from", "2026-01-10")
    by_tariff = run(capsys, *loan)[1]
    assert run(capsys, *loan, "--flat-fee", "8.8%")[1] == by_tariff
    assert "90.67" in by_tariff
    assert "15.86 %" in by_tariff
    assert "17.07 %" in by_tariff


def test_a_date_that_may_still_move_has_a_star(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the calendar of its year is not published yet; and the note says which calendar."""
    loan = ("medical", "--principal", "1000", "--months", "2", "--from", "2090-01-10")
    out = run(capsys, *loan, "--rate", "0%")[1]
    assert "2090-02-10*" in out
    assert "* provisional: the calendar CN is not published" in out
    assert "*" not in run(capsys, *LOAN, *RATE, "--calendar", "US")[1]


def test_term_calendars_draws_and_methods_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Due dates one by one, progress payments one by one, and another of the product's methods."""
    dates = ("--due", "2026-09-01", "--due", "2027-03-01", "--due", "2027-06-01")
    document = json.loads(run(capsys, *LOAN, *RATE, *dates, "--json")[1])
    assert [row["due_on"] for row in document["rows"]] == list(dates[1::2])
    draws = ("--draw", "2026-06-15=2000", "--draw", "2026-07-20=4000")
    method = ("--method", "interest_only")
    document = json.loads(run(capsys, *LOAN, *RATE, *draws, *method, "--json")[1])
    assert [row["principal_minor"] for row in document["rows"]] == [0, 0, 0, 600_000]
    first = ("--first-due", "2026-08-01")
    document = json.loads(run(capsys, *LOAN, *RATE, *first, "--json")[1])
    assert [row["due_on"] for row in document["rows"]] == ["2026-08-01", "2026-09-01", "2026-10-01"]


def test_another_currency_has_its_own_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    """Yen have none: an amount with decimals is refused, and the rows show none."""
    yen = ("--currency", "JPY")
    assert "2,036 " in run(capsys, *LOAN, *RATE, *yen)[1]
    code, _, said = run(capsys, *LOAN, *RATE, *yen, "--principal", "6000.5")
    assert code == 2
    assert "0 decimals of JPY" in said


@pytest.mark.parametrize("profile", sorted(packs.profiles()))
def test_every_shipped_profile_has_a_schedule(
    capsys: pytest.CaptureFixture[str], profile: str
) -> None:
    """Bills are spread at their tariff, loans at a rate of 10 %."""
    rate = () if packs.profiles()[profile].billing else ("--rate", "10%")
    loan = (profile, "--principal", "6000", "--months", "3", "--from", "2026-06-15")
    code, out, said = run(capsys, *loan, *rate)
    assert (code, said) == (0, "")
    assert "6,000.00" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rate", "3"), "bad_options (--rate)"),
        (("--rate", "abc"), "bad_options (--rate)"),
        ((), "bad_terms (--rate)"),
        (("--rate=-0.01%/day",), "bad_terms (--rate): is negative"),
        (("--rate", "-0.01%/day"), "bad_terms (--rate): is negative"),
        (("--rate", "-.5%"), "bad_options (--rate)"),
        (("--flat-fee", "-1%"), "bad_terms (--flat-fee): is negative"),
        (("--principal", "-6000", *RATE), "bad_terms (--principal)"),
        (("--rate", "36/year"), "300 % a year"),
        ((*RATE, "--principal", "6000.001"), "2 decimals of CNY"),
        ((*RATE, "--principal", "six"), "bad_options (--principal)"),
        ((*RATE, "--principal", "0"), "bad_terms (--principal)"),
        ((*RATE, "--months", "13"), "bad_terms (--months): is not from 1 to 12"),
        ((*RATE, "--months", "0"), "--months: must be a whole number of at least 1"),
        ((*RATE, "--due-day", "32"), "bad_terms (--due-day)"),
        ((*RATE, "--from", "2026-02-30"), "--from: '2026-02-30' is not a date"),
        ((*RATE, "--from", "1900-01-01"), "bad_terms (--from)"),
        ((*RATE, "--due", "2026-06-15"), "bad_terms (--due)"),
        ((*RATE, "--method", "none"), "'single_payment'"),
        ((*RATE, "--colour", "red"), "betimes schedule: unrecognized arguments: --colour red"),
        ((*RATE, "--first-due", "2026-06-15"), "bad_terms (--first-due)"),
        ((*RATE, "--flat-fee", "3%"), "bad_terms (--flat-fee)"),
        ((*RATE, "--flat-fee", "3"), "bad_options (--flat-fee)"),
        ((*RATE, "--draw", "tomorrow=3"), "bad_options (--draw)"),
        ((*RATE, "--draw", "2026-06-15"), "bad_options (--draw)"),
        ((*RATE, "--draw", "2026-06-15=3"), "bad_terms (--draw)"),
        ((*RATE, "--calendar", "XX"), "unknown_calendar (--calendar)"),
        ((*RATE, "--currency", "XYZ"), "unknown_currency (--currency)"),
    ],
)
def test_bad_input_ends_with_code_2_and_a_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """Nothing is printed but one line, which names the option that was typed."""
    code, out, err = run(capsys, *LOAN, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_an_unknown_profile_is_answered_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each shipped one is named."""
    code, _, said = run(capsys, "nobody", *LOAN[1:])
    assert code == 2
    assert "unknown_profile" in said
    for name in packs.profiles():
        assert name in said


def test_a_method_the_product_cannot_have_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """One payment stays one payment."""
    loan = ("single_payment", *LOAN[1:])
    code, _, said = run(capsys, *loan, *RATE, "--method", "equal_principal")
    assert code == 2
    assert "--method" in said


@pytest.mark.parametrize(
    ("profile", "method"),
    [
        ("huabei_like", "flat_fee"),
        ("single_payment", "single_payment"),
        ("jiebei_like", "equal_instalment"),
    ],
)
def test_the_method_of_the_product_may_be_named(
    capsys: pytest.CaptureFixture[str], profile: str, method: str
) -> None:
    """It changes nothing."""
    rate = () if profile == "huabei_like" else RATE
    loan = (profile, *LOAN[1:], *rate)
    expected = run(capsys, *loan)
    assert expected[0] == 0
    assert run(capsys, *loan, "--method", method) == expected


def test_a_product_without_interest_needs_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    """Its file has neither interest nor late interest: no rate, 0 and 0 % are one; a rate is still taken."""
    loan = ("medical", "--principal", "1000", "--months", "7", "--from", "2026-01-10")
    code, out, said = run(capsys, *loan)
    assert (code, said) == (0, "")
    assert "nominal      0.00 %" in out
    for rate in ("0", "0%", "0.0/day"):
        assert run(capsys, *loan, "--rate", rate)[1] == out
    assert run(capsys, *loan, "--rate", "1%")[1] != out


def test_a_bare_number_is_no_rate_unless_it_is_0() -> None:
    """Whether 0.05 is a day, a year or a percentage is not guessed; no text is no rate."""
    assert parse_rate("") == (None, None)
    assert parse_rate("0") == (Decimal(0), None)
    assert parse_rate("0.00") == (Decimal(0), None)
    assert parse_rate("0.05%") == (None, Decimal("0.0005"))
    assert parse_rate("0.05/day") == (Decimal("0.05"), None)
    with pytest.raises(Rejected):
        parse_rate("0.05")
