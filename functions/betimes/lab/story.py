"""Stories: dated plain-text diaries of what lenders tell and what borrowers get, played in the lab.

    borrower  b1 zh-CN Asia/Shanghai CN email=li@borrowers.example sms=+447700900001
    2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
    2026-03-06 10:00  contact  o1 step D-3 email
    2026-03-08 14:10  pay      p1 o1 CNY 1200.00
    2026-03-09 10:00  silence  o1 because paid

A line is a local time in the zone of the diary, a verb and its words; `[...]` may be left out, and options behind the
amount stand in any order. What follows a # is a comment, and a word in quotation marks may hold spaces. A story fails
at any message that no `contact` line names.

Lines without a time stand first:

    zone      Europe/London                     of the diary; Asia/Shanghai unless it is named
    treatment huabei_like                       the default treatment, one of those shipped; `default` unless named
    treatment weekends.toml                     or one in a file beside the story; several files are versions of one
    budget    email 1                           as many messages a day may be paid for on that channel
    borrower  b1 en Europe/London GB email=…    a person, told together with the first dated line

Verbs that tell:

    borrower  b1 LOCALE ZONE JURISDICTION [email=A] [sms=N] [email?=A: not confirmed] [zones=Z,Z] [tags=T,T] [band=B]
    account   a1 b1 CNY PRODUCT [mandate 8821] [rate 0.0003] [creditor BankA] [opened D]
    bill      o1 b1 CNY 100.00 due D [minimum M] [fee F] [principal P] [issued D] [account a1]
              without an account: on one of product "story" (no profile) called b1-CNY
    amend     o1 revision 1 amount 900.00 due D [minimum M] [fee F] [principal P] [aged D]
    entry     o1 D
    pay       p1 o1 CNY 100.00 [on D T: value date] [account a1: where the bill comes later]
    pay       p1 account a1 CNY 100.00 [on D T]
    credit    c1 o1 CNY 100.00 [on D T]         a credit note; `credit c1 account a1 …` as for pay
    reverse   p1 [on D T]
    debit     f1 o1 CNY 100.00 STATE [on D T] [by D T] [because insufficient_funds]
              STATE is scheduled, pending, settled or failed; told again with a new state; `debit f1 account a1 CNY …`
              as for pay; `on` is when it got there or is to run, `by` when its result is expected (a day later)
    transfer  and refund: as debit
    hold      h1 b1 KIND [from D T] [until D T] [obligation o1] [account a1] [channel sms] [owner u1]
    promise   h1 b1 CNY 500.00 on D [obligation o1] [account a1] [owner u1]
    lift      h1 [on D T]
    feed      until D T                         the lender's repayments are complete up to then
    outage    until D T                         nothing is swept until then
    again                                       the last telling line is delivered a second time

Verbs that ask:

    contact   o1 step D-3 email [amount 1200.00] [with o2 o3]
              exactly this message is accepted at exactly this instant; `with` names all others it speaks of and stands
              last; a step that may occur again is called by its key, such as debit~2026-03-09
    silence   o1 [step D-3] because REASON      nothing more was accepted up to now, and this is why (of the step)
    state     o1 step D-3 DELIVERED because delivered
    text      o1 contains "…"                   the last message that spoke of it, its subject or body; or `lacks`
    owed      o1 CNY 123.45                     late interest of the day included
    dpd       o1 4 [bucket M1] [phase grace] [on D]
              at the close of today, or of a day gone by as the facts known now have it
    answered  short_notice                      what the last thing told led to: an outcome of `core.intake`
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from betimes.core import treatment
from betimes.core.errors import Rejected
from betimes.core.policies import Policies
from betimes.core.treatment import Treatment
from betimes.core.values import replace
from betimes.lab.asking import ASK, no_surprise
from betimes.lab.runner import report_of
from betimes.lab.stage import BLINK, Line, Played, Stage, StoryFailed, words_of
from betimes.lab.telling import TELL, borrower

__all__ = ["Played", "StoryFailed", "play"]


def play(lines: Iterable[str], policies: Policies, folder: Path | None = None) -> Played:
    """Play a story to its end and return what it showed; `folder` holds the treatment files it names.

    Raises:
        StoryFailed: something else happened, or a promise was broken; names the line.
    """
    stage = Stage(policies)
    people: list[Sequence[str]] = []
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        try:
            match words_of(line):
                case []:
                    pass
                case ["zone", zone]:
                    stage.zone = zone
                case ["treatment", *names]:
                    stage.policies = _treated(stage, names, folder)
                case ["budget", channel, messages]:
                    stage.budgets[channel] = int(messages)
                case ["borrower", *words]:
                    people.append(words)
                case [on, clock, verb, *words]:
                    _timed(stage, Line(stage.at(f"{on} {clock}"), tuple(words)), verb, people)
                case _:
                    raise ValueError("a line has a date, a time, a verb and its words")
        except (StoryFailed, Rejected) as problem:
            raise StoryFailed(f"line {number}: {line}\n  {problem}") from None
        except (ValueError, IndexError, KeyError) as problem:
            raise StoryFailed(f"line {number}: {line}\n  cannot be read: {problem!r}") from None
    return _ended(stage)


def _treated(stage: Stage, names: Sequence[str], folder: Path | None) -> Policies:
    """Return the policies with another default treatment: a shipped one, or the versions in files beside the story."""
    policies = stage.policies
    if stage.world is not None:
        raise ValueError("the treatment stands before the first dated line")
    match names:
        case [name] if not name.endswith(".toml"):
            return replace(policies, treatment=policies.treatments[name])
        case _:
            return replace(policies, treatment=_from_files(names, policies, folder))


def _from_files(names: Sequence[str], policies: Policies, folder: Path | None) -> Treatment:
    if folder is None:
        raise ValueError("this story stands in no folder, so it can name no file")
    versions = [
        treatment.parse(
            tomllib.loads((folder / name).read_text(encoding="utf-8")), name, policies.calendars
        )
        for name in names
    ]
    return treatment.line(versions)


def _timed(stage: Stage, line: Line, verb: str, people: list[Sequence[str]]) -> None:
    world = stage.here(line.at)
    for words in people:
        borrower(stage, Line(line.at, tuple(words)))
    people.clear()
    if verb in ASK:
        stage.let_pass(line.at)
        ASK[verb](stage, line)
    else:
        stage.let_pass(line.at - BLINK)
        world.clock.advance(line.at)
        TELL[verb](stage, line)


def _ended(stage: Stage) -> Played:
    assert stage.world is not None, "a story has at least one timed line"
    no_surprise(stage)
    stage.played.findings = report_of(stage.world, stage.policies).findings
    return stage.played
