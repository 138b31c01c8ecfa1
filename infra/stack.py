"""The one stack: every construct, wired, and the outputs by which the deployment is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aws_cdk as cdk
from constructs import Construct

from betimes import outputs
from betimes.config import Env
from infra import catalogue, residency
from infra.alarms import Alarms
from infra.api import Api
from infra.catalogue import (
    BOOK,
    CONTACTS,
    EMAIL,
    FEEDBACK,
    FILES,
    INBOX,
    LEDGER,
    PUSH,
    SCHEDULE,
    SMS,
    SWEEP,
    WEBHOOK,
)
from infra.email import Email
from infra.fanout import Fanout
from infra.feedback import Feedback
from infra.files import Buckets
from infra.functions import Functions
from infra.gateway import GatewaySecret
from infra.keys import DataKey
from infra.logical import pin
from infra.mappings import Mappings
from infra.page import LinkKeys, Page
from infra.queues import Queues
from infra.roles import Target, object_arns
from infra.schedules import Schedules
from infra.settings import BUNDLE_LOCAL, BUNDLE_NONE, BUNDLE_RELEASE, InfraSettings
from infra.tables import Tables
from infra.text_messages import TextMessages
from infra.webhooks import Webhooks

STAGE_TAG: Final = "betimes:stage"
PROJECT_TAG: Final = "project"
PROJECT: Final = "betimes"
# In the template's metadata: which jurisdictions it serves, and for which region that was checked.
RESIDENCY: Final = "betimes:residency"
# Which channels have no AWS service behind them there, and why.
CLOSED: Final = "betimes:closed_channels"


class BetimesStack(cdk.Stack):
    """The whole deployment of one stage. `output_ids` lists its outputs, sorted; `served` says whose data it may hold.

    Raises:
        ResidencyError: it would hold data of borrowers where they may not live.
    """

    def __init__(self, scope: Construct, settings: InfraSettings) -> None:
        served = residency.check(settings, residency.read())
        super().__init__(
            scope,
            stack_name(settings),
            description=f"Betimes repayment reminders, stage {settings.stage}",
            env=cdk.Environment(account=settings.account, region=settings.region),
            # Without the bootstrap rule the template has no SSM parameter, which not every emulator resolves.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            termination_protection=not settings.is_local,
        )
        self._settings = settings
        self.served = served
        closed = residency.closed_channels(settings.region, settings.ways)
        ways = residency.open_ways(settings)
        self.template_options.metadata = {RESIDENCY: served.metadata(), CLOSED: dict(closed)}
        specs = catalogue.functions(ways)
        key = DataKey(self, "Keys", settings=settings).key
        self._tables = Tables(self, "Tables", settings=settings, key=key)
        self._queues = Queues(self, "Queues", specs=catalogue.work_queues(ways), key=key)
        self._fanout = Fanout(
            self,
            "Fanout",
            work=self._queues.work,
            dead_letters=self._queues.dead_letters,
        )
        self._feedback = self._email = self._texts = self._gateway = None
        if catalogue.reports_by_topic(ways):
            self._feedback = Feedback(
                self,
                "Feedback",
                account=settings.account,
                key=key,
                queue=self._queues.work[FEEDBACK],
                dead_letters=self._queues.dead_letters[FEEDBACK],
            )
            if ways.get(EMAIL) == "ses":
                self._email = Email(self, "Email", settings=settings, feedback=self._feedback)
            if ways.get(SMS) == "eum":
                self._texts = TextMessages(
                    self, "TextMessages", settings=settings, feedback=self._feedback
                )
        if ways.get(SMS, "").startswith("http:"):
            self._gateway = GatewaySecret(self, "Gateway", settings=settings, key=key).secret
        self._webhooks = None
        if WEBHOOK in ways:
            self._webhooks = Webhooks(self, "Webhooks", settings=settings, key=key).secret
        self._buckets = Buckets(
            self,
            "Buckets",
            settings=settings,
            key=key,
            files_queue=self._queues.work[FILES],
        )
        self._link_keys = LinkKeys(self, "LinkKeys", settings=settings, key=key).secret
        functions = Functions(
            self,
            "Functions",
            settings=settings,
            specs=specs,
            arns=self._arns(key.key_arn),
            values=self._values(),
            own_queues={
                function: self._queues.work[channel].queue_url
                for channel, function in catalogue.DELIVERIES.items()
            },
        ).by_name
        Mappings(
            self,
            "Mappings",
            functions=functions,
            tables=self._tables,
            work=self._queues.work,
            failures=self._queues.failures,
        )
        schedules = Schedules(
            self,
            "Schedules",
            settings=settings,
            functions=functions,
            failures=self._queues.failures[SCHEDULE],
        )
        api = Api(self, "Api", settings=settings, function=functions["on_request"])
        Page(self, "Page", api=api.http, stage=api.stage, function=functions["on_page"])
        alarms = Alarms(
            self,
            "Alarms",
            settings=settings,
            functions=functions,
            work=self._queues.work,
            last_stops=self._queues.last_stops,
        )
        if settings.bundle == BUNDLE_NONE:
            self._refuse_deployment()
        if served.checked:
            self._refuse_elsewhere()
        self._tag()
        found = {
            outputs.API_ENDPOINT: api.endpoint,
            outputs.ALARM_TOPIC: alarms.topic.topic_arn,
            outputs.DATA_KEY: key.key_arn,
            outputs.TICK_SCHEDULE: schedules.names["tick"],
            outputs.CLOSE_DAY_SCHEDULE: schedules.names["close_day"],
            **{
                outputs.function_name(spec.name): functions[spec.name].function_name
                for spec in specs
            },
            **self._stores(),
            **self._mail(),
            **self._queue_urls(),
        }
        for logical_id, value in sorted(found.items()):
            cdk.CfnOutput(self, f"Output{logical_id}", value=value).override_logical_id(logical_id)
        self.output_ids = tuple(sorted(found))

    def _stores(self) -> Mapping[str, str]:
        tables = self._tables.by_name
        return {
            outputs.BOOK_TABLE: tables[BOOK].table_name,
            outputs.CONTACTS_TABLE: tables[CONTACTS].table_name,
            outputs.LEDGER_TABLE: tables[LEDGER].table_name,
            outputs.INBOX_TABLE: tables[INBOX].table_name,
            outputs.FILES_BUCKET: self._buckets.files.bucket_name,
            outputs.EVIDENCE_BUCKET: self._buckets.evidence.bucket_name,
            outputs.CONTACTS_TOPIC: self._fanout.topic.topic_arn,
        }

    def _mail(self) -> Mapping[str, str]:
        """What there is of providers that AWS runs: nothing where there is none."""
        found = {}
        if self._feedback is not None:
            found[outputs.FEEDBACK_TOPIC] = self._feedback.topic.topic_arn
        if self._email is not None:
            found[outputs.CONFIGURATION_SET] = self._email.configuration_set.configuration_set_name
            found[outputs.SENDER_IDENTITY] = self._email.identity.email_identity_name
        if self._gateway is not None:
            found[outputs.GATEWAY_KEY] = self._gateway.secret_arn
        if self._webhooks is not None:
            found[outputs.WEBHOOKS] = self._webhooks.secret_arn
        return found

    def _queue_urls(self) -> Mapping[str, str]:
        queues = self._queues
        return {
            **{outputs.queue_url(name): queue.queue_url for name, queue in queues.work.items()},
            **{
                outputs.dead_letters_url(name): queue.queue_url
                for name, queue in queues.dead_letters.items()
            },
            **{
                outputs.failures_url(source): queue.queue_url
                for source, queue in queues.failures.items()
            },
        }

    def _values(self) -> Mapping[str, str]:
        """What each name of `config.Env` stands for in this deployment."""
        settings = self._settings
        tables = self._tables.by_name
        return {
            Env.BOOK_TABLE: tables[BOOK].table_name,
            Env.CONTACTS_TABLE: tables[CONTACTS].table_name,
            Env.LEDGER_TABLE: tables[LEDGER].table_name,
            Env.INBOX_TABLE: tables[INBOX].table_name,
            Env.SWEEP_QUEUE: self._queues.work[SWEEP].queue_url,
            Env.FILES_QUEUE: self._queues.work[FILES].queue_url,
            Env.CONTACTS_TOPIC: self._fanout.topic.topic_arn,
            Env.FILES_BUCKET: self._buckets.files.bucket_name,
            Env.EVIDENCE_BUCKET: self._buckets.evidence.bucket_name,
            Env.SENDER_ADDRESS: settings.sender_address,
            Env.CONFIGURATION_SET: self._mail().get(outputs.CONFIGURATION_SET, ""),
            Env.SHARDS: str(settings.shards),
            Env.TREATMENT: settings.treatment,
            Env.LENDER: settings.lender,
            Env.LICENCE: settings.licence,
            Env.LINK_KEYS: self._link_keys.secret_arn,
            Env.LINK_HOSTS: settings.link_hosts,
            Env.PAY_URL: settings.pay_url,
            Env.PAGE_URL: settings.page_url,
            Env.JURISDICTIONS: " ".join(settings.jurisdictions),
            Env.PROVIDERS: settings.providers,
            Env.RATES: settings.rates,
            Env.DAILY_LIMITS: settings.daily_limits,
            Env.FEEDBACK_QUEUE: self._feedback_url(),
            Env.SMS_CONFIGURATION_SET: self._texts.name if self._texts else "",
            Env.SMS_ORIGINATION: settings.sms_origination,
            Env.GATEWAY_ACCOUNT: settings.gateway_account,
            Env.GATEWAY_KEY: self._gateway.secret_arn if self._gateway else "",
            Env.WEBHOOKS: self._webhooks.secret_arn if self._webhooks else "",
        }

    def _feedback_url(self) -> str:
        """Where the simulated provider reports, "" where nobody does."""
        queue = self._queues.work.get(FEEDBACK)
        return queue.queue_url if queue is not None else ""

    def _arns(self, key_arn: str) -> Mapping[Target, str]:
        tables, queues = self._tables, self._queues
        found = {
            Target.BOOK: tables.by_name[BOOK].table_arn,
            Target.AGENDA: tables.agenda_arn,
            Target.CONTACTS: tables.by_name[CONTACTS].table_arn,
            Target.LEDGER: tables.by_name[LEDGER].table_arn,
            Target.INBOX: tables.by_name[INBOX].table_arn,
            Target.BOOK_STREAM: tables.stream_arn(BOOK),
            Target.CONTACTS_STREAM: tables.stream_arn(CONTACTS),
            Target.LEDGER_STREAM: tables.stream_arn(LEDGER),
            Target.SWEEP_QUEUE: queues.work[SWEEP].queue_arn,
            Target.FILES_QUEUE: queues.work[FILES].queue_arn,
            Target.EMAIL_QUEUE: queues.work[EMAIL].queue_arn,
            Target.SMS_QUEUE: queues.work[SMS].queue_arn,
            Target.PUSH_QUEUE: queues.work[PUSH].queue_arn,
            Target.INBOX_QUEUE: queues.work[INBOX].queue_arn,
            Target.WEBHOOK_QUEUE: queues.work[WEBHOOK].queue_arn,
            Target.BOOK_FAILURES: queues.failures[BOOK].queue_arn,
            Target.CONTACTS_FAILURES: queues.failures[CONTACTS].queue_arn,
            Target.LEDGER_FAILURES: queues.failures[LEDGER].queue_arn,
            Target.SCHEDULE_FAILURES: queues.failures[SCHEDULE].queue_arn,
            Target.CONTACTS_TOPIC: self._fanout.topic.topic_arn,
            Target.FILES: self._buckets.files.bucket_arn,
            Target.DATA_KEY: key_arn,
            Target.LINK_KEYS: self._link_keys.secret_arn,
            Target.ANY_PHONE: "*",
            Target.ANY_TOPIC: f"arn:{self.partition}:sns:*",
            Target.ACCOUNT: "*",
            Target.ANY_ENDPOINT: self._own_arn("sns", "endpoint/*"),
            Target.TEXT_SET: self._own_arn(
                "sms-voice", f"configuration-set/betimes-{self._settings.stage}"
            ),
            Target.ANY_POOL: self._own_arn("sms-voice", "pool/*"),
            Target.ANY_NUMBER: self._own_arn("sms-voice", "phone-number/*"),
            Target.ANY_SENDER: self._own_arn("sms-voice", "sender-id/*"),
            **dict(object_arns(self._buckets.files.bucket_arn, self._buckets.evidence.bucket_arn)),
        }
        if FEEDBACK in queues.work:
            found[Target.FEEDBACK_QUEUE] = queues.work[FEEDBACK].queue_arn
        if self._gateway is not None:
            found[Target.GATEWAY_KEY] = self._gateway.secret_arn
        if self._webhooks is not None:
            found[Target.WEBHOOKS] = self._webhooks.secret_arn
        if self._email is not None:
            name = self._email.configuration_set.configuration_set_name
            found[Target.SENDER] = self._own_arn("ses", f"identity/{self._settings.sender_domain}")
            found[Target.CONFIGURATION_SET] = self._own_arn("ses", f"configuration-set/{name}")
        return found

    def _own_arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this account and region."""
        settings = self._settings
        return f"arn:{self.partition}:{service}:{settings.region}:{settings.account}:{resource}"

    def _refuse_deployment(self) -> None:
        """Let CloudFormation refuse a template that was synthesized without code, before it touches anything."""
        bundle = cdk.CfnParameter(
            self,
            "Bundle",
            default=BUNDLE_NONE,
            description="What the functions were built from when this template was made.",
        )
        rule = cdk.CfnRule(
            self,
            "CodeIsBundled",
            assertions=[
                cdk.CfnRuleAssertion(
                    assert_=cdk.Fn.condition_contains(
                        [BUNDLE_LOCAL, BUNDLE_RELEASE], bundle.value_as_string
                    ),
                    assert_description=f"No code in this template: synthesize with -c bundle={BUNDLE_RELEASE}.",
                )
            ],
        )
        pin(bundle, "Bundle")
        pin(rule, "CodeIsBundled")

    def _refuse_elsewhere(self) -> None:
        """Let CloudFormation refuse the template in a region that it was not checked for."""
        region = self._settings.region
        rule = cdk.CfnRule(
            self,
            "Region",
            assertions=[
                cdk.CfnRuleAssertion(
                    assert_=cdk.Fn.condition_contains([region], cdk.Aws.REGION),
                    assert_description=f"Where borrowers' data may live was checked for {region}: synthesize with "
                    "-c region=... of where it goes.",
                )
            ],
        )
        pin(rule, "Region")

    def _tag(self) -> None:
        tags = cdk.Tags.of(self)
        for name, value in (
            (PROJECT_TAG, PROJECT),
            (STAGE_TAG, self._settings.stage),
            *self._settings.tags,
        ):
            tags.add(name, value)


def stack_name(settings: InfraSettings) -> str:
    """Return the stack's name, for example `Betimes-local`."""
    return f"Betimes-{settings.stage}"
