"""The policies in force: treatments, products, rules and templates, as one value that flows are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import timedelta

from betimes.core.ageing import Buckets, chosen
from betimes.core.book import Pages, Snapshot
from betimes.core.borrower import Account
from betimes.core.errors import Rejected
from betimes.core.keywords import NO_KEYWORDS, Keywords
from betimes.core.law import HOUSE
from betimes.core.message import SPEAKS_AS, Template
from betimes.core.product import PLAIN, Profile
from betimes.core.receipts import DEFAULT
from betimes.core.rules import Rules
from betimes.core.treatment import Anchor, Treatment
from betimes.core.values import dataclass
from betimes.core.workdays import Calendar

# The template of a contact that speaks of several obligations.
DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Policies:
    """What decides and what is said. `lender` is the sender's name in every text.

    `treatment` is the default one; `treatments` are all lines by name, `profiles` the products by name, `calendars`
    those that due dates are rolled by, `buckets` the sets that days past due fall into, `keywords` the words that
    borrowers answer with. `serves` are the rule packs whose borrowers are taken in, empty for all. `receipts` is how
    long a receipt may take, for each channel that has any (`core.receipts`).
    """

    treatment: Treatment
    rules: Rules
    templates: Mapping[str, Template]
    lender: str
    default_locale: str = "zh-CN"
    treatments: Mapping[str, Treatment] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    buckets: Mapping[str, Buckets] = field(default_factory=dict)
    keywords: Keywords = NO_KEYWORDS
    serves: frozenset[str] = frozenset()
    receipts: Mapping[str, timedelta] = field(default_factory=lambda: DEFAULT)

    def __post_init__(self) -> None:
        """Refuse a set of policies in which a step has no words, or speaks before there is anything to speak of.

        Raises:
            Rejected: code "missing_body", naming file, step, key, template, channel and locale; code
            "unknown_treatment", naming the product; code "step_before_statement", naming treatment, step and product.
        """
        for treatment in (self.treatment, *self.treatments.values()):
            for version in treatment.versions():
                self._check_words(version)
        for profile in self.profiles.values():
            if profile.treatment and profile.treatment not in self.treatments:
                raise Rejected(
                    "unknown_treatment",
                    "treatment",
                    f"products/{profile.name}.toml: 'treatment' names {profile.treatment!r}; there are: "
                    f"{', '.join(sorted(self.treatments))}",
                )
            self.buckets_of(profile)
            for version in self.treatment_of(profile).versions():
                _check_statement(profile, version)

    def _check_words(self, treatment: Treatment) -> None:
        for step in treatment.steps:
            named = {"template": step.template, "debit_template": step.debit_template}
            if treatment.digest:
                named["digest"] = DIGEST
            for key, name in named.items():
                for channel in step.channels if name else ():
                    self._check_text(f"{treatment.place}: step {step.name}", key, name, channel)

    def _check_text(self, place: str, key: str, name: str, channel: str) -> None:
        template = self.templates.get(name)
        if template is None:
            raise Rejected(
                "missing_body",
                key,
                f"{place}: {key!r} needs the template {name!r}, which is not there; there are: "
                f"{', '.join(sorted(self.templates))}",
            )
        channel = SPEAKS_AS.get(channel, channel)
        if (self.default_locale, channel) not in template.bodies:
            raise Rejected(
                "missing_body",
                key,
                f"{place}: {key!r} needs the template {name!r}, which has no text for {channel} in "
                f"{self.default_locale}; add [{self.default_locale}.{channel}] to templates/{name}.toml",
            )

    def is_served(self, jurisdiction: str) -> bool:
        """Return whether borrowers of a jurisdiction are taken in; one without a pack is under that of the house."""
        return not self.serves or (self.rules.law.resolve(jurisdiction) or HOUSE) in self.serves

    def profile(self, account: Account | None) -> Profile:
        """Return the profile of an account's product; the plain one where no file describes it."""
        return self.profiles.get(account.product, PLAIN) if account is not None else PLAIN

    def treatment_of(self, profile: Profile) -> Treatment:
        """Return the treatment of a product's obligations, the default one where it names none."""
        return self.treatments[profile.treatment] if profile.treatment else self.treatment

    def buckets_of(self, profile: Profile) -> Buckets:
        """Return the bucket set of a product.

        Raises:
            Rejected: code "unknown_buckets"; see `core.ageing.chosen`.
        """
        return chosen(self.buckets, profile)

    def snapshots(self, pages: Pages) -> Iterable[Snapshot]:
        """Yield the snapshot of each obligation in the pages."""
        for obligation_id in pages.obligations:
            yield pages.snapshot(obligation_id, self.profiles)


def _check_statement(profile: Profile, treatment: Treatment) -> None:
    """Refuse a step that comes due before the bill it speaks of exists."""
    if profile.billing is None:
        return
    shortest = min(
        (due - bill) % 31 if due != bill else 31 for due, bill in profile.billing.due_days.items()
    )
    for step in treatment.steps:
        if step.anchor is Anchor.DUE and timedelta(days=-step.offset_days) > timedelta(
            days=shortest
        ):
            raise Rejected(
                "step_before_statement",
                "offset_days",
                f"{treatment.place}: step {step.name}: 'offset_days' {step.offset_days} lies before the "
                f"statement of products/{profile.name}.toml, which comes {shortest} days before its due date; "
                f"anchor the step to the statement, or move it closer to the due date",
            )
