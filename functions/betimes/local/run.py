"""`betimes run`: a loan tape goes in, reminders come out, through the real template on this machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from betimes import outputs
from betimes.adapters.packs import policies
from betimes.adapters.sim import Scene, scene_of
from betimes.config import Settings
from betimes.core import zones
from betimes.core.audit import Arrival, audit
from betimes.core.consent import Refusal
from betimes.core.contact import Contact, State
from betimes.core.errors import Rejected
from betimes.core.links import Action
from betimes.core.report import Report
from betimes.flows.timeline import Entry, entry
from betimes.local import outbox, summary
from betimes.local.book import OpenBook, opened
from betimes.local.cloud import PocketCloud, arrivals, pocket_cloud
from betimes.local.console import Progress, indented
from betimes.local.deploy import DeploymentFailed, SynthesisFailed
from betimes.local.drain import NotDrained, WorkFailed
from betimes.local.emulator import EmulatorFailed
from betimes.local.mailbox import Delivered
from betimes.local.outbox import Message
from betimes.local.readback import Everything
from betimes.local.summary import Rows

TAPE = "run"
SHOWN_MESSAGES = 3
# What the receivers may do after which a step goes on by its next channel.
FAILING = frozenset({Scene.SOFT, Scene.HARD, Scene.REFUSED})


@dataclass
class _Stopwatch:
    """How long each part took, in order."""

    parts: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.parts.append((name, time.perf_counter() - began))

    @property
    def total(self) -> float:
        return sum(seconds for _, seconds in self.parts)


@dataclass(frozen=True, slots=True)
class _Ran:
    """All that a run showed."""

    cloud: dict[str, Any]
    rows: Rows
    book: Everything
    mails: Sequence[Delivered]
    report: Report
    messages: Sequence[Message]
    entries: Mapping[str, Sequence[Entry]]


def run(
    *,
    root: Path,
    tape: Path | None,
    zone: str,
    as_of: datetime,
    limit: int | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Run the main job as of the instant `as_of` and print what came of it.

    Return the exit code: 0 if every promise was kept, 1 if one was broken, 2 if the stack could not do its work.

    Raises:
        Rejected: the tape was refused, or nothing can be written to `out`.
    """
    summary.make_out(out)
    progress, watch = Progress(), _Stopwatch()
    try:
        with opened(tape, zone=zone, as_of=as_of, limit=limit, demo_at=as_of) as book:
            if not as_json:
                print(_opening(book, as_of, zone, limit), flush=True)
            ran = _through_the_cloud(root, book, zone, as_of, progress, watch)
    except (SynthesisFailed, EmulatorFailed, DeploymentFailed, NotDrained, WorkFailed) as failed:
        progress.clear()
        raise Rejected("pocket_cloud", type(failed).__name__, str(failed)) from None
    progress.clear()
    outbox.keep(root, as_of=as_of, zone=zone, messages=ran.messages, entries=ran.entries)
    if out is not None:
        summary.write_out(out, ran.report, ran.rows)
    if as_json:
        print(summary.json_line(ran.report, watch.total))
    else:
        _print(ran, watch, zone, out, book)
    return 0 if ran.report.findings.all_kept else 1


def _through_the_cloud(
    root: Path,
    book: OpenBook,
    zone: str,
    as_of: datetime,
    progress: Progress,
    watch: _Stopwatch,
) -> _Ran:
    rows = sum(book.prepared.counts.values())
    began = time.perf_counter()
    offset_s = round((as_of - datetime.now(UTC)).total_seconds())
    with pocket_cloud(root, offset_s=offset_s, say=progress.say) as cloud:
        watch.parts.append(("synthesize, start, deploy", time.perf_counter() - began))
        with watch.part("load the tape through S3"):
            cloud.drop(book.folder, TAPE, zone=zone)
            cloud.drain(rows)
            result = dict(cloud.result(TAPE))
        with watch.part("evaluate, decide, send"):
            cloud.tick()
            cloud.drain(rows)
        with watch.part("hear the receivers, fall back"):
            _hear(cloud, rows)
        with watch.part("seal, close the day"):
            cloud.close_day()
            cloud.drain(rows)
        with watch.part("read back and audit"):
            progress.say("reading back and auditing")
            rows_left = Rows.of(result["rejected"], result["noted"], book.prepared.sources)
            ran = _audited(cloud, rows_left)
        with watch.part("stop"):
            progress.say("stopping the embedded AWS")
    return ran


def _hear(cloud: PocketCloud, rows: int) -> None:
    """Have the receivers answer until nothing is sent any more in place of what has failed."""
    heard = 0
    while mails := cloud.delivered(after=heard):
        heard += len(mails)
        cloud.report_mails(mails)
        cloud.unsubscribe(mails)
        cloud.drain(rows)
        if not any(scene_of(mail.channel, mail.to) in FAILING for mail in mails):
            return
        # The minute in which the sweep finds that a step is to be taken up again.
        cloud.tick()
        cloud.drain(rows)


def _audited(cloud: PocketCloud, rows: Rows) -> _Ran:
    book, mails = cloud.everything(), cloud.delivered()
    settings = Settings()
    policy = policies(settings.treatment, settings.lender)
    locales = {locale for template in policy.templates.values() for locale, _ in template.bodies}
    arrived = arrivals(mails, book.contacts, locales)
    findings = audit(book.everyone, book.contacts, book.records, arrived, policy, now=cloud.now())
    obligations = sum(len(pages.obligations) for pages in book.everyone)
    return _Ran(
        cloud={
            "stack": cloud.deployed.stack,
            "resources": cloud.deployed.resources,
            "functions": sum(outputs.is_function_name(name) for name in cloud.deployed.outputs),
        },
        rows=rows,
        book=book,
        mails=mails,
        report=Report.of(obligations, book.contacts, book.records, findings),
        messages=_messages(mails, arrived, book),
        entries=_entries(book),
    )


def _messages(
    mails: Sequence[Delivered], arrived: Sequence[Arrival], book: Everything
) -> list[Message]:
    """Return the messages as `betimes outbox` shows them."""
    contacts = {contact.id: contact for contact in book.contacts}
    found = []
    for no, (mail, arrival) in enumerate(zip(mails, arrived, strict=True), start=1):
        contact = contacts[arrival.contact_id]
        found.append(
            Message(
                no=no,
                at=zones.to_text(mail.at),
                borrower_id=contact.borrower_id,
                contact_id=contact.id,
                obligation_id=contact.obligation_id,
                step=contact.step,
                channel=mail.channel,
                to=mail.to,
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                state=str(contact.state),
                cause=contact.cause,
            )
        )
    return found


def _entries(book: Everything) -> dict[str, list[Entry]]:
    """Return the timeline of each borrower, oldest first, with what they told us by a link in it: that stands in the
    Book and not in the ledger.
    """
    found: dict[str, list[Entry]] = {}
    for written in sorted(book.records, key=lambda record: record.id):
        found.setdefault(written.borrower_id, []).append(entry(written))
    for contact, at in _unsubscribed(book):
        theirs = found.setdefault(contact.borrower_id, [])
        theirs.append(
            Entry(
                at=at,
                obligation_id=contact.obligation_id,
                step=contact.step,
                what=f"unsubscribed from {contact.channel}",
                reason="by one click",
                contact_id=contact.id,
                channel=contact.channel,
                state="",
                record_id="",
            )
        )
        theirs.sort(key=lambda each: each.at)
    return found


def _opening(book: OpenBook, as_of: datetime, zone: str, limit: int | None) -> str:
    what = "the demo book (generated; nobody in it exists)" if book.is_demo else "your tape"
    local = as_of.astimezone(zones.zone(zone))
    counts = ", ".join(f"{count:,} {kind}" for kind, count in book.prepared.counts.items())
    return (
        f"Betimes runs {what} as of {local:%Y-%m-%d %H:%M} {zone}: "
        f"{counts}{summary.left_out(book.prepared, limit)}"
    )


def _print(ran: _Ran, watch: _Stopwatch, zone: str, out: Path | None, book: OpenBook) -> None:
    settings = Settings()
    policy = policies(settings.treatment, settings.lender)
    spoken = summary.Spoken.of(ran.report)
    cloud, report = ran.cloud, ran.report
    settled = sum(
        not obligation.is_open
        for pages in ran.book.everyone
        for obligation in pages.obligations.values()
    )
    print(
        f"\nDeployed  stack {cloud['stack']}: {cloud['resources']} resources, {cloud['functions']} functions, "
        "from the template that goes to AWS"
    )
    print(
        f"Read      {len(ran.book.everyone):,} borrowers, {report.obligations:,} obligations: "
        f"{settled:,} paid, {report.obligations - settled:,} open"
    )
    for notice in book.prepared.notices:
        print(f"          note: {notice}")
    print(ran.rows.text(written=out is not None))
    print(f"\nWhat came due ({spoken.footer()})\n")
    print(spoken.table(policy, reasons=True))
    print(
        "\n  suppressed as planned_after_window: the step's time had passed before the platform heard of the debt;\n"
        "  a step that is not due yet, or no longer because it was paid, is in no column."
    )
    back = summary.came_back(ran.report, {contact.id for contact, _ in _unsubscribed(ran.book)})
    if back:
        print("\nWhat came back (one borrower each; betimes timeline BORROWER tells the whole)\n")
        print(indented(back, "  "))
    _print_messages(ran, zone)
    _print_timeline(ran, zone)
    print("\nThe promises, checked against what the providers received")
    print(f"  {summary.promises(report)}")
    print(
        f"  {len(ran.book.records):,} ledger records, chained by hash, in {ran.book.segments} sealed segments; "
        f"digest {report.digest[:16]}…"
    )
    print("\nTime")
    for name, seconds in watch.parts:
        print(f"  {seconds:6.1f} s  {name}")
    print(f"  {watch.total:6.1f} s  in all")
    if out is not None:
        print(f"\nWrote {summary.WRITTEN} to {out}")
    print(_next(is_demo=book.is_demo))


def _print_messages(ran: _Ran, zone: str) -> None:
    shown = _chosen(ran.mails)
    if not shown:
        print("\nNo message was due.")
        return
    print(
        f"\n{len(ran.mails):,} messages reached the providers ({_fates(ran.report)}). "
        f"{len(shown)} of them, as the providers took them:"
    )
    for mail in shown:
        local = mail.at.astimezone(zones.zone(zone))
        print(f"\n  {mail.channel} to {mail.to}, {local:%H:%M:%S}")
        if mail.subject:
            print(f"    {mail.subject}")
            print("    " + "─" * 40)
        print(indented(mail.text.strip()))


def _unsubscribed(book: Everything) -> list[tuple[Contact, datetime]]:
    """Return the contacts by whose link somebody unsubscribed, and when: a refusal is called after its link."""
    refused = {
        said.id: said.at
        for pages in book.everyone
        for said in pages.consents
        if isinstance(said, Refusal)
    }
    links = {f"{contact.id}:{Action.UNSUBSCRIBE}": contact for contact in book.contacts}
    return [(links[id_], at) for id_, at in sorted(refused.items()) if id_ in links]


def _fates(report: Report) -> str:
    """Return how many messages are known to have got how far, such as "58 delivered, 4 accepted"; no provider reports
    on an SMS, so an accepted one may or may not have arrived.
    """
    states = Counter(contact.state for contact in report.sent).most_common()
    # What is known to have arrived comes first.
    states.sort(key=lambda counted: counted[0] is not State.DELIVERED)
    return ", ".join(f"{n:,} {state.lower()}" for state, n in states)


def _chosen(mails: Sequence[Delivered]) -> list[Delivered]:
    """Return up to three messages: a Chinese e-mail, an SMS, an English message, then whatever is there."""

    def chinese(mail: Delivered) -> bool:
        return any("\u4e00" <= character <= "\u9fff" for character in mail.text)

    wishes: tuple[Callable[[Delivered], bool], ...] = (
        lambda m: m.channel == "email" and chinese(m),
        lambda m: m.channel == "sms" and chinese(m),
        lambda m: m.channel == "email" and not chinese(m),
        lambda m: not chinese(m),
        lambda _: True,
    )
    chosen: list[Delivered] = []
    for wish in wishes:
        found = next((mail for mail in mails if mail not in chosen and wish(mail)), None)
        if found is not None and len(chosen) < SHOWN_MESSAGES:
            chosen.append(found)
    return chosen


def _print_timeline(ran: _Ran, zone: str) -> None:
    contact = _telling(ran.report.sent)
    if contact is None:
        return
    print(
        f"\nTimeline of borrower {contact.borrower_id} (every decision, sent or not, and what became of it)\n"
    )
    print(indented(outbox.timeline_of(ran.entries[contact.borrower_id], zone), "  "))


def _telling(sent: Sequence[Contact]) -> Contact | None:
    """Return the contact whose borrower's timeline tells most: one in place of another that failed, after a hard bounce
    before others; else a mail that was heard of, else any.
    """
    states = {contact.id: contact.state for contact in sent}
    instead = [contact for contact in sent if contact.cause]
    instead.sort(key=lambda contact: states.get(contact.cause) is not State.UNDELIVERED_HARD)
    by_mail = [contact for contact in sent if contact.channel == "email"]
    return next(iter(instead or by_mail or sent), None)


def _next(*, is_demo: bool) -> str:
    lines = [
        "\nTry next",
        "  .venv/bin/betimes outbox                      every message that was delivered; outbox 3 shows one",
        "  .venv/bin/betimes lab                         the same book played through months, in seconds",
        "  .venv/bin/betimes run --as-of 2026-03-15T09:30+08:00 --out out/",
        "  .venv/bin/betimes up                          keep the stack running and talk to it",
    ]
    if is_demo:
        lines.append(
            "  .venv/bin/betimes run --tape DIR              your own loan tape (see README)"
        )
    return "\n".join(lines)
