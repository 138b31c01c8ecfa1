"""Settings of a deployment and every name that code and infrastructure share.

Names are constants here and nowhere else, so that `infra/`, the adapters and the tests cannot disagree. Standard
library only: `infra/` and the hot handlers import this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final


class Env:
    """Names of the environment variables that `infra/` sets and `Settings.read` reads."""

    STAGE: Final = "BETIMES_STAGE"
    BOOK_TABLE: Final = "BETIMES_BOOK_TABLE"
    CONTACTS_TABLE: Final = "BETIMES_CONTACTS_TABLE"
    LEDGER_TABLE: Final = "BETIMES_LEDGER_TABLE"
    INBOX_TABLE: Final = "BETIMES_INBOX_TABLE"
    SWEEP_QUEUE: Final = "BETIMES_SWEEP_QUEUE_URL"
    FILES_QUEUE: Final = "BETIMES_FILES_QUEUE_URL"
    CONTACTS_TOPIC: Final = "BETIMES_CONTACTS_TOPIC_ARN"
    FILES_BUCKET: Final = "BETIMES_FILES_BUCKET"
    EVIDENCE_BUCKET: Final = "BETIMES_EVIDENCE_BUCKET"
    SENDER_ADDRESS: Final = "BETIMES_SENDER_ADDRESS"
    CONFIGURATION_SET: Final = "BETIMES_CONFIGURATION_SET"
    PROVIDERS: Final = "BETIMES_PROVIDERS"
    RATES: Final = "BETIMES_RATES"
    DAILY_LIMITS: Final = "BETIMES_DAILY_LIMITS"
    OWN_QUEUE: Final = "BETIMES_OWN_QUEUE_URL"
    FEEDBACK_QUEUE: Final = "BETIMES_FEEDBACK_QUEUE_URL"
    SMS_CONFIGURATION_SET: Final = "BETIMES_SMS_CONFIGURATION_SET"
    SMS_ORIGINATION: Final = "BETIMES_SMS_ORIGINATION"
    GATEWAY_ACCOUNT: Final = "BETIMES_GATEWAY_ACCOUNT"
    GATEWAY_KEY: Final = "BETIMES_GATEWAY_KEY_ARN"
    WEBHOOKS: Final = "BETIMES_WEBHOOKS_ARN"
    SHARDS: Final = "BETIMES_SHARDS"
    TREATMENT: Final = "BETIMES_TREATMENT"
    LENDER: Final = "BETIMES_LENDER"
    LICENCE: Final = "BETIMES_LICENCE"
    JURISDICTIONS: Final = "BETIMES_JURISDICTIONS"
    LINK_KEYS: Final = "BETIMES_LINK_KEYS_ARN"
    LINK_HOSTS: Final = "BETIMES_LINK_HOSTS"
    PAY_URL: Final = "BETIMES_PAY_URL"
    PAGE_URL: Final = "BETIMES_PAGE_URL"
    CLOCK_OFFSET: Final = "BETIMES_CLOCK_OFFSET_S"


# Keys and indexes of the tables, and when an item of the inbox is gone, in seconds since 1970 (UTC).
PARTITION_KEY: Final = "pk"
SORT_KEY: Final = "sk"
GONE: Final = "gone_s"
AGENDA_INDEX: Final = "agenda"
AGENDA_PARTITION: Final = "shard"
AGENDA_SORT: Final = "look_at"

# Kinds of items in the Book: the part of the sort key before the first "#".
HEAD: Final = "head"
ACCOUNT: Final = "account"
OBLIGATION: Final = "obligation"
REPAYMENT: Final = "repayment"
HOLD: Final = "hold"
# Not "flight": it has to sort after "head" (`adapters.keys`).
FLIGHT: Final = "inflight"
# Consents and refusals: what the person said. It has to sort after "head" too.
SAID: Final = "said"
BUDGET: Final = "budget"
OWNER: Final = "owner"
FEED: Final = "feed"

# Prefixes in the two buckets.
INBOX: Final = "inbox/"
RESULTS: Final = "results/"
MANIFEST: Final = "tape.json"
SEGMENTS: Final = "segments/"
REPORTS: Final = "reports/"

# Message attributes of the fan-out topic, and the channels that have a queue.
CHANNEL_ATTRIBUTE: Final = "channel"
TENANT_ATTRIBUTE: Final = "tenant"
CHANNELS: Final = ("email", "sms", "push", "inbox", "webhook")
# Who may send on each; "http" is followed by ":" and the profile of a gateway.
OFFERED: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("ses", "sim"),
    "sms": ("sns", "eum", "http", "sim"),
    "push": ("sns", "sim"),
    "inbox": ("own",),
    "webhook": ("https",),
}
BASELINE: Final = "email=ses,sms=sns,push=sns,inbox=own,webhook=https"
# What a provider that states no rate is given where no setting says otherwise, in messages a second: the figure AWS
# names for text messages of an account that asked for none.
USUAL_RATES: Final[Mapping[tuple[str, str], int]] = {("sms", "sns"): 20, ("sms", "eum"): 20}

# Tags on every message a provider can echo back to us.
TAG_CONTACT: Final = "contact_id"
TAG_ATTEMPT: Final = "attempt"
TAG_TENANT: Final = "tenant"

# The path of the hosted pages, before the token.
LINKS: Final = "/l/"

METRICS_NAMESPACE: Final = "Betimes"
LOCAL_STAGE: Final = "local"
# Of the local stage and the lab, so that both write the same texts: a host that leads nowhere, and a key that everybody
# knows. A deployment's key is made by AWS.
LOCAL_PAGE_URL: Final = "https://remind.betimes.example"
LOCAL_LINK_KEY: Final = "not a secret: for the local stage and the lab alone"

# One attempt at a provider (`specification.md` S1b): the call starts at most LEASE - GUARD after its claim.
LEASE: Final = timedelta(seconds=60)
GUARD: Final = timedelta(seconds=30)
CONNECT_TIMEOUT_S: Final = 2
READ_TIMEOUT_S: Final = 10


def providers_of(text: str) -> Mapping[str, str]:
    """Return the provider of each channel that `text` names, such as "email=ses,sms=http:twilio", in order of CHANNELS.

    Raises:
        ValueError: a channel or provider that there is not, or a channel twice; the message says which there are.
    """
    named = _pairs("providers", text)
    for channel, provider in named.items():
        if channel not in OFFERED:
            raise ValueError(
                f"providers: {channel!r} is no channel; there are {', '.join(OFFERED)}"
            )
        kind, colon, profile = provider.partition(":")
        if (
            kind not in OFFERED[channel]
            or bool(colon) != (kind == "http")
            or (colon and not profile)
        ):
            known = [f"{name}:PROFILE" if name == "http" else name for name in OFFERED[channel]]
            raise ValueError(
                f"providers: {channel}={provider!r}: {channel} is sent by {', '.join(known)}"
            )
    return {channel: named[channel] for channel in CHANNELS if channel in named}


def rates_of(text: str) -> Mapping[str, int]:
    """Return messages a second by channel, from text such as "sms=20,push=100".

    Raises:
        ValueError: no channel, or no whole number above 0.
    """
    found = {}
    for channel, rate in _pairs("rates", text).items():
        if channel not in CHANNELS:
            raise ValueError(f"rates: {channel!r} is no channel; there are {', '.join(CHANNELS)}")
        found[channel] = _whole("rates", channel, rate)
    return found


def daily_limits_of(text: str) -> Mapping[tuple[str, str], int]:
    """Return the most that may be spent in a civil day, in millionths, by tenant and channel, from "acme/sms=200".

    Raises:
        ValueError: no tenant, no channel, or no whole number above 0.
    """
    found = {}
    for place, amount in _pairs("daily_limits", text).items():
        tenant, _, channel = place.partition("/")
        if not tenant or channel not in CHANNELS:
            raise ValueError(f"daily_limits: {place!r} is no TENANT/CHANNEL, such as acme/sms")
        found[tenant, channel] = _whole("daily_limits", place, amount) * 1_000_000
    return found


def _pairs(setting: str, text: str) -> dict[str, str]:
    """Return what `text` names, such as "a=b,c=d", each once."""
    found: dict[str, str] = {}
    for part in text.split(",") if text else ():
        name, equals, value = part.strip().partition("=")
        if not name or not equals or not value:
            raise ValueError(f"{setting}: {part!r} is no NAME=VALUE")
        if name in found:
            raise ValueError(f"{setting}: {name!r} is named twice")
        found[name] = value
    return found


def _whole(setting: str, name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) < 10**9:
        raise ValueError(f"{setting}: {name}={text!r}: must be a whole number above 0")
    return int(text)


class SettingMissing(Exception):
    """A setting that this function needs is not in its environment; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What one deployed function knows about its surroundings; read once at start-up, never inside `core` or `flows`.

    A function gets only the names it needs, so every field has an empty default and `need` complains where one is used.
    """

    stage: str = LOCAL_STAGE
    book_table: str = ""
    contacts_table: str = ""
    ledger_table: str = ""
    inbox_table: str = ""
    sweep_queue: str = ""
    files_queue: str = ""
    contacts_topic: str = ""
    files_bucket: str = ""
    evidence_bucket: str = ""
    sender_address: str = ""
    configuration_set: str = ""
    lender: str = "Betimes Demo"
    licence: str = ""
    # Whose borrowers are served, with spaces between the names; "" for whoever is told.
    jurisdictions: str = ""
    treatment: str = "default"
    # The keys of links; the lender's payment page ("" none), and the hosts, with commas between them, that a borrower
    # may be sent to.
    link_keys: str = ""
    link_hosts: str = ""
    pay_url: str = ""
    # Where the hosted pages are reached, such as https://remind.lender.example; "" for messages without links.
    page_url: str = ""
    # Who sends on each channel, such as "email=ses,sms=http:twilio"; a channel that is not named is not sent on.
    providers: str = BASELINE
    # Messages a second (parts of a text message), by channel, for providers that state none: "sms=20".
    rates: str = ""
    # The most a tenant may spend on a channel in a civil day, in whole units of the prices' currency: "acme/sms=200".
    daily_limits: str = ""
    own_queue: str = ""
    feedback_queue: str = ""
    sms_configuration_set: str = ""
    sms_origination: str = ""
    gateway_account: str = ""
    gateway_key: str = ""
    # The secret with the tenants' own servers (`adapters.webhook`).
    webhooks: str = ""
    shards: int = 4
    clock_offset_s: int = 0

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings in `environment`.

        Raises:
            ValueError: a shifted clock outside the local deployment, or a number that is none.
        """
        values: dict[str, Any] = {
            field: environment[name]
            for field, name in _TEXT_SETTINGS.items()
            if environment.get(name)
        }
        values |= {
            field: int(environment[name])
            for field, name in _NUMBER_SETTINGS.items()
            if environment.get(name)
        }
        settings = cls(**values)
        if settings.clock_offset_s and settings.stage != LOCAL_STAGE:
            raise ValueError(
                f"{Env.CLOCK_OFFSET}={settings.clock_offset_s}: "
                f"only stage {LOCAL_STAGE!r} may shift its clock"
            )
        return settings

    def need(self, field: str) -> str:
        """Return the text setting `field`.

        Raises:
            SettingMissing: it is empty in this function's environment.
        """
        value: str = getattr(self, field)
        if not value:
            raise SettingMissing(f"environment variable {_TEXT_SETTINGS[field]} is not set")
        return value


_TEXT_SETTINGS: Final = {
    "stage": Env.STAGE,
    "book_table": Env.BOOK_TABLE,
    "contacts_table": Env.CONTACTS_TABLE,
    "ledger_table": Env.LEDGER_TABLE,
    "inbox_table": Env.INBOX_TABLE,
    "sweep_queue": Env.SWEEP_QUEUE,
    "files_queue": Env.FILES_QUEUE,
    "contacts_topic": Env.CONTACTS_TOPIC,
    "files_bucket": Env.FILES_BUCKET,
    "evidence_bucket": Env.EVIDENCE_BUCKET,
    "sender_address": Env.SENDER_ADDRESS,
    "configuration_set": Env.CONFIGURATION_SET,
    "lender": Env.LENDER,
    "licence": Env.LICENCE,
    "jurisdictions": Env.JURISDICTIONS,
    "treatment": Env.TREATMENT,
    "link_keys": Env.LINK_KEYS,
    "link_hosts": Env.LINK_HOSTS,
    "pay_url": Env.PAY_URL,
    "page_url": Env.PAGE_URL,
    "providers": Env.PROVIDERS,
    "rates": Env.RATES,
    "daily_limits": Env.DAILY_LIMITS,
    "own_queue": Env.OWN_QUEUE,
    "feedback_queue": Env.FEEDBACK_QUEUE,
    "sms_configuration_set": Env.SMS_CONFIGURATION_SET,
    "sms_origination": Env.SMS_ORIGINATION,
    "gateway_account": Env.GATEWAY_ACCOUNT,
    "gateway_key": Env.GATEWAY_KEY,
    "webhooks": Env.WEBHOOKS,
}
_NUMBER_SETTINGS: Final = {"shards": Env.SHARDS, "clock_offset_s": Env.CLOCK_OFFSET}
