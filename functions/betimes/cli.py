"""The `betimes` command: run, lab, up, invoke and schedule at a prompt."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from betimes import __version__
from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.local.book import DEFAULT_ZONE, SEND_HOUR, instant

# Of a pretend book: nothing of it depends on the day on which it is played.
FIRST_DAY = date(2025, 1, 1)
_EPILOG = """\
examples:
  betimes run                                          the demo book, as of today at 10:00
  betimes run --tape DIR --as-of 2017-03-15T10:00+08:00 --limit 200 --out out/
  betimes lab --tape DIR --out out/                    a whole tape, months in seconds
  betimes lab --days 540 --borrowers 2000 --seed 7     a pretend book with every trouble in it
  betimes plan b00017 --texts                          what will happen to one borrower, and why
  betimes up                                           keep the pocket cloud running
  betimes invoke on_tick events/on_tick.json           one handler, one event
  betimes schedule jiebei_like --principal 6000 --rate 0.03%/day --months 3 --from 2026-06-15
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0 done, 1 a promise was broken, 2 the input is wrong, 130
    stopped by Ctrl-C.
    """
    # A terminal without Chinese shows question marks; that is no reason to stop in the middle.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _COMMANDS[options.command](options)
    except Rejected as rejected:
        place = f" ({rejected.field})" if rejected.field else ""
        print(f"betimes: {rejected.code}{place}: {rejected.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbetimes: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: argparse.Namespace) -> int:
    from betimes.local.run import run

    now = datetime.now(UTC)
    as_of = (
        instant(options.as_of, options.zone) if options.as_of else _this_morning(options.zone, now)
    )
    return run(
        root=_root(),
        tape=options.tape,
        zone=options.zone,
        as_of=as_of,
        limit=options.limit,
        out=options.out,
        as_json=options.json,
    )


def _lab(options: argparse.Namespace) -> int:
    from betimes.local.lab import lab

    _check_span(options)
    now = datetime.now(UTC)
    if options.days is not None:
        from betimes.local.months import months

        # A fixed first day unless one is named: the same seed gives the same months on any day.
        return months(
            start=options.start or FIRST_DAY,
            days=options.days,
            borrowers=options.borrowers,
            seed=options.seed,
            zone=options.zone,
            out=options.out,
            as_json=options.json,
        )
    day = timedelta(days=1)
    return lab(
        tape=options.tape,
        zone=options.zone,
        start=instant(f"{options.start}T00:00", options.zone) if options.start else None,
        end=instant(f"{options.end}T00:00", options.zone) + day if options.end else None,
        as_of=instant(options.as_of, options.zone) if options.as_of else None,
        limit=options.limit,
        out=options.out,
        as_json=options.json,
        now=_this_morning(options.zone, now),
    )


def _check_span(options: argparse.Namespace) -> None:
    """Refuse options of `lab` that contradict each other.

    Raises:
        Rejected: code "bad_options".
    """
    if options.days is not None and (options.as_of or options.end or options.tape or options.limit):
        raise Rejected(
            "bad_options",
            "--days",
            "plays a pretend book; leave out --tape, --to, --as-of and --limit, or leave out --days",
        )
    if options.as_of and (options.start or options.end):
        raise Rejected(
            "bad_options",
            "--as-of",
            "sweeps once, at one instant; leave it out, or --from and --to",
        )
    if options.start and options.end and options.end < options.start:
        raise Rejected("bad_options", "--to", f"is before --from {options.start}; exchange them")


def _plan(options: argparse.Namespace) -> int:
    from betimes.local.plan import plan

    now = datetime.now(UTC)
    as_of = (
        instant(options.as_of, options.zone) if options.as_of else _this_morning(options.zone, now)
    )
    return plan(
        options.borrower,
        tape=options.tape,
        zone=options.zone,
        as_of=as_of,
        days=options.days,
        texts=options.texts,
        as_json=options.json,
    )


def _up(_: argparse.Namespace) -> int:
    from betimes.local.up import up

    return up(root=_root(), offset_s=0)


def _invoke(options: argparse.Namespace) -> int:
    from betimes.local.invoke import invoke

    return invoke(options.handler, options.event, root=_root())


def _schedule(options: argparse.Namespace) -> int:
    from betimes.local.schedule import Wish, show

    wish = Wish(
        profile=options.profile,
        principal=options.principal,
        rate=options.rate,
        months=options.months,
        start=options.start,
        due_day=options.due_day,
        first_due=options.first_due,
        due_dates=tuple(options.due),
        draws=tuple(options.draw),
        currency=options.currency,
        flat_fee=options.flat_fee,
        method=options.method,
        calendar=options.calendar,
    )
    return show(wish, as_json=options.json)


def _this_morning(zone: str, now: datetime) -> datetime:
    """Return 10:00 of today in the zone: the hour of the default treatment."""
    return instant(f"{zones.local_date(now, zone)}T{SEND_HOUR}", zone)


def _root() -> Path:
    """Return the checkout this command belongs to.

    Raises:
        Rejected: code "no_checkout"; the package was installed without its infrastructure.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "infra" / "app.py").exists():
        raise Rejected(
            "no_checkout",
            "",
            "this command needs a clone of the repository, made ready by `make setup`",
        )
    return root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="betimes",
        description="Repayment reminders: never after the money, never twice, never lost, never out of bounds, "
        "always explained.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"betimes {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="deploy the stack on this machine, load a book, send what is due, report",
        description="Deploys the CloudFormation template on an embedded AWS on this machine, drops a loan tape into "
        "its bucket, fires the schedule, waits until everything is drained, and reports.",
    )
    _book_options(run)
    run.add_argument(
        "--as-of",
        metavar="INSTANT",
        help="run as if it were this instant (default: today at 10:00 in the zone)",
    )

    lab = commands.add_parser(
        "lab",
        help="play a book on a virtual clock, months in seconds",
        description="Plays a loan tape through the same flows on memory stores and a virtual clock.",
    )
    _book_options(lab)
    lab.add_argument(
        "--from",
        dest="start",
        metavar="DATE",
        type=_day,
        help="first day played; what was known before is told then",
    )
    lab.add_argument(
        "--to",
        dest="end",
        metavar="DATE",
        type=_day,
        help="last day played (default: 32 days after the last due date)",
    )
    lab.add_argument(
        "--as-of",
        metavar="INSTANT",
        help="tell everything known then at once and sweep once, as `run` does",
    )

    lab.add_argument(
        "--days",
        metavar="N",
        type=_positive,
        help="play a pretend book of so many days instead of a tape: bills, loans, holds, reversals, outages",
    )
    lab.add_argument(
        "--borrowers",
        metavar="N",
        type=_positive,
        default=200,
        help="borrowers of the pretend book (default: %(default)s)",
    )
    lab.add_argument(
        "--seed",
        metavar="N",
        type=int,
        default=7,
        help="of the pretend book (default: %(default)s)",
    )

    plan = commands.add_parser(
        "plan",
        help="print what will happen to one borrower, on which day, and why",
        description="Tells a world in memory everything known of one borrower at an instant and lets time pass in it: "
        "every decision that will be made if nothing more is told, with the texts on demand.",
    )
    plan.add_argument("borrower", metavar="BORROWER", help="a borrower id, such as b00017")
    plan.add_argument(
        "--tape", metavar="DIR", type=Path, help="a loan tape (default: the demo book)"
    )
    plan.add_argument(
        "--zone",
        default=DEFAULT_ZONE,
        help="zone of times without an offset (default: %(default)s)",
    )
    plan.add_argument(
        "--as-of",
        metavar="INSTANT",
        help="what is known then (default: today at 10:00 in the zone)",
    )
    plan.add_argument(
        "--days",
        metavar="N",
        type=_positive,
        default=45,
        help="how far to look (default: %(default)s)",
    )
    plan.add_argument("--texts", action="store_true", help="print the messages too")
    plan.add_argument("--json", action="store_true", help="print one JSON object")

    commands.add_parser(
        "up",
        help="keep the pocket cloud running until Ctrl-C",
        description="Deploys the stack on an embedded AWS and keeps it running; prints where everything is.",
    )

    invoke = commands.add_parser(
        "invoke",
        help="run one handler on one event",
        description="Runs one handler on one event: on the pocket cloud that `betimes up` keeps running, "
        "else on memory stores in this process.",
    )
    invoke.add_argument("handler", metavar="HANDLER", help="such as on_request")
    invoke.add_argument(
        "event", metavar="EVENT.json", type=Path, help="such as events/on_request.json"
    )
    _schedule_options(
        commands.add_parser(
            "schedule",
            help="print the instalments of a loan, and what it costs a year",
            description="Prints when a loan of a product profile is paid back, by which amounts, and its nominal, "
            "effective and actuarial yearly rate.",
        )
    )
    return parser


def _schedule_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("profile", metavar="PROFILE", help="a product, such as jiebei_like")
    parser.add_argument(
        "--principal", required=True, metavar="AMOUNT", help="what is lent, such as 6000.00"
    )
    parser.add_argument(
        "--rate",
        default="",
        metavar="RATE",
        help="0.0003/day, 0.03%%/day or 10.95%% a year (default: that of the profile)",
    )
    parser.add_argument(
        "--months", required=True, type=_positive, metavar="N", help="number of instalments"
    )
    parser.add_argument(
        "--from",
        dest="start",
        required=True,
        type=_day,
        metavar="DATE",
        help="the day the money is paid out",
    )
    parser.add_argument(
        "--due-day",
        type=_positive,
        default=0,
        metavar="N",
        help="day of the month, 1 to 31 (default: that of --from)",
    )
    parser.add_argument("--first-due", type=_day, metavar="DATE", help="the first due date")
    parser.add_argument(
        "--due",
        action="append",
        default=[],
        type=_day,
        metavar="DATE",
        help="one due date; repeat it for each instalment of a term calendar",
    )
    parser.add_argument(
        "--draw",
        action="append",
        default=[],
        metavar="DATE=AMOUNT",
        help="one progress payment of the lender; repeat it, the first on the day of --from",
    )
    parser.add_argument("--currency", default="CNY", metavar="CODE", help="(default: %(default)s)")
    parser.add_argument(
        "--flat-fee", default="", metavar="PERCENT", help="a fee on the whole amount, such as 8.8%%"
    )
    parser.add_argument(
        "--method",
        default="",
        choices=("equal_instalment", "equal_principal", "interest_only", "flat_fee"),
        help="how it is paid back (default: as the profile says)",
    )
    parser.add_argument(
        "--calendar", default="", metavar="NAME", help="(default: that of the profile)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _book_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tape", metavar="DIR", type=Path, help="a loan tape (default: the demo book)"
    )
    parser.add_argument(
        "--zone",
        default=DEFAULT_ZONE,
        help="zone of times without an offset (default: %(default)s)",
    )
    parser.add_argument(
        "--limit", metavar="N", type=_positive, help="only the first N obligations of the tape"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write contacts, decisions, rejected and noted rows there (.jsonl)",
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object as the last line"
    )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be a whole number of at least 1")
    return number


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-03-01") from None


_COMMANDS = {
    "run": _run,
    "lab": _lab,
    "plan": _plan,
    "up": _up,
    "invoke": _invoke,
    "schedule": _schedule,
}

if __name__ == "__main__":
    sys.exit(main())
