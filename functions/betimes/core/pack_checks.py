"""What rules say that are not about one contact: figures of a product, debits, and how long records are kept.

A contact never asks them (`core.judges` sets them aside); a product profile, a plan of debits and the clearing of
records do. Each answers yes or no; whether the rule is in force and how far it binds is asked by whoever calls.
"""

from __future__ import annotations

from decimal import Decimal

from betimes.core.rule import CalcTerms, DebitTerms, RetainTerms


def is_figure_allowed(terms: CalcTerms, figure: Decimal | str) -> bool:
    """Return whether `figure` is one the rule allows: between its bounds, both inside, or one of its words.

    A number is compared with bounds and a word with words; one of the other sort is never allowed.
    """
    if isinstance(figure, str):
        return figure in terms.one_of
    if terms.at_least is None and terms.at_most is None:
        return False
    least, most = terms.at_least, terms.at_most
    return (least is None or least <= figure) and (most is None or figure <= most)


def is_debit_allowed(
    terms: DebitTerms, failures: int = 0, representments: int = 0, days_since_return: int = 0
) -> bool:
    """Return whether one more debit may be tried.

    `failures` are those in a row so far, counted together by the scope of the rule. `representments` are those so far
    of the returned entry that would be presented anew, `days_since_return` the days since its return: on the last day
    of the window it may be presented, the day after no more. A debit that presents nothing anew has passed no days.

    Source: 12 CFR 1041.8 (two failures in a row); Nacha Operating Rules (two re-presentments, 180 days).
    """
    if 0 < terms.max_consecutive_failures <= failures:
        return False
    if not terms.max_representments:
        return True
    return representments < terms.max_representments and days_since_return <= terms.window_days


def may_delete(terms: RetainTerms, age_months: int) -> bool:
    """Return whether records of that age, in whole months that have passed, may be deleted as far as the rule knows."""
    return age_months >= terms.min_months


def may_keep(terms: RetainTerms, age_months: int) -> bool:
    """Return whether records of that age, in whole months that have passed, may still be kept: not once `max_months`
    are full.
    """
    return not terms.max_months or age_months < terms.max_months
