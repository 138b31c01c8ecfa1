"""The only module that builds adapters: a deployment's settings become the ports that handlers hand to flows.

Everything is made at first use, so a function builds only what its flow needs; importing this module is cheap.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from betimes.config import (
    GUARD,
    LEASE,
    LINKS,
    LOCAL_STAGE,
    USUAL_RATES,
    Settings,
    daily_limits_of,
    providers_of,
    rates_of,
)
from betimes.core import receipts
from betimes.core.pace import Quota
from betimes.core.policies import Policies
from betimes.core.values import replace
from betimes.flows.dispatch import Dispatch
from betimes.flows.intake import Intake
from betimes.flows.pacing import Pace, Pacing, paced_by
from betimes.ports import Clock, Quotas, Sender, Stores

if TYPE_CHECKING:
    from betimes.adapters.dynamodb import Tables
    from betimes.adapters.endpoints import EndpointBook
    from betimes.adapters.fanout import Fanout
    from betimes.adapters.inbox import InboxTable
    from betimes.adapters.kept_secret import Secret
    from betimes.adapters.link_keys import BlindIndex, LinkKeys, PageLinks
    from betimes.adapters.objects import Bucket
    from betimes.adapters.queues import Queue
    from betimes.adapters.segments import Segments
    from betimes.flows.addresses import AddressList
    from betimes.flows.answer import Desk
    from betimes.flows.inbox import Reading


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, moved by `offset`: zero everywhere but in the local deployment."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the current instant (UTC, aware)."""
        return datetime.now(UTC) + self.offset


@dataclass(frozen=True, slots=True)
class SystemPatience:
    """Waiting by the machine's clock (`ports.Patience`); `clock` is the one whose instants are meant."""

    clock: Clock

    def wait(self, until: datetime) -> None:
        """See `ports.Patience.wait`."""
        time.sleep(max(0.0, (until - self.clock.now()).total_seconds()))


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
        return Stores(self.tables, self.tables, self.tables, self.tables, self.tables)

    @cached_property
    def policies(self) -> Policies:
        """The policies in force: in this release those shipped with the code."""
        from betimes.adapters.packs import policies

        settings = self.settings
        shipped = policies(
            settings.treatment,
            settings.lender,
            settings.licence,
            tuple(settings.jurisdictions.split()),
        )
        return replace(shipped, receipts=receipts.limits(self.providers))

    @cached_property
    def providers(self) -> Mapping[str, str]:
        """Who sends on each channel of this deployment."""
        return providers_of(self.settings.providers)

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
    def blind(self) -> BlindIndex | None:
        """What makes blind indexes of addresses; None where this function has no key for them."""
        from betimes.adapters.link_keys import BlindIndex

        return BlindIndex(self.key_ring) if self.settings.link_keys else None

    @cached_property
    def address_list(self) -> AddressList:
        """The list of addresses as lenders keep it."""
        from betimes.adapters.link_keys import BlindIndex
        from betimes.flows.addresses import AddressList

        return AddressList(self.stores, self.tables, BlindIndex(self.key_ring))

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
        return dispatch_of(self, _Senders(self), self.pacing)

    @cached_property
    def pacing(self) -> Pacing:
        """How fast each provider may be used, and what each tenant may spend."""
        from betimes.adapters.clients import client
        from betimes.adapters.limiter import Lanes
        from betimes.adapters.prices import prices
        from betimes.adapters.spend import SpendLedger

        book = self.settings.need("book_table")
        return Pacing(
            Pace(Lanes(client("dynamodb"), book), self._quotas()),
            SpendLedger(client("dynamodb"), book),
            prices(),
            self.clock,
            SystemPatience(self.clock),
            daily_limits_of(self.settings.daily_limits),
        )

    def _quotas(self) -> Mapping[str, Quotas]:
        """Return where the quota of each provider is read; one that states none, and has none set, has no pace.

        What the local stage's AWS states of itself is made up, so only settings count there.
        """
        from betimes.adapters import quotas

        rates = rates_of(self.settings.rates)
        found: dict[str, Quotas] = {}
        for channel, provider in self.providers.items():
            name = paced_by(channel, provider)
            rate = 1_000 * rates.get(channel, USUAL_RATES.get((channel, provider), 0))
            if self.settings.stage == LOCAL_STAGE:
                if channel in rates:
                    found[name] = quotas.Fixed(Quota(rate))
            elif provider == "ses":
                found[name] = quotas.Lazily(partial(_made, quotas.SesQuotas, "sesv2"))
            elif (channel, provider) == ("sms", "sns"):
                found[name] = quotas.Lazily(partial(_made, quotas.SnsQuotas, "sns", rate=rate))
            elif provider == "eum":
                made = quotas.EndUserMessagingQuotas
                found[name] = quotas.Lazily(
                    partial(_made, made, "pinpoint-sms-voice-v2", rate=rate)
                )
            elif rate:
                found[name] = quotas.Fixed(Quota(rate))
        return found

    @cached_property
    def own_queue(self) -> Queue:
        """The queue that this function empties: what has to wait goes back into it."""
        return self._queue("own_queue")

    def seconds_until(self, at: datetime) -> int:
        """Return whole seconds until an instant, rounded up, 0 to what a queue can wait."""
        from betimes.adapters.queues import MAX_DELAY_S

        left = -((self.clock.now() - at) // timedelta(seconds=1))
        return min(MAX_DELAY_S, max(0, left))

    def sender(self, channel: str) -> Sender:
        """Return the way out for `channel`.

        Raises:
            KeyError: this deployment has no such channel.
        """
        from betimes.adapters.clients import client

        provider, _, profile = self.providers[channel].partition(":")
        if provider == "sim":
            from betimes.adapters.sim import Sim

            return Sim(channel, self._report, self.clock)
        if provider == "http":
            return self._gateway(profile)
        if provider == "eum":
            from betimes.adapters.end_user_messaging import EndUserMessaging

            return EndUserMessaging(
                client("pinpoint-sms-voice-v2", sends=True),
                configuration_set=self.settings.need("sms_configuration_set"),
                origination=self.settings.sms_origination,
            )
        if channel == "push":
            from betimes.adapters.push import Push

            return Push(client("sns", sends=True))
        if channel == "webhook":
            return self._webhook()
        if channel == "inbox":
            from betimes.adapters.inbox import Inbox

            table = self.settings.need("inbox_table")
            return Inbox(client("dynamodb", sends=True), table, self.clock)
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

    def _report(self, body: str, delay_s: int) -> None:
        """Hand what the simulated provider reports to whoever hears reports."""
        self._queue("feedback_queue").send([body], delay_s=delay_s)

    def _webhook(self) -> Sender:
        """Return the way out to the lenders' own servers."""
        import ssl

        from betimes.adapters.guarded_https import GuardedHttps
        from betimes.adapters.webhook import Hook, Webhook, parsed
        from betimes.flows.endpoints import Watched

        secret = self._secret("webhooks")

        def hook(tenant: str) -> Hook | None:
            return parsed(secret.text()).get(tenant)

        def url_of(tenant: str) -> str:
            found = hook(tenant)
            return found.url if found is not None else ""

        client = GuardedHttps(ssl.create_default_context())
        sender = Webhook(client, hook, self.clock)
        return Watched(sender, self.endpoints, url_of, self.clock)

    def _secret(self, setting: str) -> Secret:
        """Return a text that stands in Secrets Manager."""
        from betimes.adapters.clients import client
        from betimes.adapters.kept_secret import Secret

        return Secret(client("secretsmanager"), self.settings.need(setting), self.clock)

    @cached_property
    def endpoints(self) -> EndpointBook:
        """What is known of the lenders' own servers."""
        from betimes.adapters.clients import client
        from betimes.adapters.endpoints import EndpointBook

        return EndpointBook(client("dynamodb"), self.settings.need("book_table"))

    def _gateway(self, profile: str) -> Sender:
        """Return the way out through a provider's HTTP interface."""
        import ssl

        from betimes.adapters import http_sms
        from betimes.adapters.clients import client
        from betimes.adapters.guarded_https import GuardedHttps
        from betimes.adapters.kept_secret import Secret

        account, _, shown = self.settings.need("gateway_account").partition("/")
        secret = Secret(client("secretsmanager"), self.settings.need("gateway_key"), self.clock)
        return http_sms.HttpSms(
            GuardedHttps(ssl.create_default_context()),
            http_sms.profile(profile),
            http_sms.GatewayAccount(account, shown, secret.text),
        )

    @cached_property
    def inbox(self) -> InboxTable:
        """What stands in the in-app inboxes."""
        from betimes.adapters.clients import client
        from betimes.adapters.inbox import InboxTable

        return InboxTable(client("dynamodb"), self.settings.need("inbox_table"))

    @cached_property
    def reading(self) -> Reading:
        """Where inboxes are read, and what apps tell is heard."""
        from betimes.flows.inbox import Reading

        return Reading(self.stores, self.inbox)

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


def dispatch_of(
    world: World, senders: Mapping[str, Sender], pacing: Pacing | None = None
) -> Dispatch:
    """Return the dispatch flow of `world` with these ways out; without `pacing` nothing waits."""
    return Dispatch(
        world.stores,
        world.policies,
        senders,
        world.clock,
        LEASE,
        GUARD,
        world.page_links,
        world.providers,
        pacing,
        blind=world.blind,
    )


def _made(kind: Callable[..., Quotas], service: str, **known: int) -> Quotas:
    """Return the reader of a quota with its client."""
    from betimes.adapters.clients import client

    return kind(client(service), **known)


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
