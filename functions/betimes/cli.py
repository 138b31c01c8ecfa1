"""The `betimes` command: run, lab, up and invoke at a prompt."""

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

_EPILOG = """\
examples:
  betimes run                                          the demo book, as of today at 10:00
  betimes run --tape DIR --as-of 2017-03-15T10:00+08:00 --limit 200 --out out/
  betimes lab --tape DIR --out out/                    a whole tape, months in seconds
  betimes up                                           keep the pocket cloud running
  betimes invoke on_tick events/on_tick.json           one handler, one event
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
    if options.as_of and (options.start or options.end):
        raise Rejected(
            "bad_options",
            "--as-of",
            "sweeps once, at one instant; leave it out, or --from and --to",
        )
    if options.start and options.end and options.end < options.start:
        raise Rejected("bad_options", "--to", f"is before --from {options.start}; exchange them")


def _up(_: argparse.Namespace) -> int:
    from betimes.local.up import up

    return up(root=_root(), offset_s=0)


def _invoke(options: argparse.Namespace) -> int:
    from betimes.local.invoke import invoke

    return invoke(options.handler, options.event, root=_root())


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
    return parser


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


_COMMANDS = {"run": _run, "lab": _lab, "up": _up, "invoke": _invoke}

if __name__ == "__main__":
    sys.exit(main())
