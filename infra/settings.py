"""Settings of one deployment, read from CDK context and checked before anything is built.

Each field is a context key of the same name: `cdk synth -c stage=prod -c shards=64`, or without the CLI
`CDK_CONTEXT_JSON='{"stage": "prod"}' python -m infra.app`. A key that looks like one of ours but is none is refused, so
that a typing error cannot deploy a default.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, Self

from constructs import Node

from betimes.config import BASELINE, LOCAL_STAGE, daily_limits_of, providers_of, rates_of
from infra import FUNCTIONS

ARCHITECTURES: Final = ("arm64", "x86_64")
# Oldest: what the package supports (`requires-python`). Newest: what CDK 2.275 knows.
RUNTIMES: Final = ("python3.11", "python3.12", "python3.13", "python3.14")
BUNDLE_LOCAL: Final = "local"
BUNDLE_NONE: Final = "none"
BUNDLE_RELEASE: Final = "release"
BUNDLES: Final = (BUNDLE_LOCAL, BUNDLE_NONE, BUNDLE_RELEASE)
# The values CloudWatch Logs accepts, from a day to ten years.
RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
# A GSI partition a shard: more than this and one sweep message a shard and minute costs more than it finds.
MAX_SHARDS: Final = 4096
MAX_LOCK_DAYS: Final = 3650

GATEWAYS: Final = FUNCTIONS / "betimes" / "packs" / "gateways"

_STAGE: Final = re.compile(r"[a-z][a-z0-9]{0,11}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_PACK: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*|HOUSE")
_LICENCE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,8})*")
_ADDRESS: Final = re.compile(r"[^@\s<>]+@[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_GATEWAY: Final = re.compile(r"[^/\s]+/[^/]+")
_ORIGIN: Final = re.compile(r"https://[a-z0-9-]+(\.[a-z0-9-]+)+")
# CDK's own keys carry a colon, slash or hyphen (`aws:cdk:…`, `@aws-cdk/…`, `availability-zones:…`); ours never do.
_OUR_KEY: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class InfraSettings:
    """One deployment. The defaults synthesize a stage `dev` offline, in seconds, without code in it (`bundle`).

    `bundle` says what goes into the functions: `release` for AWS, `local` for this machine, `none` for looking at
    the template only; a template made with `none` refuses to be deployed. `clock_offset_s` shifts the functions'
    clock by that many seconds, and only the local stage may. `evidence_lock_days` is how long S3 Object Lock
    protects segments and reports (0: no lock). `alarm_address` subscribes one mailbox to the alarms (empty:
    nobody). `jurisdictions` are the rule packs whose borrowers it serves, such as CN and US-MA (none: each whose data
    may live in the region, see `infra.residency`). `licence` is the jurisdiction under whose licence the lender
    acts: its rules bind beside those of each borrower's residence and numbers (empty: it has no say). `pay_url` is
    the lender's payment page that links lead to (empty: pages say how to pay in words), `link_hosts` the hosts, with
    commas between them, that it and other links may lead to. `page_url` is the address under which borrowers reach the
    hosted pages, such as https://remind.lender.example: a domain of the lender's that leads to the API (empty: messages
    have no links, no code and no one-click unsubscription). `providers` says who sends on each channel, such as
    `email=ses,sms=http:twilio` (what is meant for a channel that is not named waits in its queue): e-mail by ses or
    sim; text messages by sns, eum (AWS End User Messaging), http:PROFILE of packs/gateways or sim; push by sns or
    sim; the inbox of the app is our own table (inbox=own), and a tenant's own server is asked over https
    (webhook=https). `sim` rehearses every outcome and reaches nobody. `rates` are messages a second, by channel,
    for providers that state none, such as `sms=20`; `daily_limits` the most a tenant spends on a channel in a civil
    day, in whole units of the currency of its prices, such as `acme/sms=200`. `sms_origination` is the pool, number or
    sender name at eum (empty: it chooses), `gateway_account` the account's name at a gateway and the sender it shows,
    such as `acme/Acme`.

    Raises:
        ValueError: a value that cannot be deployed; the message names the key.
    """

    stage: str = "dev"
    account: str = "000000000000"
    region: str = "us-east-1"
    runtime: str = "python3.13"
    architecture: str = "arm64"
    bundle: str = BUNDLE_NONE
    shards: int = 4
    sender_address: str = "reminders@betimes.example"
    lender: str = "Betimes Demo"
    treatment: str = "default"
    clock_offset_s: int = 0
    evidence_lock_days: int = 0
    log_retention_days: int = 30
    log_level: str = "INFO"
    alarm_address: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    jurisdictions: tuple[str, ...] = ()
    licence: str = ""
    pay_url: str = ""
    link_hosts: str = ""
    page_url: str = ""
    providers: str = BASELINE
    rates: str = ""
    daily_limits: str = ""
    sms_origination: str = ""
    gateway_account: str = ""

    def __post_init__(self) -> None:
        _match("stage", self.stage, _STAGE, "1 to 12 lower-case letters and digits")
        _match("account", self.account, _ACCOUNT, "12 digits")
        _match("region", self.region, _REGION, "a region such as eu-central-1")
        _match("sender_address", self.sender_address, _ADDRESS, "an e-mail address")
        if self.alarm_address:
            _match("alarm_address", self.alarm_address, _ADDRESS, "an e-mail address")
        _one_of("runtime", self.runtime, RUNTIMES)
        _one_of("architecture", self.architecture, ARCHITECTURES)
        _one_of("bundle", self.bundle, BUNDLES)
        _one_of("log_retention_days", self.log_retention_days, RETENTION_DAYS)
        _one_of("log_level", self.log_level, ("DEBUG", "INFO", "WARNING", "ERROR"))
        for name in self.jurisdictions:
            _match("jurisdictions", name, _PACK, "names of rule packs such as CN and US-MA")
        if self.licence:
            _match("licence", self.licence, _LICENCE, "a jurisdiction such as CN or US-MA")
        self._check_links()
        self._check_ways()
        _within("shards", self.shards, 1, MAX_SHARDS)
        _within("evidence_lock_days", self.evidence_lock_days, 0, MAX_LOCK_DAYS)
        for key in ("lender", "treatment"):
            if not getattr(self, key).strip():
                raise ValueError(f"{key}: must not be empty")
        if self.clock_offset_s and not self.is_local:
            raise ValueError(
                f"clock_offset_s={self.clock_offset_s}: only stage {LOCAL_STAGE!r} may shift its clock, "
                f"not {self.stage!r}"
            )
        if self.bundle == BUNDLE_LOCAL and not self.is_local:
            raise ValueError(
                f"bundle={BUNDLE_LOCAL}: wheels of this machine fit stage {LOCAL_STAGE!r} only"
            )

    def _check_links(self) -> None:
        """Refuse a payment page that the functions would refuse when the first borrower wants to pay."""
        hosts = self.link_hosts.split(",") if self.link_hosts else []
        for host in hosts:
            _match("link_hosts", host, _HOST, "hosts such as pay.lender.example, in lower case")
        if self.pay_url and not any(self.pay_url.startswith(f"https://{host}/") for host in hosts):
            _refuse(
                "pay_url", self.pay_url, "https, with a path, on one of the hosts of link_hosts"
            )

        if self.page_url:
            _match(
                "page_url", self.page_url, _ORIGIN, "https://, a host in lower case, and no path"
            )

    def _check_ways(self) -> None:
        """Refuse providers that the functions would refuse, or that lack what they need."""
        rates_of(self.rates)
        daily_limits_of(self.daily_limits)
        kind, _, profile = self.ways.get("sms", "").partition(":")
        if kind != "http":
            return
        known = sorted(path.stem for path in GATEWAYS.glob("*.toml"))
        if profile not in known:
            _refuse("providers", self.providers, f"http: and one of {', '.join(known)}")
        _match("gateway_account", self.gateway_account, _GATEWAY, "NAME/SENDER, such as acme/Acme")

    @property
    def ways(self) -> Mapping[str, str]:
        """Who sends on each channel."""
        return providers_of(self.providers)

    @property
    def is_local(self) -> bool:
        """Whether this is the pocket cloud: its data may go, its clock may be shifted."""
        return self.stage == LOCAL_STAGE

    @property
    def sender_domain(self) -> str:
        """The domain whose SES identity signs and sends, in lower case."""
        return self.sender_address.rpartition("@")[2].lower()

    @classmethod
    def from_context(cls, node: Node, defaults: Mapping[str, object] | None = None) -> Self:
        """Return the settings in the CDK context of `node`; `defaults` fill what it does not say.

        Raises:
            ValueError: an unknown key, a value of the wrong kind, or one that cannot be deployed.
        """
        context: Mapping[str, object] = node.get_all_context()
        return cls.from_mapping({**(defaults or {}), **context})

    @classmethod
    def from_mapping(cls, context: Mapping[str, object]) -> Self:
        """Return the settings in a mapping of context keys; values may be text, as `-c key=value` gives them.

        Raises:
            ValueError: an unknown key, a value of the wrong kind, or one that cannot be deployed.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        ours = {key: value for key, value in context.items() if _OUR_KEY.fullmatch(key)}
        if unknown := sorted(ours.keys() - fields.keys()):
            raise ValueError(
                f"unknown context key {', '.join(unknown)}; known are {', '.join(fields)}"
            )
        given: dict[str, object] = {}
        for key, value in ours.items():
            if key == "tags":
                given[key] = _tags(value)
            elif key == "jurisdictions":
                given[key] = _names(key, value)
            elif isinstance(fields[key].default, int):
                given[key] = _number(key, value)
            else:
                given[key] = _text(key, value)
        return cls(**given)  # type: ignore[arg-type]  # Each value was made for its field just above.


def cli_defaults(environment: Mapping[str, str]) -> dict[str, object]:
    """Return the account and region that the CDK CLI found in its profile, as context keys; empty without the CLI."""
    names = {"account": "CDK_DEFAULT_ACCOUNT", "region": "CDK_DEFAULT_REGION"}
    return {key: environment[name] for key, name in names.items() if environment.get(name)}


def _refuse(key: str, value: object, wanted: str) -> NoReturn:
    raise ValueError(f"{key}={value!r}: must be {wanted}")


def _match(key: str, value: str, pattern: re.Pattern[str], wanted: str) -> None:
    if not pattern.fullmatch(value):
        _refuse(key, value, wanted)


def _one_of(key: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        _refuse(key, value, f"one of {', '.join(map(str, allowed))}")


def _within(key: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        _refuse(key, value, f"from {low} to {high}")


def _text(key: str, value: object) -> str:
    # An account number that JSON took for a number has lost its leading zeros: refuse it.
    if not isinstance(value, str):
        _refuse(key, value, "text")
    return value


def _number(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        _refuse(key, value, "a whole number")
    try:
        return int(value)
    except ValueError:
        _refuse(key, value, "a whole number")


def _names(key: str, value: object) -> tuple[str, ...]:
    """Return names in order, each once, from a JSON list or from text `CN,US-MA`."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts or not all(isinstance(each, str) for each in parts):
        _refuse(key, value, "a JSON list or text such as CN,US-MA; leave it out for its default")
    return tuple(sorted({each.strip() for each in parts}))


def _tags(value: object) -> tuple[tuple[str, str], ...]:
    """Return tags sorted by name, from a JSON object or from text `a=b,c=d`."""
    if isinstance(value, str):
        pairs = [part.partition("=")[::2] for part in value.split(",") if part.strip()]
    elif isinstance(value, Mapping):
        pairs = [(str(name), str(text)) for name, text in value.items()]
    else:
        _refuse("tags", value, "a JSON object or text such as team=loans,cost=42")
    tags = {name.strip(): text.strip() for name, text in pairs}
    if not all(tags) or not all(tags.values()):
        _refuse("tags", value, "names with values")
    return tuple(sorted(tags.items()))
