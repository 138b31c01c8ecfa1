"""How values are kept in DynamoDB: one hand-written codec for each kind of item, both ways.

What must hold of a value is asserted before it is written and again after it was read: an item that
somebody else changed stops us instead of reaching a borrower. A ledger record's hash is asserted on
the way in only: on the way out a broken record is a finding for the audit.

Attributes that came later than the first release are left out where they say nothing, so an item without them is read
as one that says nothing: what an older version wrote stays readable.

The same functions read the images of stream events, which have the same form as items.
`adapters.keys` has the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final

from betimes.adapters.attributes import (
    Item,
    Value,
    day,
    day_fields,
    day_or_none,
    day_value,
    decimal_fields,
    decimal_or_zero,
    flag,
    flag_fields,
    instant,
    instant_fields,
    instant_or_none,
    instant_value,
    number,
    number_fields,
    number_or_zero,
    number_value,
    rows,
    rows_fields,
    text,
    text_fields,
    text_or_empty,
    text_value,
    texts,
    texts_fields,
    texts_value,
)
from betimes.adapters.keys import (
    PARKED,
    SEPARATOR,
    account_key,
    assert_ids,
    borrower_of,
    budget_key,
    contact_key,
    feed_key,
    flight_key,
    head_key,
    hold_key,
    id_in,
    listed_key,
    listed_of,
    obligation_key,
    owner_key,
    parked_key,
    record_key,
    repayment_key,
    said_key,
)
from betimes.config import (
    ACCOUNT,
    AGENDA_PARTITION,
    AGENDA_SORT,
    BUDGET,
    FEED,
    FLIGHT,
    HEAD,
    HOLD,
    OBLIGATION,
    OWNER,
    PARTITION_KEY,
    REPAYMENT,
    SAID,
    SORT_KEY,
)
from betimes.core import zones
from betimes.core.allocation import NOTHING, Parts
from betimes.core.book import Owner, Pages
from betimes.core.borrower import Account, Borrower, ContactPoint, PointState
from betimes.core.budget import MAX_TOUCHES, NO_BUDGET, Budget
from betimes.core.consent import Consent, Entry, Reach, Reassigned, Refusal, Switch
from betimes.core.contact import Contact, Spoke, State
from betimes.core.flight import Flight, FlightState, Means
from betimes.core.hold import Hold, Kind
from betimes.core.ids import is_id
from betimes.core.money import Money
from betimes.core.obligation import Obligation, Repayment, Tried, Watch
from betimes.core.preferences import NONE as NO_PREFERENCES
from betimes.core.preferences import Preferences
from betimes.core.reason import Reason
from betimes.core.record import Record
from betimes.core.rule import ConsentForm, Party, Purpose, Recipient
from betimes.core.suppression import Entry as ListEntry
from betimes.core.suppression import Listed, Scope, Why
from betimes.core.touch import Direction, Touch
from betimes.core.treatment import MessageClass
from betimes.ports import DueLook

# Attributes that conditions, stream filters or the agenda's projection refer to.
VERSION: Final = "version"
SEQ: Final = "seq"
STATUS: Final = "status"
OPEN: Final = "open"
SETTLED: Final = "settled"
STATE: Final = "state"
ATTEMPT: Final = "attempt"
CHAIN: Final = "chain"
OFFERED: Final = "offered"
PARKINGS: Final = "parkings"
BORROWER: Final = "borrower_id"
KIND: Final = "kind"
COMPLETE_UNTIL: Final = "complete_until"

# The version of a stored account whose item has none: it was written before accounts had versions.
FIRST_VERSION: Final = 1


# The Book


def borrower_item(head: Borrower) -> Item:
    """Return the head of a borrower as an item."""
    _check_borrower(head)
    return {
        **head_key(head.tenant, head.id),
        "locale": text_value(head.locale),
        "zone": text_value(head.zone),
        "jurisdiction": text_value(head.jurisdiction),
        "contact_points": {"L": [_point(point) for point in head.contact_points]},
        "blocked": {"L": [_point(point) for point in head.blocked]},
        "unmatched": number_value(head.unmatched),
        VERSION: number_value(head.version),
        **texts_fields("zone_evidence", head.zone_evidence),
        **texts_fields("tags", head.tags),
        **text_fields("score_band", head.score_band),
        **number_fields("held", head.held),
        **_preferences_fields(head.preferences),
    }


def borrower_from(item: Mapping[str, Value]) -> Borrower:
    """Return the head of a borrower that `borrower_item` wrote."""
    assert text(item, SORT_KEY) == HEAD, "this item is not a head"
    tenant, borrower_id = borrower_of(text(item, PARTITION_KEY))
    head = Borrower(
        tenant=tenant,
        id=borrower_id,
        locale=text(item, "locale"),
        zone=text(item, "zone"),
        jurisdiction=text(item, "jurisdiction"),
        contact_points=tuple(_point_from(point["M"]) for point in item["contact_points"]["L"]),
        blocked=tuple(_point_from(point["M"]) for point in item["blocked"]["L"]),
        unmatched=number(item, "unmatched"),
        version=number(item, VERSION),
        zone_evidence=texts(item, "zone_evidence"),
        tags=texts(item, "tags"),
        score_band=text_or_empty(item, "score_band"),
        held=number_or_zero(item, "held"),
        preferences=_preferences_from(item),
    )
    _check_borrower(head)
    return head


def _preferences_fields(wanted: Preferences) -> Item:
    """Return the preferences as a map of their own; nothing where there are none."""
    if wanted == NO_PREFERENCES:
        return {}
    return {
        "preferences": {
            "M": {
                **texts_fields("channels", wanted.channels),
                **text_fields("quiet_from", _clock_text(wanted.quiet_from)),
                **text_fields("quiet_until", _clock_text(wanted.quiet_until)),
                **text_fields("language", wanted.language),
                **number_fields("one_reminder", int(wanted.one_reminder)),
                **number_fields("digest", int(wanted.digest)),
            }
        }
    }


def _preferences_from(item: Mapping[str, Value]) -> Preferences:
    if "preferences" not in item:
        return NO_PREFERENCES
    fields = item["preferences"]["M"]
    return Preferences(
        channels=texts(fields, "channels"),
        quiet_from=_clock(text_or_empty(fields, "quiet_from")),
        quiet_until=_clock(text_or_empty(fields, "quiet_until")),
        language=text_or_empty(fields, "language"),
        one_reminder=bool(number_or_zero(fields, "one_reminder")),
        digest=bool(number_or_zero(fields, "digest")),
    )


def _clock_text(at: time | None) -> str:
    return "" if at is None else at.isoformat()


def _clock(told: str) -> time | None:
    return time.fromisoformat(told) if told else None


def _check_borrower(head: Borrower) -> None:
    assert head.version >= 1, "a stored head has a version from 1"
    assert head.unmatched >= 0, "repayments that wait are counted from 0"


def _point(point: ContactPoint) -> Value:
    return {
        "M": {
            "channel": text_value(point.channel),
            "address": text_value(point.address),
            "state": text_value(point.state),
            "since": number_value(point.since),
        }
    }


def _point_from(fields: Mapping[str, Value]) -> ContactPoint:
    return ContactPoint(
        channel=text(fields, "channel"),
        address=text(fields, "address"),
        state=PointState(text(fields, "state")),
        since=number(fields, "since"),
    )


def account_item(tenant: str, borrower_id: str, account: Account) -> Item:
    """Return an account of a borrower as an item."""
    _check_account(account)
    return {
        **account_key(tenant, borrower_id, account.id),
        "product": text_value(account.product),
        "currency": text_value(account.currency),
        "opened_on": day_value(account.opened_on),
        "limit_minor": number_value(account.limit_minor),
        **decimal_fields("daily_rate", account.daily_rate),
        **text_fields("mandate", account.mandate),
        **text_fields("creditor", account.creditor),
        **number_fields("tally", account.tally),
        VERSION: number_value(account.version),
    }


def account_from(item: Mapping[str, Value]) -> Account:
    """Return the account that `account_item` wrote."""
    account = Account(
        id=id_in(item, ACCOUNT),
        product=text(item, "product"),
        currency=text(item, "currency"),
        opened_on=day(item, "opened_on"),
        limit_minor=number(item, "limit_minor"),
        daily_rate=decimal_or_zero(item, "daily_rate"),
        mandate=text_or_empty(item, "mandate"),
        creditor=text_or_empty(item, "creditor"),
        version=number(item, VERSION) if VERSION in item else FIRST_VERSION,
        tally=number_or_zero(item, "tally"),
    )
    _check_account(account)
    return account


def _check_account(account: Account) -> None:
    assert account.limit_minor >= 0, "a limit is not negative"
    assert _is_some(account.daily_rate), "a rate is a finite number from 0"
    assert account.version >= FIRST_VERSION, "a stored account has a version from 1"


def _is_some(value: Decimal) -> bool:
    return value.is_finite() and value >= 0


def obligation_item(tenant: str, borrower_id: str, obligation: Obligation) -> Item:
    """Return an obligation as an item.

    `look_at` is left out when there is nothing left to look at: without it the item is not in the
    agenda index.
    """
    _check_obligation(obligation)
    watch = obligation.watch
    return {
        **obligation_key(tenant, borrower_id, obligation.id),
        "account_id": text_value(obligation.account_id),
        "number": number_value(obligation.seq),
        "issued_at": instant_value(obligation.issued_at),
        "due_on": day_value(obligation.due_on),
        "amount_minor": number_value(obligation.amount.minor),
        "currency": text_value(obligation.amount.currency),
        "principal_minor": number_value(obligation.principal_minor),
        "minimum_minor": number_value(obligation.minimum_minor),
        "stored_at": instant_value(obligation.stored_at),
        "paid_minor": number_value(obligation.paid_minor),
        **_parts_fields("paid", obligation.paid),
        **decimal_fields("accrued", obligation.accrued),
        **day_fields("accrued_to", obligation.accrued_to),
        **number_fields("fee_minor", obligation.fee_minor),
        **number_fields("overpaid_minor", obligation.overpaid_minor),
        **instant_fields("settled_at", obligation.settled_at),
        **_spans_fields("spans", obligation.spans),
        **day_fields("nominal_on", obligation.nominal_on),
        **flag_fields("provisional", obligation.provisional),
        **day_fields("aged_from", obligation.aged_from),
        **day_fields("aged_on", obligation.aged_on),
        **day_fields("entry_on", obligation.entry_on),
        **number_fields("revision", obligation.revision),
        **instant_fields("redated_at", obligation.redated_at),
        **instant_fields("amended_at", obligation.amended_at),
        STATUS: text_value(_status(obligation)),
        VERSION: number_value(obligation.version),
        AGENDA_PARTITION: number_value(watch.shard),
        **instant_fields(AGENDA_SORT, watch.look_at),
        "decided": texts_value(watch.decided),
        "contact_id": text_value(watch.contact_id),
        CHAIN: text_value(watch.chain),
        SEQ: number_value(watch.seq),
        **rows_fields("spoken", [(step, zones.to_text(at)) for step, at in watch.spoken]),
        **day_fields("pay_by", watch.pay_by),
        **rows_fields("tried", [(t.step, str(t.slot), t.contact_id) for t in watch.tried]),
        **rows_fields("awaits", [(contact_id,) for contact_id in watch.awaits]),
        **instant_fields("ask_at", watch.ask_at),
    }


def obligation_from(item: Mapping[str, Value]) -> Obligation:
    """Return the obligation that `obligation_item` wrote."""
    obligation = Obligation(
        id=id_in(item, OBLIGATION),
        account_id=text(item, "account_id"),
        seq=number(item, "number"),
        issued_at=instant(item, "issued_at"),
        due_on=day(item, "due_on"),
        amount=Money(number(item, "amount_minor"), text(item, "currency")),
        principal_minor=number(item, "principal_minor"),
        minimum_minor=number(item, "minimum_minor"),
        stored_at=instant(item, "stored_at"),
        watch=Watch(
            shard=number(item, AGENDA_PARTITION),
            look_at=instant_or_none(item, AGENDA_SORT),
            decided=texts(item, "decided"),
            contact_id=text(item, "contact_id"),
            chain=text(item, CHAIN),
            seq=number(item, SEQ),
            spoken=tuple((step, zones.from_text(at)) for step, at in rows(item, "spoken")),
            pay_by=day_or_none(item, "pay_by"),
            tried=tuple(
                Tried(step, int(slot), contact_id) for step, slot, contact_id in rows(item, "tried")
            ),
            awaits=tuple(contact_id for (contact_id,) in rows(item, "awaits")),
            ask_at=instant_or_none(item, "ask_at"),
        ),
        paid_minor=number(item, "paid_minor"),
        settled_at=instant_or_none(item, "settled_at"),
        version=number(item, VERSION),
        fee_minor=number_or_zero(item, "fee_minor"),
        paid=_parts(item, "paid"),
        accrued=decimal_or_zero(item, "accrued"),
        accrued_to=day_or_none(item, "accrued_to"),
        overpaid_minor=number_or_zero(item, "overpaid_minor"),
        spans=_spans(item, "spans"),
        nominal_on=day_or_none(item, "nominal_on"),
        provisional=flag(item, "provisional"),
        aged_from=day_or_none(item, "aged_from"),
        aged_on=day_or_none(item, "aged_on"),
        entry_on=day_or_none(item, "entry_on"),
        revision=number_or_zero(item, "revision"),
        redated_at=instant_or_none(item, "redated_at"),
        amended_at=instant_or_none(item, "amended_at"),
    )
    if obligation.paid_minor and not obligation.overpaid_minor and obligation.paid == NOTHING:
        obligation = _split(obligation)
    assert text(item, STATUS) == _status(obligation), "status and settled_at tell the same"
    _check_obligation(obligation)
    return obligation


def _status(obligation: Obligation) -> str:
    return OPEN if obligation.is_open else SETTLED


def _split(obligation: Obligation) -> Obligation:
    """Return an obligation of an item that knew only the sum of its money, with that sum by component.

    There was neither fee nor late interest then, interest came before principal, and what was too much stayed. The next
    fact about the account's money derives all of it anew.
    """
    billed = obligation.billed
    settling = min(obligation.paid_minor, obligation.amount.minor)
    interest = min(settling, billed.interest)
    return replace(
        obligation,
        paid=Parts(interest=interest, principal=settling - interest),
        overpaid_minor=obligation.paid_minor - settling,
    )


def _parts_fields(name: str, parts: Parts) -> Item:
    """Return the attribute `name` with the components that are not 0, or none at all."""
    named = {
        "penalty": parts.penalty,
        "fee": parts.fee,
        "interest": parts.interest,
        "principal": parts.principal,
    }
    found = {part: number_value(minor) for part, minor in named.items() if minor}
    return {name: {"M": found}} if found else {}


def _parts(item: Mapping[str, Value], name: str) -> Parts:
    found = item[name]["M"] if name in item else {}
    return Parts(
        penalty=number_or_zero(found, "penalty"),
        fee=number_or_zero(found, "fee"),
        interest=number_or_zero(found, "interest"),
        principal=number_or_zero(found, "principal"),
    )


def _spans_fields(name: str, spans: Iterable[tuple[datetime, datetime]]) -> Item:
    return rows_fields(name, [(zones.to_text(start), zones.to_text(end)) for start, end in spans])


def _spans(item: Mapping[str, Value], name: str) -> tuple[tuple[datetime, datetime], ...]:
    found = rows(item, name)
    return tuple((zones.from_text(start), zones.from_text(end)) for start, end in found)


def _check_obligation(obligation: Obligation) -> None:
    assert_ids(obligation.account_id)
    assert obligation.version >= 1, "a stored obligation has a version from 1"
    assert obligation.watch.seq >= 1, "a stored obligation has a seq from 1"
    assert obligation.watch.shard >= 0, "shards are counted from 0"
    assert obligation.revision >= 0, "amendments are counted from 0"
    assert all(start < end for start, end in obligation.spans), "it was settled before it was owed"
    _check_money(obligation)


def _check_money(obligation: Obligation) -> None:
    """Check what holds of the money of one obligation after every replay.

    A product's tolerance forgives a shortfall, so settled does not mean paid in full; but paid in full, with no late
    interest to come, still means settled, and money that is too much needs a debt that was settled.
    """
    billed, paid = obligation.billed, obligation.paid
    on_bill = paid.total - paid.penalty
    assert 0 <= obligation.fee_minor <= obligation.amount.minor, "a fee is part of the amount"
    assert min(paid.penalty, paid.fee, paid.interest, paid.principal) >= 0, "a part below zero"
    assert paid.fee <= billed.fee, "more fees were paid than billed"
    assert paid.interest <= billed.interest, "more interest was paid than billed"
    assert paid.principal <= billed.principal, "more principal was paid than billed"
    assert obligation.overpaid_minor >= 0, "less than nothing was too much"
    received = paid.total + obligation.overpaid_minor
    assert obligation.paid_minor == received, (
        "all money received either settled something or is too much"
    )
    assert _is_some(obligation.accrued), "late interest is a finite number from 0"
    is_late = obligation.accrued > 0 or paid.penalty > 0
    assert not is_late or obligation.accrued_to is not None, "late interest is charged up to a day"
    if obligation.is_open:
        assert obligation.overpaid_minor == 0, "money that is too much means settled"
        owes = on_bill < obligation.amount.minor or obligation.accrued > 0
        assert owes, "paid in full, with no late interest, means settled"
    else:
        assert obligation.paid_minor > 0, "only money settles"


def repayment_item(tenant: str, borrower_id: str, repayment: Repayment) -> Item:
    """Return a repayment in a borrower's pages as an item."""
    return {
        **repayment_key(tenant, borrower_id, repayment.id),
        **_repayment_fields(repayment),
    }


def repayment_from(item: Mapping[str, Value]) -> Repayment:
    """Return the repayment that `repayment_item` wrote."""
    return _repayment(id_in(item, REPAYMENT), item)


def parked_item(tenant: str, repayment: Repayment) -> Item:
    """Return a repayment that waits for its account as an item."""
    assert not repayment.matched, "a repayment without an account cannot be matched"
    return {
        **parked_key(tenant, repayment.account_id, repayment.id),
        **_repayment_fields(repayment),
    }


def parked_from(item: Mapping[str, Value]) -> Repayment:
    """Return the repayment that `parked_item` wrote."""
    repayment = _repayment(id_in(item, PARKED), item)
    assert not repayment.matched, "a repayment without an account cannot be matched"
    return repayment


def _repayment_fields(repayment: Repayment) -> Item:
    _check_repayment(repayment)
    return {
        "obligation_id": text_value(repayment.obligation_id),
        "account_id": text_value(repayment.account_id),
        "paid_at": instant_value(repayment.paid_at),
        "amount_minor": number_value(repayment.amount.minor),
        "currency": text_value(repayment.amount.currency),
        "matched": {"BOOL": repayment.matched},
        **instant_fields("reversed_at", repayment.reversed_at),
        **instant_fields("told_at", repayment.told_at),
        **instant_fields("reversal_told_at", repayment.reversal_told_at),
        **flag_fields("credit", repayment.credit),
    }


def _repayment(identity: str, item: Mapping[str, Value]) -> Repayment:
    repayment = Repayment(
        id=identity,
        obligation_id=text(item, "obligation_id"),
        account_id=text(item, "account_id"),
        paid_at=instant(item, "paid_at"),
        amount=Money(number(item, "amount_minor"), text(item, "currency")),
        matched=bool(item["matched"]["BOOL"]),
        reversed_at=instant_or_none(item, "reversed_at"),
        told_at=instant_or_none(item, "told_at"),
        reversal_told_at=instant_or_none(item, "reversal_told_at"),
        credit=flag(item, "credit"),
    )
    _check_repayment(repayment)
    return repayment


def _check_repayment(repayment: Repayment) -> None:
    assert_ids(repayment.account_id)
    _assert_id_or_none(repayment.obligation_id)
    assert repayment.amount.minor > 0, "a repayment is money received"
    told = repayment.reversal_told_at is not None
    assert not told or repayment.reversed_at is not None, "what was told as reversed is reversed"


def _assert_id_or_none(*identities: str) -> None:
    assert_ids(*(identity for identity in identities if identity))


def hold_item(tenant: str, borrower_id: str, hold: Hold) -> Item:
    """Return a hold of a borrower as an item."""
    _check_hold(hold)
    return {
        **hold_key(tenant, borrower_id, hold.id),
        KIND: text_value(hold.kind),
        "starts_at": instant_value(hold.starts_at),
        "told_at": instant_value(hold.told_at),
        **instant_fields("ends_at", hold.ends_at),
        **instant_fields("lifted_at", hold.lifted_at),
        **text_fields("account_id", hold.account_id),
        **text_fields("obligation_id", hold.obligation_id),
        **text_fields("channel", hold.channel),
        **number_fields("promise_minor", hold.promise_minor),
        **day_fields("promise_on", hold.promise_on),
        **number_fields("paid_before_minor", hold.paid_before_minor),
        **text_fields("owner", hold.owner),
        "revision": number_value(hold.revision),
        **instant_fields("reopened_from", hold.reopened_from),
    }


def hold_from(item: Mapping[str, Value]) -> Hold:
    """Return the hold that `hold_item` wrote."""
    hold = Hold(
        id=id_in(item, HOLD),
        kind=Kind(text(item, KIND)),
        starts_at=instant(item, "starts_at"),
        told_at=instant(item, "told_at"),
        ends_at=instant_or_none(item, "ends_at"),
        lifted_at=instant_or_none(item, "lifted_at"),
        account_id=text_or_empty(item, "account_id"),
        obligation_id=text_or_empty(item, "obligation_id"),
        channel=text_or_empty(item, "channel"),
        promise_minor=number_or_zero(item, "promise_minor"),
        promise_on=day_or_none(item, "promise_on"),
        paid_before_minor=number_or_zero(item, "paid_before_minor"),
        owner=text_or_empty(item, "owner"),
        revision=number(item, "revision"),
        reopened_from=instant_or_none(item, "reopened_from"),
    )
    _check_hold(hold)
    return hold


def _check_hold(hold: Hold) -> None:
    _assert_id_or_none(hold.account_id, hold.obligation_id)
    assert hold.ends_at is None or hold.starts_at < hold.ends_at, "a hold ends after it starts"
    is_promise = hold.kind is Kind.PROMISE
    assert (hold.promise_on is not None) is is_promise, "a promise, and only that, names a day"
    assert (hold.promise_minor > 0) is is_promise, "a promise, and only that, names an amount"
    assert hold.promise_minor >= 0, "nobody promises less than nothing"
    assert hold.paid_before_minor >= 0, "money received is not negative"


def flight_item(tenant: str, borrower_id: str, flight: Flight) -> Item:
    """Return money in flight as an item."""
    _check_flight(flight)
    return {
        **flight_key(tenant, borrower_id, flight.id),
        "account_id": text_value(flight.account_id),
        **text_fields("obligation_id", flight.obligation_id),
        "means": text_value(flight.means),
        "amount_minor": number_value(flight.amount_minor),
        STATE: text_value(flight.state),
        "since": instant_value(flight.since),
        "expected_by": instant_value(flight.expected_by),
        **instant_fields("ended_at", flight.ended_at),
        **text_fields("reason", flight.reason),
        **instant_fields("told_at", flight.told_at),
        "revision": number_value(flight.revision),
    }


def flight_from(item: Mapping[str, Value]) -> Flight:
    """Return the money in flight that `flight_item` wrote."""
    flight = Flight(
        id=id_in(item, FLIGHT),
        account_id=text(item, "account_id"),
        obligation_id=text_or_empty(item, "obligation_id"),
        means=Means(text(item, "means")),
        amount_minor=number(item, "amount_minor"),
        state=FlightState(text(item, STATE)),
        since=instant(item, "since"),
        expected_by=instant(item, "expected_by"),
        ended_at=instant_or_none(item, "ended_at"),
        reason=text_or_empty(item, "reason"),
        told_at=instant_or_none(item, "told_at"),
        revision=number(item, "revision"),
    )
    _check_flight(flight)
    return flight


def _check_flight(flight: Flight) -> None:
    assert_ids(flight.account_id)
    _assert_id_or_none(flight.obligation_id)
    assert flight.amount_minor > 0, "money in flight is above zero"
    ended = flight.state in (FlightState.SETTLED, FlightState.FAILED)
    assert (flight.ended_at is not None) is ended, (
        "what settled or failed has ended, and nothing else"
    )


def budget_item(tenant: str, borrower_id: str, budget: Budget) -> Item:
    """Return the contact budget of a person as an item: a row for each touch, without what says nothing."""
    _check_budget(budget)
    return {
        **budget_key(tenant, borrower_id),
        **rows_fields("touches", [_touch_row(touch) for touch in budget.touches]),
        **instant_fields("full_until", budget.full_until),
        **({"chain": text_value(budget.chain)} if budget.chain else {}),
        VERSION: number_value(budget.version),
    }


def budget_from(item: Mapping[str, Value]) -> Budget:
    """Return the contact budget that `budget_item` wrote."""
    assert text(item, SORT_KEY) == BUDGET, "this item is no budget"
    budget = Budget(
        number(item, VERSION),
        tuple([_touch_from(row) for row in rows(item, "touches")]),
        instant_or_none(item, "full_until"),
        text_or_empty(item, "chain"),
    )
    _check_budget(budget)
    return budget


def _check_budget(budget: Budget) -> None:
    touches = budget.touches
    assert budget.version >= 1, "a stored budget has a version from 1"
    assert len(touches) <= MAX_TOUCHES, "more touches than a budget keeps"
    places = [(touch.at, touch.id, touch.by) for touch in touches]
    assert places == sorted(places), "touches stand in order of time"
    assert len({(touch.by, touch.id) for touch in touches}) == len(touches), "one touch stands once"
    assert_ids(*(touch.id for touch in touches))


# The facts that a row names where they are so, and the names that may stand in it several times.
_FACTS: Final = ("attempt", "connected", "conversation", "message_left", "reserved")
_NAMES: Final = ("debts", "accounts", "products", "excluded")


def _touch_row(touch: Touch) -> list[str]:
    """Return a touch as instant, id, channel, its facts, and a `key=value` for whatever else it says."""
    facts = [name for name in _FACTS if getattr(touch, name)]
    said = {
        "direction": touch.direction,
        "party": touch.party,
        "by": touch.by,
        "number": touch.number,
        "recipient": touch.recipient,
        "purpose": touch.purpose,
    }
    names = [f"{key}={value}" for key in _NAMES for value in getattr(touch, key)]
    return [
        zones.to_text(touch.at),
        touch.id,
        touch.channel,
        ",".join(facts),
        *(f"{key}={value}" for key, value in said.items() if value != _COMMON[key]),
        *names,
    ]


# What most touches are, and a row need not say.
_COMMON: Final[Mapping[str, str]] = {
    "direction": Direction.OUT,
    "party": Party.FIRST,
    "by": "",
    "number": "",
    "recipient": Recipient.BORROWER,
    "purpose": Purpose.OVERDUE,
}


def _touch_from(row: Iterable[str]) -> Touch:
    at, identity, channel, facts, *rest = row
    said, names = dict(_COMMON), {key: list[str]() for key in _NAMES}
    for each in rest:
        key, _, value = each.partition("=")
        if key in names:
            names[key].append(value)
        else:
            assert key in said, f"a touch says nothing of {key!r}"
            said[key] = value
    is_so = facts.split(",")
    return Touch(
        id=identity,
        at=zones.from_text(at),
        channel=channel,
        direction=Direction(said["direction"]),
        attempt="attempt" in is_so,
        connected="connected" in is_so,
        conversation="conversation" in is_so,
        message_left="message_left" in is_so,
        party=Party(said["party"]),
        by=said["by"],
        debts=tuple(names["debts"]),
        accounts=tuple(names["accounts"]),
        products=tuple(names["products"]),
        number=said["number"],
        recipient=Recipient(said["recipient"]),
        excluded=tuple(names["excluded"]),
        purpose=Purpose(said["purpose"]),
        reserved="reserved" in is_so,
    )


# Which kind of entry an item of what a person said is.
_GIVEN: Final = "consent"
_REFUSED: Final = "refusal"
_REASSIGNED: Final = "reassigned"


def entry_item(tenant: str, borrower_id: str, number: int, entry: Entry) -> Item:
    """Return the entry with this number of a person's consents and refusals as an item."""
    assert_ids(entry.id)
    common = {
        **said_key(tenant, borrower_id, number),
        "id": text_value(entry.id),
        **text_fields("address", entry.address),
        **text_fields("evidence", entry.evidence),
        **text_fields("source", entry.source),
    }
    if isinstance(entry, Consent):
        return {
            **common,
            KIND: text_value(_GIVEN),
            "purpose": text_value(entry.purpose),
            **text_fields("channel", entry.channel),
            "form": text_value(entry.form),
            "at": instant_value(entry.given_at),
            **text_fields("language", entry.language),
            **instant_fields("revoked_at", entry.revoked_at),
            **instant_fields("revocation_due_at", entry.revocation_due_at),
            **instant_fields("valid_until", entry.valid_until),
            **instant_fields("told_at", entry.told_at),
        }
    if isinstance(entry, Reassigned):
        return {**common, KIND: text_value(_REASSIGNED), "at": instant_value(entry.at)}
    return {
        **common,
        KIND: text_value(_REFUSED),
        "switch": text_value(entry.switch),
        **text_fields("channel", entry.channel),
        "at": instant_value(entry.at),
        "reach": text_value(entry.reach),
        **text_fields("words", entry.words),
        **instant_fields("lifted_at", entry.lifted_at),
        **text_fields("topic", entry.topic),
        **text_fields("sender", entry.sender),
        **texts_fields("media", sorted(entry.media)),
        **flag_fields("provisional", entry.provisional),
        **instant_fields("told_at", entry.told_at),
    }


def entry_from(item: Mapping[str, Value]) -> Entry:
    """Return the consent, the refusal or the end of one that `entry_item` wrote."""
    identity, address = text(item, "id"), text_or_empty(item, "address")
    evidence, source = text_or_empty(item, "evidence"), text_or_empty(item, "source")
    assert_ids(identity)
    kind, at = text(item, KIND), instant(item, "at")
    if kind == _GIVEN:
        return Consent(
            id=identity,
            purpose=Purpose(text(item, "purpose")),
            channel=text_or_empty(item, "channel"),
            address=address,
            form=ConsentForm(text(item, "form")),
            given_at=at,
            evidence=evidence,
            source=source,
            language=text_or_empty(item, "language"),
            revoked_at=instant_or_none(item, "revoked_at"),
            revocation_due_at=instant_or_none(item, "revocation_due_at"),
            valid_until=instant_or_none(item, "valid_until"),
            told_at=instant_or_none(item, "told_at"),
        )
    if kind == _REASSIGNED:
        return Reassigned(identity, address, at, evidence, source)
    assert kind == _REFUSED, f"nobody says anything of the kind {kind!r}"
    return Refusal(
        id=identity,
        switch=Switch(text(item, "switch")),
        channel=text_or_empty(item, "channel"),
        address=address,
        at=at,
        reach=Reach(text(item, "reach")),
        words=text_or_empty(item, "words"),
        evidence=evidence,
        lifted_at=instant_or_none(item, "lifted_at"),
        topic=text_or_empty(item, "topic"),
        sender=text_or_empty(item, "sender"),
        media=frozenset(texts(item, "media")),
        source=source,
        provisional=flag(item, "provisional"),
        told_at=instant_or_none(item, "told_at"),
    )


def feed_item(tenant: str, complete_until: datetime) -> Item:
    """Return up to when a tenant's repayments are complete, as an item."""
    return {**feed_key(tenant), COMPLETE_UNTIL: instant_value(complete_until)}


def feed_from(item: Mapping[str, Value]) -> datetime:
    """Return the instant (UTC) that `feed_item` wrote."""
    assert text(item, SORT_KEY) == FEED, "this item is no feed"
    return instant(item, COMPLETE_UNTIL)


def owner_item(tenant: str, account_id: str, borrower_id: str, parkings: int) -> Item:
    """Return the holder of an account as an item; without a holder (""), only how often money was parked for it."""
    item = {**owner_key(tenant, account_id), PARKINGS: number_value(parkings)}
    if borrower_id:
        assert_ids(borrower_id)
        item[BORROWER] = text_value(borrower_id)
    return item


def pages_from(tenant: str, borrower_id: str, items: Iterable[Mapping[str, Value]]) -> Pages:
    """Return the pages made of all items of a borrower's partition; empty pages for no items."""
    heads: dict[str, Borrower] = {}
    accounts: dict[str, Account] = {}
    obligations: dict[str, Obligation] = {}
    repayments: dict[str, Repayment] = {}
    holds: dict[str, Hold] = {}
    flights: dict[str, Flight] = {}
    budgets: list[Budget] = []
    said: list[Entry] = []
    readers: Mapping[str, Callable[[Mapping[str, Value]], None]] = {
        HEAD: _into(heads, borrower_from),
        ACCOUNT: _into(accounts, account_from),
        OBLIGATION: _into(obligations, obligation_from),
        REPAYMENT: _into(repayments, repayment_from),
        HOLD: _into(holds, hold_from),
        FLIGHT: _into(flights, flight_from),
        BUDGET: lambda item: budgets.append(budget_from(item)),
        # In order of their keys, which is that of telling.
        SAID: lambda item: said.append(entry_from(item)),
    }
    for item in items:
        readers[text(item, SORT_KEY).partition(SEPARATOR)[0]](item)
    return Pages(
        tenant,
        borrower_id,
        heads.get(borrower_id),
        accounts,
        obligations,
        repayments,
        holds,
        flights,
        budgets[0] if budgets else NO_BUDGET,
        tuple(said),
    )


def _into(found: dict[str, Any], read: Callable[[Mapping[str, Value]], Any]) -> Callable[..., None]:
    def keep(item: Mapping[str, Value]) -> None:
        value = read(item)
        found[value.id] = value

    return keep


def owner_from(tenant: str, account_id: str, items: Iterable[Mapping[str, Value]]) -> Owner:
    """Return the owner made of all items of an account's partition, repayments in order of id."""
    borrower_id, parkings = "", 0
    parked: list[Repayment] = []
    for item in items:
        if text(item, SORT_KEY) == OWNER:
            parkings = number(item, PARKINGS)
            borrower_id = text(item, BORROWER) if BORROWER in item else ""
            assert is_id(borrower_id) or not borrower_id, "an owner's id is none"
        else:
            parked.append(parked_from(item))
    return Owner(tenant, account_id, borrower_id, tuple(parked), parkings)


def due_look_from(item: Mapping[str, Value]) -> DueLook:
    """Return a row of the agenda index, from its keys alone."""
    tenant, borrower_id = borrower_of(text(item, PARTITION_KEY))
    return DueLook(tenant, borrower_id, id_in(item, OBLIGATION), instant(item, AGENDA_SORT))


# Contacts


def contact_item(contact: Contact) -> Item:
    """Return a contact as an item."""
    _check_contact(contact)
    return {
        **contact_key(contact.id),
        "tenant": text_value(contact.tenant),
        BORROWER: text_value(contact.borrower_id),
        "obligation_id": text_value(contact.obligation_id),
        "cycle": text_value(contact.cycle),
        "step": text_value(contact.step),
        "slot": number_value(contact.slot),
        "channel": text_value(contact.channel),
        "template": text_value(contact.template),
        "treatment": text_value(contact.treatment),
        "message_class": text_value(contact.message_class),
        "decided_at": instant_value(contact.decided_at),
        "not_after": instant_value(contact.not_after),
        "amount_minor": number_value(contact.amount.minor),
        "currency": text_value(contact.amount.currency),
        STATE: text_value(contact.state),
        "reason": text_value(contact.reason),
        ATTEMPT: number_value(contact.attempt),
        "unknowns": number_value(contact.unknowns),
        "offers": number_value(contact.offers),
        OFFERED: {"BOOL": contact.offered},
        **instant_fields("lease_until", contact.lease_until),
        **instant_fields("changed_at", contact.changed_at),
        **instant_fields("sent_at", contact.sent_at),
        "text_sha256": text_value(contact.text_sha256),
        "provider_id": text_value(contact.provider_id),
        "point": number_value(contact.point),
        CHAIN: text_value(contact.chain),
        **rows_fields("also", contact.also),
        **({"cause": text_value(contact.cause)} if contact.cause else {}),
        **instant_fields("claimed_at", contact.claimed_at),
        **rows_fields("taken", [(str(attempt),) for attempt in contact.taken]),
        **rows_fields("refusals", [(str(attempt),) for attempt in contact.refusals]),
        **instant_fields("complained_at", contact.complained_at),
        **instant_fields("unsubscribed_at", contact.unsubscribed_at),
        **instant_fields("seen_at", contact.seen_at),
        **instant_fields("read_at", contact.read_at),
        **text_fields("address_index", contact.address_index),
    }


def contact_from(item: Mapping[str, Value]) -> Contact:
    """Return the contact that `contact_item` wrote."""
    contact = Contact(
        id=text(item, PARTITION_KEY),
        tenant=text(item, "tenant"),
        borrower_id=text(item, BORROWER),
        obligation_id=text(item, "obligation_id"),
        cycle=text(item, "cycle"),
        step=text(item, "step"),
        slot=number(item, "slot"),
        channel=text(item, "channel"),
        template=text(item, "template"),
        treatment=text(item, "treatment"),
        message_class=MessageClass(text(item, "message_class")),
        decided_at=instant(item, "decided_at"),
        not_after=instant(item, "not_after"),
        amount=Money(number(item, "amount_minor"), text(item, "currency")),
        state=State(text(item, STATE)),
        reason=Reason(text(item, "reason")),
        attempt=number(item, ATTEMPT),
        unknowns=number(item, "unknowns"),
        offers=number(item, "offers"),
        offered=bool(item[OFFERED]["BOOL"]),
        lease_until=instant_or_none(item, "lease_until"),
        changed_at=instant_or_none(item, "changed_at"),
        sent_at=instant_or_none(item, "sent_at"),
        text_sha256=text(item, "text_sha256"),
        provider_id=text(item, "provider_id"),
        point=number(item, "point"),
        chain=text(item, CHAIN),
        also=tuple(Spoke(*row) for row in rows(item, "also")),
        cause=text(item, "cause") if "cause" in item else "",
        claimed_at=instant_or_none(item, "claimed_at"),
        taken=tuple(int(attempt) for (attempt,) in rows(item, "taken")),
        refusals=tuple(int(attempt) for (attempt,) in rows(item, "refusals")),
        complained_at=instant_or_none(item, "complained_at"),
        unsubscribed_at=instant_or_none(item, "unsubscribed_at"),
        seen_at=instant_or_none(item, "seen_at"),
        read_at=instant_or_none(item, "read_at"),
        address_index=text_or_empty(item, "address_index"),
    )
    _check_contact(contact)
    return contact


def _check_contact(contact: Contact) -> None:
    assert_ids(contact.id, contact.tenant, contact.borrower_id, contact.obligation_id)
    others = [spoke.obligation_id for spoke in contact.also]
    assert_ids(*others)
    named = {contact.obligation_id, *others}
    assert len(named) == len(others) + 1, "a digest names each obligation once"
    assert 0 <= contact.unknowns <= contact.attempt, "only an attempt can end unknown"
    running = contact.state is State.SENDING
    assert not running or contact.lease_until is not None, "a running attempt has a lease"


# The list of addresses


def listed_item(listed: Listed) -> Item:
    """Return what is known of an address as an item, under its blind index."""
    _check_listed(listed)
    return {
        **listed_key(listed.tenant, listed.index, listed.channel),
        VERSION: number_value(listed.version),
        "entries": {"L": [_list_entry(entry) for entry in listed.entries]},
        **texts_fields("borrowers", listed.borrowers),
        **texts_fields("bounced_at", tuple(zones.to_text(at) for at in listed.bounced_at)),
        **instant_fields("delivered_at", listed.delivered_at),
    }


def listed_from(item: Mapping[str, Value]) -> Listed:
    """Return what `listed_item` wrote."""
    tenant, index, channel = listed_of(item)
    listed = Listed(
        tenant,
        index,
        channel,
        version=number(item, VERSION),
        entries=tuple(_list_entry_from(entry["M"]) for entry in item["entries"]["L"]),
        borrowers=texts(item, "borrowers"),
        bounced_at=tuple(zones.from_text(at) for at in texts(item, "bounced_at")),
        delivered_at=instant_or_none(item, "delivered_at"),
    )
    _check_listed(listed)
    return listed


def _list_entry(entry: ListEntry) -> Value:
    return {
        "M": {
            "scope": text_value(entry.scope),
            "why": text_value(entry.why),
            "since": instant_value(entry.since),
            "by": text_value(entry.by),
            **text_fields("note", entry.note),
            **instant_fields("released_at", entry.released_at),
            **text_fields("released_by", entry.released_by),
            **text_fields("released_for", entry.released_for),
        }
    }


def _list_entry_from(fields: Mapping[str, Value]) -> ListEntry:
    return ListEntry(
        Scope(text(fields, "scope")),
        Why(text(fields, "why")),
        instant(fields, "since"),
        text(fields, "by"),
        text_or_empty(fields, "note"),
        instant_or_none(fields, "released_at"),
        text_or_empty(fields, "released_by"),
        text_or_empty(fields, "released_for"),
    )


def _check_listed(listed: Listed) -> None:
    assert listed.version >= 1, "what is stored of an address has a version from 1"
    assert_ids(*listed.borrowers)


# The Ledger


def record_item(record: Record) -> Item:
    """Return a sealed ledger record as an item."""
    assert record.is_intact, "a record is sealed before it is appended"
    return {
        **record_key(record.tenant, record.borrower_id, record.id),
        KIND: text_value(record.kind),
        "obligation_id": text_value(record.obligation_id),
        "contact_id": text_value(record.contact_id),
        "at": instant_value(record.at),
        "body": {"M": {name: _word(value) for name, value in record.body.items()}},
        "prev": text_value(record.prev),
        "hash": text_value(record.hash),
    }


def record_from(item: Mapping[str, Value]) -> Record:
    """Return the ledger record that `record_item` wrote.

    Only its `is_intact` says whether it still is what was written.
    """
    tenant, borrower_id = borrower_of(text(item, PARTITION_KEY))
    return Record(
        id=text(item, SORT_KEY),
        kind=text(item, KIND),
        tenant=tenant,
        borrower_id=borrower_id,
        obligation_id=text(item, "obligation_id"),
        contact_id=text(item, "contact_id"),
        at=instant(item, "at"),
        body={name: _word_from(value) for name, value in item["body"]["M"].items()},
        prev=text(item, "prev"),
        hash=text(item, "hash"),
    )


def _word(value: str | int) -> Value:
    assert not isinstance(value, bool), "a record's body holds text and whole numbers only"
    return number_value(value) if isinstance(value, int) else text_value(value)


def _word_from(value: Value) -> str | int:
    return int(value["N"]) if "N" in value else str(value["S"])
