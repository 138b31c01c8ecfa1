"""What the lines of a story ask: each verb compares its words with what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

from betimes.core import record, zones
from betimes.core.ageing import Standing
from betimes.core.agenda import plan
from betimes.core.arrears import age_of, facts_of
from betimes.core.book import Snapshot
from betimes.core.contact import Contact
from betimes.core.decide import decide
from betimes.core.decision import Send
from betimes.core.message import Text
from betimes.core.money import Money
from betimes.core.record import Record
from betimes.lab.stage import Line, Stage, StoryFailed, day, minor, options
from betimes.lab.world import TENANT, Arrived

# The obligation and the key of its step.
Said = tuple[str, str]


def _contact(stage: Stage, line: Line) -> None:
    """`contact o1 step D-3 email [amount 1200.00] [with o2 o3]`: the next message accepted is this one, now."""
    obligation_id, step_word, step, channel, *rest = line.words
    if step_word != "step":
        raise ValueError("the step stands behind the word 'step'")
    more = options(rest, {"amount": 1, "with": 0})
    accepted = stage.running.provider.accepted
    if stage.heard >= len(accepted):
        raise StoryFailed(f"nothing was sent; {_because(stage, obligation_id)}")
    # Messages accepted at one instant may be told in any order.
    now = [n for n in range(stage.heard, len(accepted)) if accepted[n].at == line.at]
    for n in now:
        contact = _contact_of(stage, accepted[n])
        said = _said(stage, contact)
        if (*said[0], contact.channel) == (obligation_id, step, channel):
            accepted[stage.heard], accepted[n] = accepted[n], accepted[stage.heard]
            break
    else:
        raise StoryFailed(f"not sent then; accepted next: {_named(stage, stage.heard)}")
    along = sorted(name for name, _ in said[1:])
    if along != sorted(more.get("with", "").split()):
        raise StoryFailed(f"it speaks of {', '.join(along) or 'nothing'} as well")
    currency = contact.amount.currency
    if "amount" in more and contact.amount.minor != minor(more["amount"], currency):
        raise StoryFailed(f"the amount in it is {contact.amount.decimal()}")
    stage.heard += 1
    stage.played.reasons |= {"due", "in_digest"} if along else {"due"}


def _contact_of(stage: Stage, arrived: Arrived) -> Contact:
    contact = stage.running.memory.get(arrived.letter.contact_id)
    assert contact is not None, "a letter is sent for a contact"
    return contact


def _said(stage: Stage, contact: Contact) -> list[Said]:
    """Return the steps that a contact spoke of: not those that were settled before it went."""
    steps = [(spoke.obligation_id, spoke.step) for spoke in contact.everything]
    if not contact.also:
        return steps
    unsaid = {
        (r.obligation_id, str(r.body["step"]))
        for r in _decisions(stage, contact.borrower_id)
        if r.contact_id == contact.id
        and r.body["decision"] in ("suppress", "wait")
        and r.body["reason"] != "in_digest"
    }
    return [step for step in steps if step not in unsaid] or steps


def _decisions(stage: Stage, borrower_id: str) -> Iterable[Record]:
    found = stage.running.memory.of_borrower(TENANT, borrower_id)
    return [each for each in found if each.kind == record.DECISION]


def _silence(stage: Stage, line: Line) -> None:
    """`silence o1 [step D-1] because paid`: nothing more was sent up to now, and this is why."""
    obligation_id, *rest = line.words
    more = options(rest, {"step": 1, "because": 1})
    no_surprise(stage)
    if "step" in more:
        reasons = _reasons_of_step(stage, obligation_id, more["step"], line.at)
    else:
        reasons = _reasons(stage, obligation_id, line.at)
    if more["because"] not in reasons:
        raise StoryFailed(f"silent, but because of {', '.join(sorted(reasons)) or 'nothing'}")
    stage.played.reasons.add(more["because"])


def _state(stage: Stage, line: Line) -> None:
    """`state o1 step D-3 UNKNOWN because held_unknown`."""
    obligation_id, _, step, state, _, reason = line.words
    found = [c for c in _contacts(stage, obligation_id) if c.step == step]
    if not found:
        raise StoryFailed(f"no contact for {step}; {_because(stage, obligation_id)}")
    if (found[-1].state, found[-1].reason) != (state, reason):
        raise StoryFailed(f"it is {found[-1].state} because {found[-1].reason}")
    stage.played.reasons.add(reason)


def _text(stage: Stage, line: Line) -> None:
    """`text o1 contains "CNY 1,200.00"`, or `lacks`: of the last message that spoke of it, subject and body."""
    obligation_id, verb, *words = line.words
    sought = " ".join(words)
    if verb not in ("contains", "lacks") or not sought:
        raise ValueError("a text contains something, or lacks it")
    text = _last_text(stage, obligation_id)
    said = f"{text.subject}\n{text.body}"
    if (sought in said) is not (verb == "contains"):
        raise StoryFailed(f"the text is:\n{said}")


def _last_text(stage: Stage, obligation_id: str) -> Text:
    for arrived in reversed(stage.running.provider.accepted):
        if obligation_id in (name for name, _ in _said(stage, _contact_of(stage, arrived))):
            return arrived.letter.text
    raise StoryFailed(f"nothing was sent; {_because(stage, obligation_id)}")


def _owed(stage: Stage, line: Line) -> None:
    """`owed o1 CNY 123.45`: late interest of the day included."""
    obligation_id, currency, amount = line.words
    found = stage.snapshot(obligation_id).owed(line.at)
    if found != Money(minor(amount, currency), currency):
        raise StoryFailed(f"it is {found.currency} {found.decimal()}")


def _dpd(stage: Stage, line: Line) -> None:
    """`dpd o1 4 [bucket M1] [phase overdue] [on 2026-03-05]`: at the close of today, or of a day gone by."""
    obligation_id, days, *rest = line.words
    more = options(rest, {"bucket": 1, "phase": 1, "on": 1})
    snapshot = stage.snapshot(obligation_id)
    found = _on(stage, snapshot, day(more["on"])) if "on" in more else age_of(snapshot, line.at)
    bucket = stage.policies.buckets_of(snapshot.profile).of(found.dpd)
    shown = (found.dpd, more.get("bucket", bucket), more.get("phase", found.phase))
    if (int(days), bucket, found.phase) != shown:
        raise StoryFailed(f"it is {found.dpd}, bucket {bucket}, phase {found.phase}")


def _on(stage: Stage, snapshot: Snapshot, on: date) -> Standing:
    """Return where an obligation stood at the close of a day, by what is known now."""
    account_id = snapshot.obligation.account_id
    pages = stage.running.memory.pages(TENANT, snapshot.borrower.id)
    facts = facts_of(pages, account_id, stage.policies)
    owing = [o.id for o in pages.obligations.values() if o.account_id == account_id]
    return facts.standing(facts.courses[owing.index(snapshot.obligation.id)], on)


def _answered(stage: Stage, line: Line) -> None:
    """`answered short_notice`: so the last thing told was taken in."""
    (outcome,) = line.words
    if outcome != stage.answers[-1]:
        raise StoryFailed(f"the answer was {stage.answers[-1]}")


ASK: Mapping[str, Callable[[Stage, Line], None]] = {
    "contact": _contact,
    "silence": _silence,
    "state": _state,
    "text": _text,
    "owed": _owed,
    "dpd": _dpd,
    "answered": _answered,
}


def no_surprise(stage: Stage) -> None:
    """Check that every message accepted so far was named by a line.

    Raises:
        StoryFailed: one was not.
    """
    if len(stage.running.provider.accepted) > stage.heard:
        raise StoryFailed(f"a message that no line names: {_named(stage, stage.heard)}")


def _named(stage: Stage, n: int) -> str:
    arrived = stage.running.provider.accepted[n]
    contact = _contact_of(stage, arrived)
    (obligation_id, step), *along = _said(stage, contact)
    local = arrived.at.astimezone(zones.zone(stage.zone))
    others = f" with {' '.join(name for name, _ in along)}" if along else ""
    return f"{local:%Y-%m-%d %H:%M:%S} {obligation_id} step {step} {contact.channel}{others}"


def _contacts(stage: Stage, obligation_id: str) -> list[Contact]:
    found = [c for c in stage.running.memory.all_contacts() if c.obligation_id == obligation_id]
    return sorted(found, key=lambda c: c.decided_at)


def _reasons(stage: Stage, obligation_id: str, at: datetime) -> set[str]:
    """Return why an obligation is silent at `at`: what a decision says now of the step that is due, what was recorded
    at the last instant at which anything was, and where the last contact stands.
    """
    snapshot = stage.snapshot(obligation_id)
    reasons = _decided_now(stage, snapshot, _due(stage, snapshot, at), at)
    records = [
        each
        for each in stage.running.memory.of_borrower(TENANT, snapshot.borrower.id)
        if each.obligation_id == obligation_id
    ]
    reasons |= {str(r.body["reason"]) for r in records if r.at == records[-1].at}
    return reasons | {str(contact.reason) for contact in _contacts(stage, obligation_id)[-1:]}


def _reasons_of_step(stage: Stage, obligation_id: str, step: str, at: datetime) -> set[str]:
    """Return why one step was not sent: by its last record, or by a decision now where it has none."""
    snapshot = stage.snapshot(obligation_id)
    of_step = [
        each
        for each in _decisions(stage, snapshot.borrower.id)
        if (each.obligation_id, each.body["step"]) == (obligation_id, step)
    ]
    if of_step:
        return {str(of_step[-1].body["reason"])}
    return _decided_now(stage, snapshot, step, at)


def _decided_now(stage: Stage, snapshot: Snapshot, step: str, at: datetime) -> set[str]:
    treatment = stage.policies.treatment_of(snapshot.profile)
    decision = decide(snapshot, treatment, stage.policies.rules, at, step=step)
    return (
        {str(decision.reason)} if decision is not None and not isinstance(decision, Send) else set()
    )


def _due(stage: Stage, snapshot: Snapshot, at: datetime) -> str:
    """Return the latest step whose instant has come, else the first one."""
    steps = plan(snapshot, stage.policies.treatment_of(snapshot.profile))
    come = [planned for planned in steps if planned.at <= at]
    return (come[-1] if come else steps[0]).key if steps else ""


def _because(stage: Stage, obligation_id: str) -> str:
    why = _reasons(stage, obligation_id, stage.running.clock.now())
    return f"silent because of {', '.join(sorted(why)) or 'nothing'}"
