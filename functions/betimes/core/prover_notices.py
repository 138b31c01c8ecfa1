"""What the prover asks about notices: whether each one that a rule demands is given in time, in every case.

A treatment brings about the due date, the debits of its product, arrears and the bill. For each of these triggers a
step must be able to go, by whatever channel the borrower has, early enough for the rule's own judge to find nothing
missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final

from betimes.core import zones
from betimes.core.cases import DAY
from betimes.core.inquiry import ARREARS, OF_TREATMENTS
from betimes.core.proof import Asked
from betimes.core.prover_times import DueDate, Place, said, sendable
from betimes.core.question import Effect, Given, Request, Trigger
from betimes.core.rule import Bound, NoticeTerms, Purpose, Rule, Stage
from betimes.core.treatment import Anchor, MessageClass, Step

_MIDNIGHT: Final = time()
_TICK: Final = timedelta(microseconds=1)


class Notices:
    """Asks about every notice that binds, for one kind of borrower in one place."""

    def __init__(self, place: Place) -> None:
        self.place, self.scenery = place, place.scenery
        self.inquiry, self.scene = place.inquiry, place.scene

    def ask(self) -> None:
        """Refuse the treatment where some due date leaves a demanded notice without a step that gives it in time."""
        for rule in self.inquiry.binding:
            terms = rule.terms
            if (
                isinstance(terms, NoticeTerms)
                and terms.trigger in OF_TREATMENTS
                and rule.id not in self.inquiry.notices.values()
                and self.inquiry.is_about(rule, self.scene.profile)
                and not self.inquiry.needs_fewer_zones(Asked.NOTICE, rule.id, self.place.where)
            ):
                self._ask(rule, terms)

    def _ask(self, rule: Rule, terms: NoticeTerms) -> None:
        for due_on in self.inquiry.due_dates():
            due = self.place.due(due_on)
            for trigger_at, is_retry in self._triggers(terms, due):
                self.inquiry.cases += 1
                self.inquiry.classes += 1
                given = self._given_again(rule, due) if is_retry else self._given(rule, terms, due)
                if not any(self._is_met(rule, terms, trigger_at, at) for _, at in given):
                    self._refuse(rule, terms, due, trigger_at, given)
                    return

    def _triggers(self, terms: NoticeTerms, due: DueDate) -> Iterator[tuple[datetime, bool]]:
        """Yield the instants on which notices of this rule hang, and whether it is a debit that is tried again."""
        own, on = self.place.own, due.due_on
        debit = self.scene.profile.debit
        if terms.trigger == "due":
            yield zones.instant(on, _MIDNIGHT, own), False
        elif terms.trigger in ARREARS:
            yield zones.instant(on + DAY, _MIDNIGHT, own), False
        elif terms.trigger == "statement":
            yield zones.instant(on - self.scene.billed_before * DAY, _MIDNIGHT, own), False
        elif debit.windows and self.scene.kind.mandate:
            yield zones.instant(on, debit.windows[0], own), False
            if debit.again_daily:
                yield zones.instant(on + DAY, debit.windows[0], own), True

    def _given(self, rule: Rule, terms: NoticeTerms, due: DueDate) -> list[tuple[Step, datetime]]:
        """Return the steps of a due date that can be the notice, with the instant by which each has surely gone."""
        return [
            (worked.step, due.base + worked.surely)
            for worked in due.steps
            if worked.surely is not None
            and worked.step.anchor is not Anchor.DEBIT_FAILED
            and self.inquiry.serves(worked.step, rule)
            and self._is_fit(worked.step, terms)
        ]

    def _given_again(self, rule: Rule, due: DueDate) -> list[tuple[Step, datetime]]:
        """Return the steps that can announce the next debit after one that failed at the last hour of the due date."""
        assert isinstance(rule.terms, NoticeTerms), f"{rule.id} is no notice"
        failed_at = zones.instant(due.due_on, self.scene.profile.debit.windows[-1], self.place.own)
        snapshot = self.scene.snapshot(self.place.where, due.due_on)
        found = []
        for _, step, _ in self.inquiry.steps():
            if step.anchor is not Anchor.DEBIT_FAILED or not self.inquiry.serves(step, rule):
                continue
            if not self.scenery.is_for(step) or not self._is_fit(step, rule.terms):
                continue
            at = failed_at + step.offset_days * DAY
            if step.send_at is not None:
                on = zones.local_date(failed_at, self.place.zone)
                at = max(failed_at, step.instant(on, self.place.zone))
            parts = [
                sendable(
                    self.place.hours(self.scenery.request(snapshot, step, at, channel)),
                    at,
                    at + step.catch_up,
                )
                for channel in step.channels
            ]
            if all(parts):
                found.append((step, max(each[0][0] for each in parts)))
        return found

    def _is_fit(self, step: Step, terms: NoticeTerms) -> bool:
        """Return whether a step is of the class that nothing may stop which the notice passes, and holds what it
        must.
        """
        statutory = step.message_class is MessageClass.STATUTORY
        return (statutory or not terms.bypasses) and not self.inquiry.lacks(step, terms)

    def _is_met(
        self, rule: Rule, terms: NoticeTerms, trigger_at: datetime, given_at: datetime
    ) -> bool:
        """Return whether the rule itself finds a notice given in time; also where it is not in force then."""
        before = terms.bound is Bound.AT_LEAST_BEFORE
        asked = Request(
            at=trigger_at if before else max(trigger_at, given_at) + _TICK,
            channel="email",
            purpose=Purpose.STATUTORY,
            stage=next(iter(sorted(rule.stages)), Stage.DUE_DAY if before else Stage.OVERDUE),
            zones=self.place.where,
            party=self.inquiry.party,
            product=self.scene.profile.name,
            kinds=self.scene.profile.kinds,
            notices_given=(Given(rule.id, given_at),),
            triggers=(Trigger(terms.trigger, trigger_at),),
        )
        answer = self.inquiry.law.ask(rule, asked)
        return answer.effect is Effect.ALLOW and not answer.facts.get("missed", False)

    def _refuse(
        self,
        rule: Rule,
        terms: NoticeTerms,
        due: DueDate,
        trigger_at: datetime,
        given: list[tuple[Step, datetime]],
    ) -> None:
        if not self._binds(rule, terms, trigger_at):
            return
        zone = self.place.zone
        what = f"the notice on {terms.trigger}, {said(trigger_at, zone)},"
        step, at = given[0] if given else (None, None)
        if step is not None and at is not None:
            problem = f"{what} is not given in time: step {step.name} can go {said(at, zone)}"
        else:
            problem = f"{what} is given by no step{self._nearest(rule, terms, due)}"
        self.inquiry.broken(
            rule,
            Asked.NOTICE,
            self.scenery.names[0],
            due.due_on,
            problem,
            "add a step of class statutory that goes early enough and holds "
            f"{', '.join(terms.content) or 'the notice'}, or do not use the treatment there",
            zones=self.place.where,
            borrower=str(self.scene.kind),
            step=step.name if step is not None else "",
            position=self.inquiry.positions[step.name] if step is not None else 0,
            channel=step.channels[0] if step is not None else "",
            at=at,
        )

    def _binds(self, rule: Rule, terms: NoticeTerms, trigger_at: datetime) -> bool:
        """Return whether the rule demands the notice at all when its trigger comes."""
        return not self._is_met(rule, terms, trigger_at, trigger_at + 3650 * DAY)

    def _nearest(self, rule: Rule, terms: NoticeTerms, due: DueDate) -> str:
        """Return why the step that comes nearest is not the notice, in words."""
        for worked in due.steps:
            step = worked.step
            if self.inquiry.serves(step, rule):
                if step.message_class is not MessageClass.STATUTORY and terms.bypasses:
                    return f"; step {step.name} is {step.message_class} and could be stopped"
                if lacks := self.inquiry.lacks(step, terms):
                    return f"; step {step.name} lacks {lacks}"
                if worked.surely is None:
                    return f"; step {step.name} has no lawful instant by some channel"
        return ""
