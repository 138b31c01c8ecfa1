"""The pace of providers in DynamoDB: one item for a gauge, one for each lane (`ports.Limiter`).

Theory
------
A lane moves by one conditional UpdateItem and is never read before it is written. `core.pace.judge`
has six ways to say yes, and each holds under conditions on single attributes: the lane or the share
has nothing sold ahead, or something within the lead. The write names one way, sets the attributes it
moves relative to themselves, and holds only under the conditions of that way. If they do not hold,
DynamoDB answers with the item as it was, the same pure function judges that, and its no is the
answer, or its yes is the way to try next. So whoever writes has the lane's consent at the instant of
writing, and others who move it in between cost a try and never a slot too many.

The first try takes the way that the last question of this process took: where a lane is busy it
mostly stays so.

The items stand in the Book, under a partition that no tenant can have: "@" is in no id. Its stream
does not pass them on, since no reader asks for their sort keys. A lane takes some 500 writes a
second, which is a limit of one key in DynamoDB; `core.pace` splits a higher rate over several.

Source: DynamoDB Developer Guide, condition expressions, ReturnValuesOnConditionCheckFailure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from betimes.adapters.attributes import (
    Item,
    flag,
    flag_fields,
    instant,
    instant_fields,
    instant_or_none,
    instant_value,
    number,
    number_or_zero,
    number_value,
    text_fields,
    text_or_empty,
    text_value,
)
from betimes.adapters.failures import failure
from betimes.config import PARTITION_KEY, SORT_KEY
from betimes.core import pace
from betimes.core.errors import Stale, Unavailable
from betimes.core.pace import Ask, Gauge, Lane, Own, Quota, Slot, Verdict, Why

# Stands where a tenant stands in other partitions; no id can be equal to it.
PACE: Final = "@pace"
GAUGE: Final = "gauge"
LANE: Final = "lane"
# Ways to try for one slot: with six workers at one lane the third try is rare.
MAX_TRIES: Final = 8

# Attributes of a lane. Those of shares are behind a prefix, so that no tenant's name can be one of the others.
_TAT: Final = "tat"
_LEFT: Final = "left"
_GEAR: Final = "gear"
_FILLED: Final = "filled"
_SHARE: Final = "share#"
_FIRST: Final = Slot(0, idle=True, own=Own.RESTED)


class Lanes:
    """Gauges and lanes on DynamoDB (`ports.Limiter`); `client` is a low-level boto3 client, `table` the Book.

    Not to be shared by threads: it remembers the way of the last slot, which is a guess and no more.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._guess = _FIRST

    def gauge(self, provider: str) -> Gauge | None:
        """See `ports.Limiter.gauge`."""
        item = self._item(_key(provider, GAUGE))
        return gauge_from(item) if item else None

    def save(self, provider: str, gauge: Gauge) -> None:
        """See `ports.Limiter.save`."""
        self._call(
            "put_item",
            Item={**_key(provider, GAUGE), **gauge_fields(gauge)},
            # The first version follows none.
            ConditionExpression="attribute_not_exists(#key)"
            if gauge.version == 1
            else "#version = :seen",
            ExpressionAttributeNames={"#key": PARTITION_KEY}
            if gauge.version == 1
            else {"#version": "version"},
            **(
                {}
                if gauge.version == 1
                else {"ExpressionAttributeValues": {":seen": number_value(gauge.version - 1)}}
            ),
        )

    def take(self, provider: str, lane: int, ask: Ask) -> Verdict:
        """See `ports.Limiter.take`."""
        key = _lane_key(provider, lane)
        guess = self._guess
        if not ask.share_cost_us:
            # Who has no rate of its own only borrows.
            guess = Slot(0, guess.idle, Own.LENT)
        for _ in range(MAX_TRIES):
            sold = self._sell(key, ask, guess)
            if isinstance(sold, Slot):
                self._guess = sold
                return sold
            verdict = pace.judge(sold, ask)
            if not isinstance(verdict, Slot):
                return verdict
            guess = verdict
        raise Unavailable(f"others were first at a lane {MAX_TRIES} times")

    def fill(self, provider: str, lane: int, *, gear: int, left: int | None) -> None:
        """See `ports.Limiter.fill`."""
        key = _lane_key(provider, lane)
        if left is not None:
            self._raise(key, _FILLED, gear, more={_LEFT: left})
        self._raise(key, _GEAR, gear)

    def _raise(
        self, key: Item, attribute: str, to: int, more: Mapping[str, int] | None = None
    ) -> None:
        """Set a number that only rises, with what goes along; do nothing where it is there already."""
        values = {attribute: to, **(more or {})}
        names = {f"#n{n}": name for n, name in enumerate(values)}
        sets = ", ".join(f"#n{n} = :v{n}" for n in range(len(values)))
        try:
            self._call(
                "update_item",
                Key=key,
                UpdateExpression=f"SET {sets}",
                ConditionExpression="attribute_not_exists(#n0) OR #n0 < :v0",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={
                    f":v{n}": number_value(value) for n, value in enumerate(values.values())
                },
            )
        except Stale:
            return

    def _sell(self, key: Item, ask: Ask, way: Slot) -> Slot | Lane:
        """Sell a slot in the way named, or return the lane as it was where that way is closed."""
        request = _request(ask, way)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=key,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **request,
            )
        except ClientError as error:
            if isinstance(failed := failure(error), Stale):
                old = error.response.get("Item")
                # An emulator, or a proxy, may leave it out; a lane that is no item is one that was never asked.
                return _lane_from(old if old is not None else self._item(key), ask)
            raise failed from error
        except BotoCoreError as error:
            raise failure(error) from error
        # What is new less what was added is where the slot begins.
        return Slot(number(answer["Attributes"], _TAT) - ask.cost_us, way.idle, way.own)

    def _item(self, key: Item) -> Item:
        found: Item = self._call("get_item", Key=key, ConsistentRead=True).get("Item", {})
        return found

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(
                TableName=self._table, **parameters
            )
        except (ClientError, BotoCoreError) as error:
            raise failure(error) from error
        return answer


def _request(ask: Ask, way: Slot) -> dict[str, Any]:
    """Return the update that sells a slot in the way named, and holds only where `core.pace.judge` offers it so."""
    names = {"#tat": _TAT, "#gear": _GEAR, "#share": f"{_SHARE}{ask.share}"}
    values = {
        ":now": ask.now_us,
        ":gear": ask.gear,
        ":cost": ask.cost_us,
    }
    sets = ["#gear = :gear"]
    ifs = ["(attribute_not_exists(#gear) OR #gear <= :gear)"]
    if way.idle:
        sets.append("#tat = :now + :cost")
        ifs.append("(attribute_not_exists(#tat) OR #tat <= :now)")
    else:
        values[":lead"] = ask.now_us + (ask.lent_lead_us if way.own is Own.LENT else ask.lead_us)
        sets.append("#tat = #tat + :cost")
        ifs.append("#tat > :now AND #tat <= :lead")
    match way.own:
        case Own.RESTED if ask.share_cost_us:
            values[":own"] = ask.share_cost_us
            sets.append("#share = :now + :own")
            ifs.append("(attribute_not_exists(#share) OR #share <= :now)")
        case Own.AHEAD if ask.share_cost_us:
            values[":own"] = ask.share_cost_us
            values[":ahead"] = ask.now_us + ask.lead_us
            sets.append("#share = #share + :own")
            ifs.append("#share > :now AND #share <= :ahead")
        case Own.LENT if ask.share_cost_us:
            values[":ahead"] = ask.now_us + ask.lead_us
            ifs.append("#share > :ahead")
        case _:
            del names["#share"]
    if ask.limited:
        names["#left"] = _LEFT
        values |= {":units": ask.units, ":least": ask.units + ask.keep}
        sets.append("#left = #left - :units")
        ifs.append("#left >= :least")
    return {
        "UpdateExpression": f"SET {', '.join(sets)}",
        "ConditionExpression": " AND ".join(ifs),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {name: number_value(value) for name, value in values.items()},
    }


def _lane_from(item: Item, ask: Ask) -> Lane:
    return Lane(
        number_or_zero(item, _TAT),
        number_or_zero(item, f"{_SHARE}{ask.share}"),
        number(item, _LEFT) if _LEFT in item else None,
        number_or_zero(item, _GEAR),
    )


def gauge_fields(gauge: Gauge) -> Item:
    """Return the attributes of a gauge."""
    quota = gauge.quota
    return {
        "quota_rate": number_value(quota.rate),
        "per_day": number_value(quota.per_day),
        "sent": number_value(quota.sent),
        **flag_fields("is_open", quota.is_open),
        "spend_limit": number_value(quota.spend_limit),
        "rate": number_value(gauge.rate),
        "changed_at": instant_value(gauge.changed_at),
        "read_at": instant_value(gauge.read_at),
        "asked_at": instant_value(gauge.asked_at),
        "throttles": number_value(gauge.throttles),
        **instant_fields("counted_from", gauge.counted_from),
        **instant_fields("cut_at", gauge.cut_at),
        **instant_fields("paused_until", gauge.paused_until),
        **text_fields("why", gauge.why or ""),
        "version": number_value(gauge.version),
        "gear": number_value(gauge.gear),
    }


def gauge_from(item: Item) -> Gauge:
    """Return the gauge that `gauge_fields` wrote."""
    why = text_or_empty(item, "why")
    return Gauge(
        Quota(
            number(item, "quota_rate"),
            number(item, "per_day"),
            number(item, "sent"),
            flag(item, "is_open"),
            number(item, "spend_limit"),
        ),
        number(item, "rate"),
        instant(item, "changed_at"),
        instant(item, "read_at"),
        instant(item, "asked_at"),
        number(item, "throttles"),
        instant_or_none(item, "counted_from"),
        instant_or_none(item, "cut_at"),
        instant_or_none(item, "paused_until"),
        Why(why) if why else None,
        number(item, "version"),
        number(item, "gear"),
    )


def _lane_key(provider: str, lane: int) -> Item:
    return _key(provider, f"{LANE}#{lane:03d}")


def _key(provider: str, sort: str) -> Item:
    return {PARTITION_KEY: text_value(f"{PACE}#{provider}"), SORT_KEY: text_value(sort)}
