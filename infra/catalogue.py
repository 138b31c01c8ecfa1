"""The system as plain tables: functions, work queues, streams and schedules. No CDK here, so tests read it as data.

Times are chosen together. A delivery runs at most five sends of CONNECT_TIMEOUT_S + READ_TIMEOUT_S each, so its
function lives 90 s; a message is hidden six times as long as its function may run (AWS's advice for SQS and
Lambda), so a retry never overlaps a slow first run; and a message that failed five times is a dead letter, not a
sixth attempt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from betimes.config import (
    HEAD,
    REPAYMENT,
    SORT_KEY,
    Env,
)

BOOK: Final = "book"
CONTACTS: Final = "contacts"
LEDGER: Final = "ledger"
TABLES: Final = (BOOK, CONTACTS, LEDGER)
# A channel, its queue, and the table that it writes, which has no stream.
INBOX: Final = "inbox"
WEBHOOK: Final = "webhook"

SWEEP: Final = "sweep"
FILES: Final = "files"
EMAIL: Final = "email"
SMS: Final = "sms"
PUSH: Final = "push"
FEEDBACK: Final = "feedback"
SCHEDULE: Final = "schedule"

ON_REQUEST: Final = "on_request"
ON_FILE: Final = "on_file"
ON_TICK: Final = "on_tick"
ON_SWEEP: Final = "on_sweep"
ON_BOOK_CHANGE: Final = "on_book_change"
ON_CONTACT: Final = "on_contact"
ON_DELIVERY_EMAIL: Final = "on_delivery_email"
ON_DELIVERY_SMS: Final = "on_delivery_sms"
ON_DELIVERY_PUSH: Final = "on_delivery_push"
ON_DELIVERY_INBOX: Final = "on_delivery_inbox"
ON_DELIVERY_WEBHOOK: Final = "on_delivery_webhook"
ON_FEEDBACK: Final = "on_feedback"
ON_LEDGER: Final = "on_ledger"
ON_CLOSE_DAY: Final = "on_close_day"
ON_PAGE: Final = "on_page"

VISIBILITY_FACTOR: Final = 6
MAX_RECEIVES: Final = 5

_TABLES_ENV: Final = (Env.BOOK_TABLE, Env.CONTACTS_TABLE, Env.LEDGER_TABLE)
_POLICY_ENV: Final = (
    *(Env.TREATMENT, Env.LENDER, Env.LICENCE, Env.JURISDICTIONS, Env.SHARDS),
    # How long a receipt may take depends on who sends.
    Env.PROVIDERS,
)
# What makes the links of a message.
_LINKS_ENV: Final = (Env.LINK_KEYS, Env.PAGE_URL)
# What every delivery is told: whom to ask for room, and where what has to wait goes.
_DELIVERY_ENV: Final = (
    *_TABLES_ENV,
    *_POLICY_ENV,
    *_LINKS_ENV,
    *(Env.RATES, Env.DAILY_LIMITS, Env.OWN_QUEUE, Env.FEEDBACK_QUEUE),
)


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One Lambda function: the handler module it runs, how much it gets, and which names of `config.Env` it is told."""

    name: str
    module: str
    memory_mb: int
    timeout_s: int
    environment: tuple[str, ...]

    @property
    def handler(self) -> str:
        """The dotted path Lambda calls."""
        return f"betimes.handlers.{self.module}.handler"


FUNCTIONS: Final = (
    # An HTTP API gives up after 30 s; the function stops before its caller does.
    FunctionSpec(
        ON_REQUEST,
        ON_REQUEST,
        512,
        25,
        (*_TABLES_ENV, *_POLICY_ENV, Env.LINK_KEYS, Env.INBOX_TABLE),
    ),
    # One message is one page of a tape; the rest goes back to the queue as a continuation.
    FunctionSpec(
        ON_FILE,
        ON_FILE,
        1024,
        120,
        (*_TABLES_ENV, *_POLICY_ENV, Env.FILES_BUCKET, Env.FILES_QUEUE),
    ),
    FunctionSpec(ON_TICK, ON_TICK, 256, 30, (Env.SWEEP_QUEUE, Env.SHARDS)),
    FunctionSpec(ON_SWEEP, ON_SWEEP, 512, 60, (*_TABLES_ENV, *_POLICY_ENV, Env.SWEEP_QUEUE)),
    FunctionSpec(ON_BOOK_CHANGE, ON_BOOK_CHANGE, 512, 60, (*_TABLES_ENV, *_POLICY_ENV)),
    FunctionSpec(ON_CONTACT, ON_CONTACT, 256, 30, (Env.CONTACTS_TOPIC,)),
    FunctionSpec(
        ON_DELIVERY_EMAIL,
        "on_delivery",
        512,
        90,
        (*_DELIVERY_ENV, Env.SENDER_ADDRESS, Env.CONFIGURATION_SET),
    ),
    FunctionSpec(
        ON_DELIVERY_SMS,
        "on_delivery",
        512,
        90,
        (
            *_DELIVERY_ENV,
            *(Env.SMS_CONFIGURATION_SET, Env.SMS_ORIGINATION),
            *(Env.GATEWAY_ACCOUNT, Env.GATEWAY_KEY),
        ),
    ),
    FunctionSpec(ON_DELIVERY_PUSH, "on_delivery", 512, 90, _DELIVERY_ENV),
    FunctionSpec(ON_DELIVERY_INBOX, "on_delivery", 512, 90, (*_DELIVERY_ENV, Env.INBOX_TABLE)),
    FunctionSpec(ON_DELIVERY_WEBHOOK, "on_delivery", 512, 90, (*_DELIVERY_ENV, Env.WEBHOOKS)),
    FunctionSpec(ON_FEEDBACK, ON_FEEDBACK, 512, 30, (*_TABLES_ENV, Env.PROVIDERS)),
    FunctionSpec(ON_LEDGER, ON_LEDGER, 512, 60, (Env.LEDGER_TABLE, Env.EVIDENCE_BUCKET)),
    FunctionSpec(
        ON_CLOSE_DAY,
        ON_CLOSE_DAY,
        1024,
        900,
        (*_TABLES_ENV, *_POLICY_ENV, Env.EVIDENCE_BUCKET),
    ),
    # What borrowers open in a browser.
    FunctionSpec(
        ON_PAGE,
        ON_PAGE,
        512,
        25,
        (*_TABLES_ENV, *_POLICY_ENV, Env.LINK_KEYS, Env.LINK_HOSTS, Env.PAY_URL),
    ),
)
FUNCTION: Final = {spec.name: spec for spec in FUNCTIONS}


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """One work queue and the function that empties it.

    `concurrency` bounds how many copies run (SQS event source mappings take 2 to 1000): it is the pace at which a
    provider or a table is met. `retention_h` is how long an unread message still means something. `personal`
    queues carry data about people and are encrypted with the data key; the others carry ids only.
    """

    name: str
    function: str
    batch: int
    concurrency: int
    retention_h: int
    personal: bool = False

    @property
    def visibility_s(self) -> int:
        """Seconds a received message stays hidden."""
        return VISIBILITY_FACTOR * FUNCTION[self.function].timeout_s


WORK_QUEUES: Final = (
    # A sweep message is a hint: the next minute brings another, so an old one is not worth keeping.
    QueueSpec(SWEEP, ON_SWEEP, batch=1, concurrency=16, retention_h=6),
    QueueSpec(FILES, ON_FILE, batch=1, concurrency=4, retention_h=96),
    QueueSpec(EMAIL, ON_DELIVERY_EMAIL, batch=5, concurrency=8, retention_h=96),
    QueueSpec(SMS, ON_DELIVERY_SMS, batch=5, concurrency=4, retention_h=96),
    QueueSpec(PUSH, ON_DELIVERY_PUSH, batch=5, concurrency=8, retention_h=96),
    QueueSpec(INBOX, ON_DELIVERY_INBOX, batch=5, concurrency=8, retention_h=96),
    QueueSpec(WEBHOOK, ON_DELIVERY_WEBHOOK, batch=5, concurrency=8, retention_h=96),
    # Bounces and complaints name the recipient.
    QueueSpec(FEEDBACK, ON_FEEDBACK, batch=10, concurrency=8, retention_h=336, personal=True),
)
QUEUE: Final = {spec.name: spec for spec in WORK_QUEUES}
# Which function sends on each channel.
DELIVERIES: Final = {
    EMAIL: ON_DELIVERY_EMAIL,
    SMS: ON_DELIVERY_SMS,
    PUSH: ON_DELIVERY_PUSH,
    INBOX: ON_DELIVERY_INBOX,
    WEBHOOK: ON_DELIVERY_WEBHOOK,
}
# Providers whose reports come through the feedback queue, and those of them that AWS runs: theirs come by a topic.
BY_TOPIC: Final = frozenset({"ses", "eum"})
REPORTING: Final = BY_TOPIC | {"sim"}


def functions(ways: Mapping[str, str]) -> tuple[FunctionSpec, ...]:
    """Return the functions of a deployment in which `ways` says who sends on each channel: none sends on the others,
    and where no provider reports, nobody hears.
    """
    absent = {name for channel, name in DELIVERIES.items() if channel not in ways}
    if not reports(ways):
        absent.add(ON_FEEDBACK)
    return tuple(spec for spec in FUNCTIONS if spec.name not in absent)


def work_queues(ways: Mapping[str, str]) -> tuple[QueueSpec, ...]:
    """Return the work queues of such a deployment: those of channels that nobody sends on stay, so that what is meant
    for them waits where an alarm sees it, and a gateway can fetch it.
    """
    return tuple(spec for spec in WORK_QUEUES if spec.name != FEEDBACK or reports(ways))


def reports(ways: Mapping[str, str]) -> bool:
    """Return whether any of these providers reports through the feedback queue."""
    return not REPORTING.isdisjoint(ways.values())


def reports_by_topic(ways: Mapping[str, str]) -> bool:
    """Return whether any of these providers reports to a topic of ours."""
    return not BY_TOPIC.isdisjoint(ways.values())


# Attribute names and values in stream images. The item codecs own them; a filter cannot import code, so a test
# compares.
CONTACT_STATE: Final = "state"
CONTACT_READY: Final = "READY"
CONTACT_OFFERED: Final = "offered"
LEDGER_KIND: Final = "kind"
LEDGER_SEGMENT: Final = "segment"


def _keys(condition: object) -> dict[str, object]:
    return {"dynamodb": {"Keys": {SORT_KEY: {"S": [condition]}}}}


def _image(attributes: Mapping[str, object]) -> dict[str, object]:
    return {"dynamodb": {"NewImage": attributes}}


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One table's stream and the function that reads it.

    `filters` are alternatives, as AWS reads them. `max_age_s` ends the retries of a record that cannot be handled;
    what is given up goes to the failure queue as a range of sequence numbers, readable in the stream for 24 h.
    """

    table: str
    function: str
    batch: int
    window_s: int
    parallel: int
    retries: int
    max_age_s: int
    filters: tuple[dict[str, object], ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """The filters as the JSON text that an event source mapping takes."""
        return tuple(json.dumps(each, separators=(",", ":")) for each in self.filters)


STREAMS: Final = (
    # Intake sets `look_at` in its own write, so a new obligation needs nobody, and an update of one, which moves
    # `look_at`, must wake nobody, or the stream would feed itself. Money cancels what is READY; a changed person moves
    # every look. A record lost after an hour delays nothing for ever.
    StreamSpec(
        BOOK,
        ON_BOOK_CHANGE,
        batch=100,
        window_s=1,
        parallel=4,
        retries=8,
        max_age_s=3600,
        filters=(
            _keys({"prefix": f"{REPAYMENT}#"}),
            {"eventName": ["MODIFY"], **_keys(HEAD)},
        ),
    ),
    # A contact that was put back is READY but not offered: it waits for its review. One that is not fanned out
    # within the hour is offered again by that review, with a fresh decision.
    StreamSpec(
        CONTACTS,
        ON_CONTACT,
        batch=50,
        window_s=0,
        parallel=4,
        retries=8,
        max_age_s=3600,
        filters=(
            _image({CONTACT_STATE: {"S": [CONTACT_READY]}, CONTACT_OFFERED: {"BOOL": [True]}}),
        ),
    ),
    # Evidence: six hours of retries leave eighteen in which a person can still read the range from the stream. A
    # segment's own record is not sealed again. One reader a shard keeps the order of records.
    StreamSpec(
        LEDGER,
        ON_LEDGER,
        batch=500,
        window_s=5,
        parallel=1,
        retries=10,
        max_age_s=21_600,
        filters=(
            {
                "eventName": ["INSERT"],
                **_image({LEDGER_KIND: {"S": [{"anything-but": [LEDGER_SEGMENT]}]}}),
            },
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """One schedule: zone-free on purpose, `core.zones` knows local time.

    `max_age_s` is how long a firing that could not be delivered is still worth delivering.
    """

    name: str
    function: str
    expression: str
    retries: int
    max_age_s: int


SCHEDULES: Final = (
    # A tick that is a minute late has been overtaken by the next one.
    ScheduleSpec("tick", ON_TICK, "rate(1 minute)", retries=1, max_age_s=60),
    # 17:00 UTC is 01:00 the next day in Shanghai: the day has ended there, and its last ledger records are in segments.
    ScheduleSpec("close_day", ON_CLOSE_DAY, "cron(0 17 * * ? *)", retries=10, max_age_s=21_600),
)
