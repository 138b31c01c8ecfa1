"""What the lines of a story tell: each verb turns its words into what a lender would send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time, timedelta
from decimal import Decimal

from betimes.core import zones
from betimes.core.borrower import ContactPoint, PointState
from betimes.core.change import SaveFeed
from betimes.core.errors import Rejected
from betimes.core.flight import FlightState, Means
from betimes.core.hold import Kind
from betimes.core.intake import (
    AddObligation,
    AddRepayment,
    AmendObligation,
    ChooseEntry,
    Command,
    LiftHold,
    PutAccount,
    PutBorrower,
    PutFlight,
    PutHold,
    PutPreferences,
    ReverseRepayment,
)
from betimes.core.preferences import Preferences
from betimes.flows.intake import Told
from betimes.lab.stage import Line, Stage, StoryFailed, day, minor, options
from betimes.lab.world import TENANT

_SCOPE = {"account": 1, "obligation": 1, "channel": 1, "owner": 1}
# A debit or transfer whose line does not say so has its result after a day.
_RESULT_AFTER = timedelta(days=1)


def tell(stage: Stage, *told: Told) -> None:
    """Let the world hear something.

    Raises:
        StoryFailed: it was rejected.
    """
    stage.told = told
    stage.answers = stage.running.tell(told)
    for answer in stage.answers:
        if isinstance(answer, Rejected):
            raise StoryFailed(f"rejected: {answer.code}: {answer.message}")


def _about(stage: Stage, account_id: str, command: Command) -> None:
    tell(stage, Told(account_id, stage.owners.get(account_id, ""), (command,)))


def borrower(stage: Stage, line: Line) -> None:
    """`borrower b1 zh-CN Asia/Shanghai CN [email=li@x.example] [sms?=+44…] [zones=A,B] [tags=a,b] [band=B]`."""
    borrower_id, locale, zone, jurisdiction, *pairs = line.words
    points: list[ContactPoint] = []
    more: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair!r} is neither a contact point nor an option")
        if name in ("zones", "tags", "band"):
            more[name] = value
        else:
            state = PointState.UNCONFIRMED if name.endswith("?") else PointState.ACTIVE
            points.append(ContactPoint(name.rstrip("?"), value, state))
    command = PutBorrower(
        locale,
        zone,
        jurisdiction,
        tuple(points),
        zone_evidence=_split(more.get("zones", "")),
        tags=_split(more.get("tags", "")),
        score_band=more.get("band", ""),
    )
    tell(stage, Told("", borrower_id, (command,)))


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def _account(stage: Stage, line: Line) -> None:
    """`account a1 b1 CNY huabei_like [mandate 8821] [rate 0.0003] [creditor BankA] [opened 2025-01-01]`."""
    account_id, borrower_id, currency, product, *rest = line.words
    more = options(rest, {"mandate": 1, "rate": 1, "creditor": 1, "opened": 1})
    stage.owners[account_id] = borrower_id
    stage.currencies[account_id] = currency
    command = PutAccount(
        account_id,
        product,
        currency,
        day(more["opened"]) if "opened" in more else zones.local_date(line.at, stage.zone),
        daily_rate=Decimal(more.get("rate", "0")),
        mandate=more.get("mandate", ""),
        creditor=more.get("creditor", ""),
    )
    tell(stage, Told(account_id, borrower_id, (command,)))


def _bill(stage: Stage, line: Line) -> None:
    """`bill o1 b1 CNY 1200.00 due 2026-03-09 [minimum 120.00] [fee 5.00] [principal 1000.00] [issued 2026-03-01]
    [account a1]`; issued now unless it says when, on an account of the borrower and currency unless it names one.
    """
    obligation_id, borrower_id, currency, amount, *rest = line.words
    sizes = {"due": 1, "minimum": 1, "fee": 1, "principal": 1, "issued": 1, "account": 1}
    more = options(rest, sizes)
    issued_at = stage.at(f"{more['issued']} 00:00") if "issued" in more else line.at
    account_id = more.get("account", f"{borrower_id}-{currency}")
    if stage.currencies.get(account_id, currency) != currency:
        raise ValueError(f"the account is kept in {stage.currencies[account_id]}")
    of_account = stage.bills.setdefault(account_id, [])
    if obligation_id not in of_account:
        of_account.append(obligation_id)
    fee = minor(more["fee"], currency) if "fee" in more else 0
    owed = minor(amount, currency)
    command = AddObligation(
        obligation_id,
        account_id,
        of_account.index(obligation_id) + 1,
        issued_at,
        day(more["due"]),
        minor(more["principal"], currency) if "principal" in more else owed - fee,
        owed,
        minor(more["minimum"], currency) if "minimum" in more else 0,
        fee,
    )
    opened = PutAccount(account_id, "story", currency, zones.local_date(issued_at, stage.zone))
    known = account_id in stage.owners
    stage.owners[account_id] = borrower_id
    stage.accounts[obligation_id] = account_id
    stage.currencies[account_id] = currency
    commands = (command,) if known or "account" in more else (opened, command)
    tell(stage, Told(account_id, borrower_id, commands))


def _for_what(stage: Stage, words: list[str], more: Mapping[str, str]) -> tuple[str, str]:
    """Return obligation and account of `o1 …` or `account a1 …`, taking them from the front of the words.

    Raises:
        KeyError: the obligation is not known, and the line names no account.
    """
    name = words.pop(0)
    if name == "account":
        return "", words.pop(0)
    return name, more["account"] if "account" in more else stage.accounts[name]


def _split_options(words: tuple[str, ...], count: int) -> tuple[list[str], list[str]]:
    """Return the words in front of the options, `count` or, with an account, one more, and the rest."""
    count += words[1] == "account"
    return list(words[:count]), list(words[count:])


def _money(stage: Stage, line: Line, *, credit: bool) -> None:
    front, rest = _split_options(line.words, 4)
    more = options(rest, {"account": 1, "on": 2})
    repayment_id = front.pop(0)
    obligation_id, account_id = _for_what(stage, front, more)
    currency, amount = front
    stage.accounts[repayment_id] = account_id
    paid_at = stage.at(more["on"]) if "on" in more else line.at
    command = AddRepayment(
        repayment_id,
        obligation_id,
        account_id,
        paid_at,
        minor(amount, currency),
        currency,
        credit=credit,
    )
    _about(stage, account_id, command)


def _pay(stage: Stage, line: Line) -> None:
    """`pay p1 o1 CNY 1200.00 [on 2026-03-01 10:00]`, or `pay p1 account a1 CNY 1200.00`."""
    _money(stage, line, credit=False)


def _credit(stage: Stage, line: Line) -> None:
    """`credit c1 o1 CNY 100.00 [on 2026-03-01 10:00]`."""
    _money(stage, line, credit=True)


def _reverse(stage: Stage, line: Line) -> None:
    """`reverse p1 [on 2026-03-01 10:00]`."""
    repayment_id, *rest = line.words
    more = options(rest, {"on": 2})
    reversed_at = stage.at(more["on"]) if "on" in more else line.at
    _about(stage, stage.accounts[repayment_id], ReverseRepayment(repayment_id, reversed_at))


def _flight(means: Means) -> Callable[[Stage, Line], None]:
    def fly(stage: Stage, line: Line) -> None:
        front, rest = _split_options(line.words, 5)
        more = options(rest, {"by": 2, "because": 1, "on": 2, "account": 1})
        flight_id = front.pop(0)
        obligation_id, account_id = _for_what(stage, front, more)
        currency, amount, state = front
        stage.accounts[flight_id] = account_id
        at = stage.at(more["on"]) if "on" in more else line.at
        command = PutFlight(
            flight_id,
            account_id,
            obligation_id,
            means,
            minor(amount, currency),
            FlightState(state),
            at,
            stage.at(more["by"]) if "by" in more else at + _RESULT_AFTER,
            more.get("because", ""),
        )
        _about(stage, account_id, command)

    return fly


def _hold(stage: Stage, line: Line) -> None:
    """`hold h1 b1 dispute [from 2026-03-01 00:00] [until 2026-03-08 00:00] [obligation o1] [channel sms]`."""
    hold_id, borrower_id, kind, *rest = line.words
    more = options(rest, {"from": 2, "until": 2, **_SCOPE})
    command = PutHold(
        hold_id,
        Kind(kind),
        stage.at(more["from"]) if "from" in more else line.at,
        stage.at(more["until"]) if "until" in more else None,
        account_id=more.get("account", ""),
        obligation_id=more.get("obligation", ""),
        channel=more.get("channel", ""),
        owner=more.get("owner", ""),
    )
    stage.holders[hold_id] = borrower_id
    tell(stage, Told("", borrower_id, (command,)))


def _prefer(stage: Stage, line: Line) -> None:
    """`prefer b1 [channels sms,email] [quiet 20:00-10:00] [language en] [reminders one] [digest yes]`."""
    borrower_id, *rest = line.words
    more = options(rest, dict.fromkeys(("channels", "quiet", "language", "reminders", "digest"), 1))
    start, _, end = more.get("quiet", "").partition("-")
    wanted = Preferences(
        _split(more.get("channels", "")),
        time.fromisoformat(start) if start else None,
        time.fromisoformat(end) if end else None,
        more.get("language", ""),
        one_reminder=more.get("reminders") == "one",
        digest=more.get("digest") == "yes",
    )
    tell(stage, Told("", borrower_id, (PutPreferences(wanted),)))


def _promise(stage: Stage, line: Line) -> None:
    """`promise h1 b1 CNY 500.00 on 2026-03-12 [obligation o1] [account a1]`."""
    hold_id, borrower_id, currency, amount, *rest = line.words
    more = options(rest, {"on": 1, **_SCOPE})
    command = PutHold(
        hold_id,
        Kind.PROMISE,
        line.at,
        account_id=more.get("account", ""),
        obligation_id=more.get("obligation", ""),
        channel=more.get("channel", ""),
        promise_minor=minor(amount, currency),
        promise_on=day(more["on"]),
        owner=more.get("owner", ""),
    )
    stage.holders[hold_id] = borrower_id
    tell(stage, Told("", borrower_id, (command,)))


def _lift(stage: Stage, line: Line) -> None:
    """`lift h1 [on 2026-03-05 09:00]`."""
    hold_id, *rest = line.words
    more = options(rest, {"on": 2})
    lifted_at = stage.at(more["on"]) if "on" in more else line.at
    tell(stage, Told("", stage.holders[hold_id], (LiftHold(hold_id, lifted_at),)))


def _amend(stage: Stage, line: Line) -> None:
    """`amend o1 revision 1 amount 900.00 due 2026-03-20 [minimum 90.00] [fee 5.00] [principal 800.00]
    [aged 2026-03-01]`.
    """
    obligation_id, *rest = line.words
    names = ("revision", "amount", "due", "minimum", "fee", "principal", "aged")
    more = options(rest, dict.fromkeys(names, 1))
    account_id = stage.accounts[obligation_id]
    currency = stage.currencies[account_id]
    fee = minor(more["fee"], currency) if "fee" in more else 0
    owed = minor(more["amount"], currency)
    command = AmendObligation(
        obligation_id,
        int(more["revision"]),
        day(more["due"]),
        minor(more["principal"], currency) if "principal" in more else owed - fee,
        owed,
        minor(more["minimum"], currency) if "minimum" in more else 0,
        fee,
        day(more["aged"]) if "aged" in more else None,
    )
    _about(stage, account_id, command)


def _entry(stage: Stage, line: Line) -> None:
    """`entry o1 2026-03-15`."""
    obligation_id, entry_on = line.words
    command = ChooseEntry(obligation_id, day(entry_on))
    _about(stage, stage.accounts[obligation_id], command)


def _feed(stage: Stage, line: Line) -> None:
    """`feed until 2026-03-08 18:00`: the lender's repayments are complete up to then."""
    more = options(line.words, {"until": 2})
    stage.running.memory.commit([SaveFeed(TENANT, stage.at(more["until"]))])


def _outage(stage: Stage, line: Line) -> None:
    """`outage until 2026-03-07 09:00`."""
    stage.asleep_until = stage.at(options(line.words, {"until": 2})["until"])


def _again(stage: Stage, line: Line) -> None:
    """`again`: what the last line told is delivered a second time."""
    if line.words or not stage.told:
        raise ValueError("'again' stands alone, behind something told")
    tell(stage, *stage.told)


TELL: Mapping[str, Callable[[Stage, Line], None]] = {
    "borrower": borrower,
    "account": _account,
    "bill": _bill,
    "amend": _amend,
    "entry": _entry,
    "pay": _pay,
    "credit": _credit,
    "reverse": _reverse,
    "debit": _flight(Means.DEBIT),
    "transfer": _flight(Means.TRANSFER),
    "refund": _flight(Means.REFUND),
    "hold": _hold,
    "prefer": _prefer,
    "promise": _promise,
    "lift": _lift,
    "feed": _feed,
    "outage": _outage,
    "again": _again,
}
