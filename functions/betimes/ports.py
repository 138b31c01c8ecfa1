"""What the flows need from outside, as small protocols. Adapters implement them on AWS, the lab in memory.

Every implementation passes the same contract suite (tests/contracts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import date, datetime
from typing import Protocol

from betimes.core.book import Owner, Pages
from betimes.core.change import Change
from betimes.core.contact import Contact, Event
from betimes.core.endpoints import Endpoint
from betimes.core.inbox import Listing
from betimes.core.links import Issued
from betimes.core.message import Text
from betimes.core.pace import Ask, Gauge, Quota, Verdict
from betimes.core.record import Record
from betimes.core.spend import Day, Spent
from betimes.core.suppression import Listed
from betimes.core.values import dataclass


@dataclass(frozen=True, slots=True)
class DueLook:
    """A row of the agenda: this obligation of this borrower is to be looked at, `look_at` having passed."""

    tenant: str
    borrower_id: str
    obligation_id: str
    look_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, oldest look first, and where to go on; `after` is "" on the last page."""

    looks: tuple[DueLook, ...]
    after: str = ""


class Book(Protocol):
    """The mutable truth about borrowers."""

    def pages(self, tenant: str, borrower_id: str) -> Pages:
        """Return everything about one borrower, consistently read; empty pages for one who is unknown.

        Raises:
            Stale: the read stayed torn after three tries.
        """

    def owner(self, tenant: str, account_id: str) -> Owner:
        """Return who holds an account, consistently read; with borrower_id "" and parked repayments if unknown.

        Raises:
            Stale: the read stayed torn after three tries.
        """

    def fed_until(self, tenant: str) -> datetime | None:
        """Return up to when (UTC) the tenant's repayments are known to be complete; None if it never said so."""

    def due(self, shard: int, now: datetime, *, limit: int, after: str = "") -> Page:
        """Return up to `limit` rows of the shard with `look_at` ≤ `now`, oldest first. May lag behind the truth."""


class Store(Protocol):
    """The one door for writes."""

    def commit(self, changes: Sequence[Change]) -> None:
        """Write all changes or none; at most `core.change.MAX_CHANGES`, an empty list writes nothing.

        Raises:
            Stale: a condition did not hold; `failed` has the positions of the changes concerned.
            Unavailable: throttled or out of reach; certainly nothing was written, or the same commit may be repeated.
        """


class Contacts(Protocol):
    """The outbox and the state of each contact."""

    def get(self, contact_id: str) -> Contact | None:
        """Return a contact, consistently read; None if there is none."""


class Ledger(Protocol):
    """The append-only record of decisions and events."""

    def of_borrower(self, tenant: str, borrower_id: str) -> Sequence[Record]:
        """Return all records of a borrower in order of time; may be empty."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A rendered message on its way: the address, the text, and the ids that travel with it; neither address nor text
    is shown by `repr`.

    `lives_s` are the seconds until it is useless, 0 where nobody said; `unsubscribe` is the https address for one-click
    unsubscription of an e-mail (RFC 8058), "" where it has none. `borrower_id` says for whom it is, and `decided_at`
    (UTC) when its contact was decided: the same on each attempt.
    """

    contact_id: str
    attempt: int
    tenant: str
    address: str = field(repr=False)
    text: Text = field(repr=False)
    lives_s: int = 0
    unsubscribe: str = field(default="", repr=False)
    borrower_id: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; `provider_id` is its id for the message."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider surely did not take it. `code` is the provider's; `may_retry` if the same send can succeed later.

    `throttled` says that only the pace was at fault; `retry_after_s` is how long the provider asks to wait, 0 where it
    does not say.
    """

    code: str
    may_retry: bool
    throttled: bool = False
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have been taken; nobody knows."""

    cause: str


Answer = Accepted | Refused | Unknown


class Sender(Protocol):
    """One channel's way out."""

    def send(self, letter: Letter) -> Answer:
        """Make exactly one request to the provider and return its answer; "no" and "unknown" are values."""


class Endpoints(Protocol):
    """What is known of the tenants' own servers."""

    def endpoint(self, tenant: str) -> Endpoint:
        """Return what is known of a tenant's endpoint, consistently read; of a new one nothing but the tenant.

        Raises:
            Unavailable: out of reach.
        """

    def save(self, endpoint: Endpoint) -> None:
        """Keep an endpoint whose version is one above the stored one, 1 where there is none.

        Raises:
            Stale: somebody else was first.
            Unavailable: out of reach.
        """


class Inbox(Protocol):
    """What stands in the in-app inboxes of borrowers."""

    def listing(
        self, tenant: str, borrower_id: str, now: datetime, *, limit: int, after: str = ""
    ) -> Listing:
        """Return up to `limit` messages (1 to `core.inbox.MAX_PAGE`) that are there at `now` (UTC), newest first, on
        from where a page before said `after`. A page may be short, or empty, before the last one.

        Raises:
            Rejected: code "bad_page", where `after` is of no page of this inbox's form.
            Unavailable: out of reach.
        """

    def unread(self, tenant: str, borrower_id: str, now: datetime) -> int:
        """Return how many messages there are at `now` that nobody has read, `core.inbox.MAX_COUNTED` at most; may lag
        behind the truth.

        Raises:
            Unavailable: out of reach.
        """

    def mark(
        self,
        tenant: str,
        borrower_id: str,
        decided_at: datetime,
        contact_id: str,
        event: Event,
        at: datetime,
    ) -> bool:
        """Keep that a message was seen or read (`Event`) at an instant, and return whether it is still there; the
        earliest instants stay, in whatever order they are told. Repeatable.

        Raises:
            Unavailable: out of reach; do it again.
        """


class Links(Protocol):
    """Where the links and the code of a message come from."""

    def issued(self, tenant: str, contact_id: str, on: date) -> Issued:
        """Return those of a contact as issued `on` a day (UTC), the same each time until keys change.

        Raises:
            Unavailable: the keys are out of reach.
        """


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Some of a tenant's addresses, and where to go on; `after` is "" on the last page, which others may be short of
    too.
    """

    rows: tuple[Listed, ...]
    after: str = ""


class Addresses(Protocol):
    """What is known of addresses, whoever they belong to; written through `Store`."""

    def listed(self, tenant: str, index: str, channel: str) -> Listed:
        """Return what is known of the address with a blind index, consistently read; of version 0 where nothing is.

        Raises:
            Unavailable: out of reach.
        """

    def addresses(self, tenant: str, *, limit: int, after: str = "") -> ListedPage:
        """Return up to `limit` addresses of a tenant of which something is known, in no order that means anything.

        Raises:
            Rejected: code "bad_page", where `after` is none that a page said.
            Unavailable: out of reach.
        """


class Blind(Protocol):
    """What makes blind indexes of addresses, with a key that only a deployment has."""

    def index(self, tenant: str, channel: str, address: str) -> str:
        """Return the blind index of an address (`core.suppression.index_of`).

        Raises:
            Unavailable: the key is out of reach.
        """


class Limiter(Protocol):
    """What all workers know together of a provider's pace; one lane is one key of the database."""

    def gauge(self, provider: str) -> Gauge | None:
        """Return what is known of the provider's pace, consistently read; None before anything is."""

    def save(self, provider: str, gauge: Gauge) -> None:
        """Keep a gauge whose version is one above the stored one, 1 where there is none.

        Raises:
            Stale: somebody else was first.
        """

    def take(self, provider: str, lane: int, ask: Ask) -> Verdict:
        """Return what the lane answers (`core.pace.judge`), having sold the slot in the same write if it is a Slot.

        However callers interleave, the answers are those of some order of the same questions. A lane that was never
        asked is as `core.pace.Lane()`.

        Raises:
            Unavailable: out of reach, or too many others at once. A slot may be lost, none is sold twice.
        """

    def fill(self, provider: str, lane: int, *, gear: int, left: int | None) -> None:
        """Tell a lane that there is a gauge of this gear, and how many units it may sell until the next statement of
        the quota (None: as many as it already knows of).

        Each of the two does nothing where the lane was told of it by this gear or a higher one before.

        Raises:
            Unavailable: out of reach.
        """


class Quotas(Protocol):
    """What one provider says it allows."""

    def read(self) -> Quota:
        """Return the provider's statement, read now.

        Raises:
            Unavailable: the provider cannot be asked at the moment.
        """


class Spend(Protocol):
    """What was spent for a tenant on a channel on a civil day, in millionths of one currency."""

    def spent(self, day: Day) -> Spent:
        """Return what the day has come to; nothing at all where nothing was spent."""

    def estimate(self, day: Day, key: str, micro: int, *, limit: int) -> bool:
        """Count the estimated price of the message `key`, and return True, unless the day would go over `limit` by it.

        `limit` 0 is none. A key that is counted already returns True again and is not counted twice; one that was taken
        back is counted anew.

        Raises:
            Unavailable: out of reach. Something may have been counted, at most once more than it goes.
        """

    def true_up(self, day: Day, key: str, micro: int) -> bool:
        """Replace what is counted for `key` by what it has really cost; 0 takes it back. Repeatable.

        Returns False, and counts nothing, for a key that was never estimated on that day.

        Raises:
            Unavailable: out of reach; do it again.
        """


class Patience(Protocol):
    """How a flow waits for an instant that is near."""

    def wait(self, until: datetime) -> None:
        """Come back at `until` (UTC) or a little later, at once where it has passed."""


class Clock(Protocol):
    """Where a flow's `now` comes from; read once per unit of work by the caller of a flow."""

    def now(self) -> datetime:
        """Return the current instant (UTC, aware)."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores that most flows need together; without `addresses` no list of them is kept."""

    book: Book
    store: Store
    contacts: Contacts
    ledger: Ledger
    addresses: Addresses | None = None
