"""What the prover asks of a treatment without clocks: debits and figures of its products, its notices' class, its
words.

Stages are those in which a step may be read, by the day on which it comes due and how late it may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from betimes.core import product, wording
from betimes.core.ageing import dpd_of
from betimes.core.agenda import MAX_CLOSED_DAYS
from betimes.core.cases import DAY, gaps
from betimes.core.inquiry import OF_TREATMENTS, Inquiry
from betimes.core.message import Body
from betimes.core.pack_checks import is_debit_allowed, is_figure_allowed
from betimes.core.policies import DIGEST
from betimes.core.product import Profile
from betimes.core.proof import CLASS_RULE, NEVER_RULE, WORDS_RULE, Asked, Counterexample, Note
from betimes.core.rule import (
    CalcTerms,
    DebitTerms,
    Enforce,
    Kind,
    NoticeTerms,
    Purpose,
    Rule,
    Stage,
    Status,
)
from betimes.core.treatment import Anchor, MessageClass, Step, Treatment

PURPOSES: Final = {
    MessageClass.COURTESY: Purpose.COURTESY,
    MessageClass.OVERDUE: Purpose.OVERDUE,
    MessageClass.STATUTORY: Purpose.STATUTORY,
}
_AT_RUN_TIME: Final = frozenset({Kind.COOLOFF, Kind.SUPPRESS, Kind.CONSENT, Kind.RECIPIENT})
# Far enough behind the due date that a debt is in the last of the stages a treatment speaks in.
_LONG_AFTER: Final = 400


def ask_debits(inquiry: Inquiry) -> None:
    """Refuse a product whose debits of one due date, were all of them to fail, a rule would not let it try."""
    for rule in inquiry.binding:
        if isinstance(rule.terms, DebitTerms):
            for profile in inquiry.profiles:
                if inquiry.is_about(rule, profile):
                    _ask_debit(inquiry, rule, rule.terms, profile)


def _ask_debit(inquiry: Inquiry, rule: Rule, terms: DebitTerms, profile: Profile) -> None:
    tries = len(profile.debit.windows)
    if not tries:
        return
    daily = profile.debit.again_daily
    # One more than any rule lets through.
    most = 2 + terms.max_consecutive_failures + terms.max_representments
    for attempt in range(2, (most if daily else tries) + 1):
        days = (attempt - 1) // tries
        if not is_debit_allowed(terms, attempt - 1, attempt - 2, days):
            often = "every day until it is paid" if daily else f"{tries} times"
            inquiry.broken(
                rule,
                Asked.DEBIT,
                profile.name,
                max(inquiry.first, rule.effective_from),
                f"products/{profile.name}.toml debits {often}: attempt {attempt} comes after {attempt - 1} that failed",
                "let the product debit less often (debit.windows, debit.again_daily), or do not use it there",
            )
            return


def ask_figures(inquiry: Inquiry) -> None:
    """Refuse a product with a figure that a rule does not allow; note the figures that no product states."""
    for rule in inquiry.binding:
        terms = rule.terms
        if not isinstance(terms, CalcTerms):
            continue
        about = [each for each in inquiry.profiles if inquiry.is_about(rule, each)]
        figures = [(each, figure_of(each, terms.parameter)) for each in about]
        if all(figure is None for _, figure in figures):
            inquiry.notes.append(Note(rule.id, f"no product here states {terms.parameter}"))
        for profile, figure in figures:
            if figure is not None and not is_figure_allowed(terms, figure):
                inquiry.broken(
                    rule,
                    Asked.CALC,
                    profile.name,
                    max(inquiry.first, rule.effective_from),
                    f"products/{profile.name}.toml: {terms.parameter} is {figure}; allowed is {_allowed(terms)}",
                    f"correct {terms.parameter}, or do not use the product there",
                )


def figure_of(profile: Profile, parameter: str) -> Decimal | str | None:
    """Return what a profile says of a parameter, dotted inside its tables; None where it does not say it.

    Numbers are decimals; words, names of orders of allocation, "true" and "false" are text.
    """
    if parameter == "late.multiplier" and profile.late.daily_rate:
        # It has a rate of its own.
        return None
    value: Any = profile
    for name in parameter.split("."):
        if not hasattr(value, name):
            return None
        value = getattr(value, name)
    if value == profile.allocation:
        return next((name for name, order in product.ORDERS.items() if order == value), None)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return str(value)
    return Decimal(value) if isinstance(value, int | Decimal) else None


def _allowed(terms: CalcTerms) -> str:
    if terms.one_of:
        return " or ".join(terms.one_of)
    bounds = [("at least", terms.at_least), ("at most", terms.at_most)]
    return " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)


def ask_classes(inquiry: Inquiry) -> None:
    """Refuse each statutory step that no binding rule demands: it would pass caps, holds and opt-outs for nothing; and
    each demand that counts from the due date and comes before it is over.

    One step for each rule, condition and anchor is demanded: one notice serves one trigger. A rule about some products
    demands nothing for the others: the step has to be demanded for each product that it may speak of.
    """
    _ask_early_demands(inquiry)
    notices = [rule for rule in inquiry.rules if isinstance(rule.terms, NoticeTerms)]
    for version in inquiry.treatment.versions():
        given: set[object] = set()
        for position, step in enumerate(version.steps):
            if step.message_class is not MessageClass.STATUTORY:
                continue
            serves = [rule for rule in notices if inquiry.serves(step, rule)]
            for profile in inquiry.profiles:
                if step.when.products and profile.name not in step.when.products:
                    continue
                about = [rule for rule in serves if inquiry.is_about(rule, profile)]
                demands = {
                    (rule.id, step.when, step.anchor, profile.id)
                    for rule in about
                    if rule.enforce.binds and _holds(inquiry, step, rule)
                }
                if not demands - given:
                    _refuse_class(inquiry, version, position, step, profile, about, bool(demands))
                given |= demands


def _ask_early_demands(inquiry: Inquiry) -> None:
    for position, step, version in inquiry.steps():
        is_demand = step.message_class is MessageClass.OVERDUE and step.anchor is Anchor.DUE
        if is_demand and step.offset_days <= 0:
            inquiry.broken_own(
                NEVER_RULE,
                Asked.CLASS,
                "",
                inquiry.first,
                f"step {step.name} of {version.id} is declared overdue and comes before the due date is over: nothing "
                "is demanded before that, so it is never sent",
                "declare it courtesy, with words that are true then, or let it come after the due date",
                step=step.name,
                position=position,
                channel=step.channels[0],
            )


def _holds(inquiry: Inquiry, step: Step, rule: Rule) -> bool:
    assert isinstance(rule.terms, NoticeTerms), f"{rule.id} is no notice"
    return not inquiry.lacks(step, rule.terms)


def _refuse_class(
    inquiry: Inquiry,
    version: Treatment,
    position: int,
    step: Step,
    profile: Profile,
    serves: Sequence[Rule],
    given: bool,
) -> None:
    binding = [rule for rule in serves if rule.enforce.binds]
    why = f"no notice rule there demands it for {profile.name}"
    if given:
        why = "an earlier step gives that notice already"
    elif binding:
        assert isinstance(binding[0].terms, NoticeTerms), "only notices are served"
        why = f"it lacks what {binding[0].id} asks for: {inquiry.lacks(step, binding[0].terms)}"
    elif serves:
        why = f"{serves[0].id} is {serves[0].enforce} only and demands nothing"
    inquiry.broken_own(
        CLASS_RULE,
        Asked.CLASS,
        profile.name,
        inquiry.first,
        f"step {step.name} of {version.id} is declared statutory, and {why}: it would pass caps, holds and opt-outs",
        "declare it courtesy or overdue, or name the rule whose notice it is",
        step=step.name,
        position=position,
        channel=step.channels[0],
    )


def ask_words(inquiry: Inquiry) -> None:
    """Refuse a text of a step, in any language and channel, that breaks a content rule of a stage it may be read in."""
    content = [rule for rule in inquiry.rules if rule.kind is Kind.CONTENT]
    edges = {rule.effective_from for rule in content}
    edges |= {rule.effective_to for rule in content if rule.effective_to is not None}
    dates = sorted({inquiry.first, *(on for on in edges if inquiry.first < on <= inquiry.last)})
    late_words = {
        name
        for _, step, _ in inquiry.steps()
        if step.message_class is MessageClass.OVERDUE
        for name in step.templates
    }
    for profile, names in inquiry.groups:
        for position, step, version in inquiry.steps():
            for template, stage, purpose in dict.fromkeys(_readings(step, version, profile)):
                if template not in inquiry.templates:
                    continue
                reading = _Reading(
                    step, position, template, stage, purpose, names[0], profile.kinds
                )
                if template != DIGEST:
                    reading.ask_stage(inquiry, late_words)
                for on in dates:
                    reading.ask(inquiry, content, on)


def _readings(
    step: Step, version: Treatment, profile: Profile
) -> Iterator[tuple[str, Stage, Purpose]]:
    """Yield each text of a step with each stage and purpose in which it may be read."""
    for debited in (False, True):
        if step.when.mandate is not None and step.when.mandate is not debited:
            continue
        purpose = PURPOSES[step.message_class]
        announces = debited and step.debit_template not in ("", step.template)
        if announces and purpose is Purpose.COURTESY:
            purpose = Purpose.PRE_DEBIT
        texts = [step.template_for(debited)]
        if version.digest and not step.deadline_days:
            texts.append(DIGEST)
        for stage in stages(step, version, profile):
            yield from ((text, stage, purpose) for text in texts)


def stages(step: Step, version: Treatment, profile: Profile) -> tuple[Stage, ...]:
    """Return the stages that a debt of the product may be in when the step speaks, in order of time."""
    late = -(-step.catch_up // DAY) + (MAX_CLOSED_DAYS if version.closed else 0)
    match step.anchor:
        case Anchor.DUE if step.offset_days <= 0:
            # A reminder of a day ends with that day.
            days = range(step.offset_days, min(step.offset_days + late, 0) + 1)
        case Anchor.DUE:
            days = range(step.offset_days, step.offset_days + late + 1)
        case Anchor.STATEMENT:
            billed = gaps(version, profile)
            first = step.offset_days - max(billed)
            days = range(first, step.offset_days - min(billed) + late + 1)
        case _:
            # A debit may fail, and a promise be broken, that was for a debt which is not due yet.
            days = range(-1, _LONG_AFTER)
    return tuple(
        dict.fromkeys(
            stage_on(day, profile) for day in days if is_meant_on(step, day, profile, late)
        )
    )


def stage_on(day: int, profile: Profile) -> Stage:
    """Return the stage of a debt so many days after its due date, below 0 before it, as `core.rules.stage_of` has
    it.
    """
    if day < 0:
        return Stage.PRE_DUE
    if day == 0:
        return Stage.DUE_DAY
    return Stage.GRACE if day <= profile.grace_days else Stage.OVERDUE


def is_meant_on(step: Step, day: int, profile: Profile, late: int = 0) -> bool:
    """Return whether a step may speak so many days after the due date, as far as the age of the debt goes; `late` days
    behind its own instant its words are still those of that instant.
    """
    if step.message_class is MessageClass.OVERDUE and day <= profile.grace_days:
        return False
    due_on = date(2000, 1, 3)
    when = step.when
    for n in range(late + 1):
        dpd = dpd_of(due_on, due_on + (day - n) * DAY, profile)
        if (when.min_dpd is None or when.min_dpd <= dpd) and (
            when.max_dpd is None or dpd <= when.max_dpd
        ):
            return True
    return False


class _Reading:
    """A text of a step, as it is read in a stage for a purpose."""

    def __init__(
        self,
        step: Step,
        position: int,
        template: str,
        stage: Stage,
        purpose: Purpose,
        named: str,
        kinds: tuple[str, ...],
    ) -> None:
        self.step, self.position, self.template = step, position, template
        self.stage, self.purpose, self.product, self.kinds = stage, purpose, named, kinds

    def ask_stage(self, inquiry: Inquiry, late_words: set[str]) -> None:
        """Refuse a text for debts that are late in a step that speaks before that, and in one that speaks of overdue
        debts and is declared courtesy: it would pass what stops demands only.
        """
        is_late = self.stage not in (Stage.PRE_DUE, Stage.DUE_DAY)
        if self.step.message_class is not MessageClass.COURTESY:
            return
        bodies = inquiry.templates[self.template].bodies.values()
        shows = any("overdue_days" in wording.fields_of(body.text) for body in bodies)
        if is_late:
            if self.stage is Stage.OVERDUE and (shows or self.template in late_words):
                self._refuse_courtesy(inquiry, shows)
            return
        # A debit that failed is spoken of on both sides of the due date, and says nothing of it.
        shared = self.template in late_words and self.step.anchor is Anchor.DUE
        if (shows and self.step.anchor is Anchor.DUE) or shared:
            why = (
                "it tells how many days have passed" if shows else "a step for overdue debts has it"
            )
            inquiry.broken_own(
                WORDS_RULE,
                Asked.CONTENT,
                self.product,
                inquiry.first,
                f"step {self.step.name} speaks before the due date is over with templates/{self.template}.toml, a text "
                f"for debts that are late: {why}",
                "use a text that is true at that time",
                step=self.step.name,
                position=self.position,
                channel=self.step.channels[0],
            )

    def _refuse_courtesy(self, inquiry: Inquiry, shows: bool) -> None:
        why = "it tells how many days have passed" if shows else "a step for overdue debts has it"
        inquiry.broken_own(
            WORDS_RULE,
            Asked.CONTENT,
            self.product,
            inquiry.first,
            f"step {self.step.name} is declared courtesy and speaks of overdue debts with "
            f"templates/{self.template}.toml, a text for these: {why}",
            "declare it overdue, or use a text that demands nothing",
            step=self.step.name,
            position=self.position,
            channel=self.step.channels[0],
        )

    def ask(self, inquiry: Inquiry, content: Sequence[Rule], on: date) -> None:
        """Refuse the text where a content rule in force on a day finds fault with it, in any language."""
        for body in inquiry.templates[self.template].bodies.values():
            if body.channel not in self.step.channels:
                continue
            inquiry.cases += 1
            inquiry.classes += 1
            said = wording.Wording(
                body.text,
                body.locale,
                self.stage,
                self.purpose,
                body.channel,
                subject=body.subject,
                preview=wording.preview_of(body.channel, body.text),
                party=inquiry.party,
                product=self.product,
                kinds=self.kinds,
                disclosures=inquiry.disclosures.get(self.template, frozenset()),
            )
            for finding in wording.lint(said, content, on):
                if finding.binds:
                    self._refuse(inquiry, body, finding, on)

    def _refuse(self, inquiry: Inquiry, body: Body, finding: wording.Finding, on: date) -> None:
        place = f"{finding.place} of " if finding.place else ""
        text = f"templates/{self.template}.toml [{body.locale}.{body.channel}]"
        problem = f"step {self.step.name}, stage {self.stage}: {place}{text}: {finding.message}"
        way_out = "correct the text, or use another one in this step"
        more: dict[str, Any] = {
            "step": self.step.name,
            "position": self.position,
            "channel": body.channel,
        }
        named = [r for r in inquiry.rules if r.id == finding.rule_id and r.is_in_force(on)]
        if named:
            inquiry.broken(named[0], Asked.CONTENT, self.product, on, problem, way_out, **more)
            return
        citation = "Betimes, core.wording: nothing private where others may read it"
        inquiry.refuse(
            Counterexample(
                Asked.CONTENT,
                finding.rule_id,
                citation,
                Status.VERIFIED,
                Enforce.HARD,
                self.product,
                on,
                problem,
                way_out,
                **more,
            )
        )


def note_the_rest(inquiry: Inquiry) -> None:
    """Note the rules that are asked at run time only, and the notices that nobody asked for here."""
    for rule in inquiry.rules:
        terms = rule.terms
        if rule.kind in _AT_RUN_TIME and rule.enforce.binds:
            what = f"{rule.kind}: asked of each contact when it is sent"
        elif rule.kind is Kind.RETAIN and rule.enforce.binds:
            what = "retain: no contact keeps or breaks it"
        elif not isinstance(terms, NoticeTerms):
            continue
        elif not rule.enforce.binds:
            what = "a notice that is shown and not enforced"
        elif not any(inquiry.is_about(rule, profile) for profile in inquiry.profiles):
            what = f"a notice about {', '.join(sorted(rule.products))}: no product here is one"
        elif rule.id in inquiry.notices.values():
            what = "given by the step named for it; when its trigger comes is not known here"
        elif terms.trigger not in OF_TREATMENTS:
            what = f"a notice on {terms.trigger}, which is no event of a treatment"
        else:
            continue
        inquiry.notes.append(Note(rule.id, what))
