"""The only module that builds adapters: a deployment's settings become the ports that handlers hand to flows.

Everything is made at first use, so a function builds only what its flow needs; importing this module is cheap.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from betimes.config import GUARD, LEASE, LINKS, Settings
from betimes.core.policies import Policies
from betimes.flows.dispatch import Dispatch
from betimes.flows.intake import Intake
from betimes.ports import Clock, Sender, Stores

if TYPE_CHECKING:
    from betimes.adapters.dynamodb import Tables
    from betimes.adapters.fanout import Fanout
    from betimes.adapters.link_keys import LinkKeys, PageLinks
    from betimes.adapters.objects import Bucket
    from betimes.adapters.queues import Queue
    from betimes.adapters.segments import Segments
    from betimes.flows.answer import Desk


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, moved by `offset`: zero everywhere but in the local deployment."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the current instant (UTC, aware)."""
        return datetime.now(UTC) + self.offset


@dataclass
class World:
    """What a deployed function reaches; every part is built when it is first asked for."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)

    @cached_property
    def tables(self) -> Tables:
        """The three tables."""
        from betimes.adapters.clients import client
        from betimes.adapters.dynamodb import Tables

        return Tables(
            client("dynamodb"),
            book=self.settings.need("book_table"),
            contacts=self.settings.need("contacts_table"),
            ledger=self.settings.need("ledger_table"),
        )

    @cached_property
    def stores(self) -> Stores:
        """The stores that flows share."""
        return Stores(self.tables, self.tables, self.tables, self.tables)

    @cached_property
    def policies(self) -> Policies:
        """The policies in force: in this release those shipped with the code."""
        from betimes.adapters.packs import policies

        settings = self.settings
        return policies(
            settings.treatment,
            settings.lender,
            settings.licence,
            tuple(settings.jurisdictions.split()),
        )

    def proofs_ending(self, on: date) -> Mapping[str, date]:
        """Return the treatments whose proofs end within weeks of a day, or have ended, with their last day."""
        from betimes.adapters import proofs

        return proofs.ending(proofs.read(), on)

    @cached_property
    def intake(self) -> Intake:
        """The intake flow."""
        return Intake(self.stores, self.policies, self.settings.shards)

    @cached_property
    def desk(self) -> Desk:
        """Where action links are opened and answered."""
        from betimes.flows.answer import Desk

        return Desk(self.stores, self.intake)

    @cached_property
    def key_ring(self) -> LinkKeys:
        """Where the keys of links and message codes come from."""
        from betimes.adapters.clients import client
        from betimes.adapters.link_keys import LinkKeys

        return LinkKeys(client("secretsmanager"), self.settings.need("link_keys"), self.clock)

    @cached_property
    def page_links(self) -> PageLinks | None:
        """What makes the links of messages; None where nobody has said where the pages are."""
        from betimes.adapters.link_keys import PageLinks

        page = self.settings.page_url
        return PageLinks(self.key_ring, page + LINKS) if page else None

    @cached_property
    def pay_url(self) -> str:
        """The lender's own payment page, "" where none is set.

        Raises:
            Rejected: code "bad_url", where it is not https or on none of the hosts that are allowed.
        """
        from betimes.core.links import checked_url

        if not self.settings.pay_url:
            return ""
        return checked_url(self.settings.pay_url, tuple(self.settings.link_hosts.split(",")))

    @cached_property
    def dispatch(self) -> Dispatch:
        """The dispatch flow with every channel this deployment can send on."""
        return dispatch_of(self, _Senders(self))

    def sender(self, channel: str) -> Sender:
        """Return the way out for `channel`.

        Raises:
            KeyError: this deployment has no such channel.
        """
        from betimes.adapters.clients import client

        if channel == "email":
            from betimes.adapters.ses import Email

            return Email(
                client("sesv2", sends=True),
                sender=self.settings.need("sender_address"),
                configuration_set=self.settings.need("configuration_set"),
            )
        if channel == "sms":
            from betimes.adapters.sms import Sms

            return Sms(client("sns", sends=True))
        raise KeyError(channel)

    @cached_property
    def fanout(self) -> Fanout:
        """The topic that hands contacts to their channels."""
        from betimes.adapters.clients import client
        from betimes.adapters.fanout import Fanout

        return Fanout(client("sns"), self.settings.need("contacts_topic"))

    @cached_property
    def sweep_queue(self) -> Queue:
        """The queue of shards to sweep."""
        return self._queue("sweep_queue")

    @cached_property
    def files_queue(self) -> Queue:
        """The queue of tapes to load."""
        return self._queue("files_queue")

    def _queue(self, setting: str) -> Queue:
        from betimes.adapters.clients import client
        from betimes.adapters.queues import Queue

        return Queue(client("sqs"), self.settings.need(setting))

    @cached_property
    def files(self) -> Bucket:
        """The bucket that tapes are dropped into and results are written to."""
        return self._bucket("files_bucket")

    @cached_property
    def evidence(self) -> Bucket:
        """The bucket for ledger segments and daily reports."""
        return self._bucket("evidence_bucket")

    def _bucket(self, setting: str) -> Bucket:
        from betimes.adapters.clients import client
        from betimes.adapters.objects import Bucket

        return Bucket(client("s3"), self.settings.need(setting))

    @cached_property
    def segments(self) -> Segments:
        """The chain of sealed ledger segments."""
        from betimes.adapters.clients import client
        from betimes.adapters.segments import Segments

        return Segments(client("dynamodb"), self.settings.need("ledger_table"), self.evidence)


def dispatch_of(world: World, senders: Mapping[str, Sender]) -> Dispatch:
    """Return the dispatch flow of `world` with these ways out."""
    return Dispatch(
        world.stores, world.policies, senders, world.clock, LEASE, GUARD, world.page_links
    )


class _Senders(dict[str, Sender]):
    """Senders by channel, each made when its first letter goes out: a function serves one channel."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def __missing__(self, channel: str) -> Sender:
        self[channel] = sender = self._world.sender(channel)
        return sender


def from_environment(environment: Mapping[str, str] | None = None) -> World:
    """Return the world of the function whose environment this is, by default this process's.

    Raises:
        ValueError: a setting has the wrong form, or shifts the clock outside the local deployment.
    """
    settings = Settings.read(os.environ if environment is None else environment)
    return World(settings, SystemClock(timedelta(seconds=settings.clock_offset_s)))
