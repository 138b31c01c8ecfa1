"""The `betimes` command: what a person does at a prompt, from run, outbox, preview and publish to lab, plan, check, up,
invoke and schedule.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NoReturn

from betimes import __version__
from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.local.book import DEFAULT_ZONE, SEND_HOUR, instant

# Of a pretend book: nothing of it depends on the day on which it is played.
FIRST_DAY: Final = date(2025, 1, 1)
BORROWERS: Final = 200
SEED: Final = 7
# Ten years, and a large lender: what goes beyond is a typing error that would run for days.
MOST_DAYS: Final = 3_660
MOST_BORROWERS: Final = 1_000_000
# Before and after them there is no book, and room is left for what follows the last day of one.
YEARS: Final = range(1970, 2200)
# What the modules behind the commands call an input, and what it is called on the command line.
_OPTIONS: Final = {"source": "--tape", "zone": "--zone"}
_FLAGS: Final = frozenset({"--frames", "--help", "--json", "--texts", "--version"})
_NEGATIVE: Final = re.compile(r"-\.?[0-9]")
_EPILOG = """\
examples:
  betimes run                                          the demo book, as of today at 10:00
  betimes run --tape DIR --as-of 2017-03-15T10:00+08:00 --limit 200 --out out/
  betimes lab --tape DIR --out out/                    a whole tape, months in seconds
  betimes lab --days 540 --borrowers 2000 --seed 7     a pretend book with every trouble in it
  betimes plan b00003 --as-of 2026-03-09T10:00 --texts  what will happen to one borrower, and why
  betimes outbox 3                                     the third message of the last run, as text, page and picture
  betimes timeline b-hard                              why, and what came in place of what bounced
  betimes up                                           keep the pocket cloud running
  betimes invoke on_tick events/on_tick.json           one handler, one event
  betimes schedule jiebei_like --principal 6000 --rate 0.03%/day --months 3 --from 2026-06-15
  betimes rulebook --packs CN,US-MA --out book         the rules of contact, to read and to sign
  betimes rulebook --diff OLD NEW                      what changed between two folders of rule packs
  betimes check --treatment my.toml --packs CN,US-NYC  prove that it breaks no rule there, or see how it would
  betimes publish my.toml                              what would be wrong with a template, before it is used
  betimes preview overdue --out out                    every text of a template, as HTML and as a picture
  betimes bench rules                                  what it costs here to ask all rules about one contact
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
    options = parser.parse_args(list(_joined(sys.argv[1:] if arguments is None else arguments)))
    try:
        return _COMMANDS[options.command](options)
    except Rejected as rejected:
        field = rejected.field
        # Of commands that read a tape; in an event of `invoke` the names are fields of its body.
        if "zone" in options:
            field = _OPTIONS.get(field, field)
        place = f" ({field})" if field else ""
        print(f"betimes: {rejected.code}{place}: {rejected.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbetimes: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _Parser(argparse.ArgumentParser):
    """A parser that answers wrong input with one line, as the commands do, and not with a page of usage."""

    def parse_known_args(self, *arguments: Any, **more: Any) -> Any:
        """Return what the parser understands, as the base class does; what it does not understand is an error here,
        where it is known which command it was typed behind.
        """
        found, unknown = super().parse_known_args(*arguments, **more)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print which command it is, what is wrong and where help is; end with code 2."""
        said = message.removeprefix("argument ")
        self.exit(2, f"{self.prog}: {said}; see {self.prog} --help\n")


def _joined(arguments: Sequence[str]) -> Iterator[str]:
    """Yield the arguments, a negative value as one with its option: argparse takes `-0.03%/day` for an option."""
    option = ""
    for argument in arguments:
        if option and _NEGATIVE.match(argument):
            yield f"{option}={argument}"
            option = ""
            continue
        if option:
            yield option
        is_open = argument.startswith("--") and "=" not in argument and argument not in _FLAGS
        option = argument if is_open else ""
        if not is_open:
            yield argument
    if option:
        yield option


def _run(options: argparse.Namespace) -> int:
    from betimes.local.run import run

    _check_tape(options)
    return run(
        root=_root(),
        tape=options.tape,
        zone=options.zone,
        as_of=_as_of(options) or _this_morning(options.zone),
        limit=options.limit,
        out=options.out,
        as_json=options.json,
    )


def _lab(options: argparse.Namespace) -> int:
    from betimes.local.lab import lab

    _check_span(options)
    _check_tape(options)
    if options.days is not None:
        from betimes.local.months import months

        # A fixed first day unless one is named: the same seed gives the same months on any day.
        return months(
            start=options.start or FIRST_DAY,
            days=options.days,
            borrowers=BORROWERS if options.borrowers is None else options.borrowers,
            seed=SEED if options.seed is None else options.seed,
            zone=options.zone,
            out=options.out,
            as_json=options.json,
            licence=options.licence,
        )
    day = timedelta(days=1)
    return lab(
        tape=options.tape,
        zone=options.zone,
        start=instant(f"{options.start}T00:00", options.zone) if options.start else None,
        end=instant(f"{options.end}T00:00", options.zone) + day if options.end else None,
        as_of=_as_of(options),
        limit=options.limit,
        out=options.out,
        as_json=options.json,
        now=_this_morning(options.zone),
        licence=options.licence,
    )


def _check_span(options: argparse.Namespace) -> None:
    """Refuse options of `lab` that contradict each other.

    Raises:
        Rejected: code "bad_options".
    """
    for name in ("seed", "borrowers"):
        if options.days is None and getattr(options, name) is not None:
            raise Rejected(
                "bad_options",
                f"--{name}",
                "is of a pretend book, which --days plays; add --days N, or leave it out",
            )
    for option, on in (("--from", options.start), ("--to", options.end)):
        if on is not None and on.year not in YEARS:
            raise _outside(option)
    # Within a pretend book loans are drawn to its last day.
    if options.start and (options.start + timedelta(options.days or 0)).year not in YEARS:
        raise _outside("--from")
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

    _check_tape(options)
    return plan(
        options.borrower,
        tape=options.tape,
        zone=options.zone,
        as_of=_as_of(options) or _this_morning(options.zone),
        days=options.days,
        texts=options.texts,
        as_json=options.json,
    )


def _outbox(options: argparse.Namespace) -> int:
    from betimes.local.outbox import outbox

    if options.message and options.borrower:
        raise Rejected(
            "bad_options", "--borrower", "lists what went to somebody; leave out the message, or it"
        )
    if options.out is not None and not options.message:
        raise Rejected(
            "bad_options", "--out", "is where the page of one message is written; name one"
        )
    return outbox(
        _root(),
        options.message,
        borrower_id=options.borrower,
        out=options.out,
        as_json=options.json,
    )


def _timeline(options: argparse.Namespace) -> int:
    from betimes.local.outbox import timeline

    return timeline(_root(), options.borrower, as_json=options.json)


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


def _rulebook(options: argparse.Namespace) -> int:
    from betimes.local import rulebook

    today = zones.local_date(datetime.now(UTC), DEFAULT_ZONE)
    if options.sign_off is not None:
        for given, option in (
            (options.diff, "--diff"),
            (options.out, "--out"),
            (options.format, "--format"),
        ):
            if given:
                raise Rejected(
                    "bad_options",
                    option,
                    "writes pages, and --sign-off signs; leave one of them out",
                )
        if options.on is not None and options.on > today:
            raise Rejected("bad_options", "--on", f"is after today, {today}: nobody signs ahead")
        return rulebook.sign(options.sign_off, names=options.packs, on=options.on or today)
    if options.diff is None:
        on = options.on or today
        return rulebook.write(out=options.out, names=options.packs, form=options.format, on=on)
    if options.on is not None:
        raise Rejected(
            "bad_options",
            "--on",
            "says as of which day pages are; leave it out, or leave out --diff",
        )
    old, new = options.diff
    return rulebook.compare(old, new, out=options.out, names=options.packs, form=options.format)


def _check(options: argparse.Namespace) -> int:
    from betimes.core.rule import Party
    from betimes.local.check import Wish, check

    wish = Wish(
        treatments=tuple(options.treatment),
        jurisdictions=options.packs,
        first=options.start or zones.local_date(datetime.now(UTC), DEFAULT_ZONE),
        days=options.days,
        party=Party(options.party),
        notices=dict(options.notice),
        default=options.default,
        sign=options.sign,
        signed_packs=options.signed_packs,
        licence=options.licence,
    )
    if wish.first.year not in YEARS:
        raise _outside("--from")
    return check(wish, as_json=options.json)


def _publish(options: argparse.Namespace) -> int:
    from betimes.local import publish

    if options.frames:
        if options.files:
            raise Rejected("bad_options", "--frames", "compiles all frames; leave out the files")
        return publish.frames(as_json=options.json)
    return publish.publish(
        options.files,
        on=options.on or zones.local_date(datetime.now(UTC), DEFAULT_ZONE),
        hosts=options.hosts,
        price=options.price,
        as_json=options.json,
    )


def _preview(options: argparse.Namespace) -> int:
    from betimes.local.preview import preview

    return preview(
        options.template,
        lender=options.lender,
        locale=options.locale,
        channel=options.channel,
        out=options.out,
        as_json=options.json,
    )


def _bench(options: argparse.Namespace) -> int:
    from betimes.local import bench

    return bench.rules(runs=options.runs, limit_us=options.limit, as_json=options.json)


def _check_tape(options: argparse.Namespace) -> None:
    """Refuse a tape that is no directory, by its whole path.

    Raises:
        Rejected: code "missing_file", field "--tape".
    """
    if options.tape is not None and not options.tape.is_dir():
        raise Rejected(
            "missing_file", "--tape", f"{options.tape} is not a directory; a tape is one"
        )


def _as_of(options: argparse.Namespace) -> datetime | None:
    """Return the instant of `--as-of`, None where none is given.

    Raises:
        Rejected: code "bad_instant" or "bad_options", field "--as-of"; "unknown_zone".
    """
    if not options.as_of:
        return None
    try:
        at = instant(options.as_of, options.zone)
    except OverflowError:
        raise _outside("--as-of") from None
    except Rejected as error:
        field = "--as-of" if error.code == "bad_instant" else error.field
        raise Rejected(error.code, field, error.message) from None
    if at.year not in YEARS:
        raise _outside("--as-of")
    return at


def _outside(option: str) -> Rejected:
    return Rejected(
        "bad_options", option, f"lies before {YEARS[0]} or after {YEARS[-1]}; correct it"
    )


def _this_morning(zone: str) -> datetime:
    """Return 10:00 of today in the zone: the hour of the default treatment."""
    return instant(f"{zones.local_date(datetime.now(UTC), zone)}T{SEND_HOUR}", zone)


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
    parser = _Parser(
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
        description="Plays a loan tape, or with --days a pretend book of so many days, through the same flows on "
        "memory stores and a virtual clock.",
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
        type=_up_to(MOST_DAYS),
        help="play a pretend book of so many days instead of a tape: bills, loans, holds, reversals, outages",
    )
    lab.add_argument(
        "--borrowers",
        metavar="N",
        type=_up_to(MOST_BORROWERS),
        help=f"borrowers of the pretend book (default: {BORROWERS})",
    )
    lab.add_argument(
        "--licence",
        metavar="JURISDICTION",
        default="",
        help="the lender's licence, such as CN: its rules bind beside those of residence and number (default: none)",
    )
    lab.add_argument(
        "--seed",
        metavar="N",
        type=int,
        help=f"of the pretend book (default: {SEED})",
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
        type=_up_to(MOST_DAYS),
        default=45,
        help="how far to look (default: %(default)s)",
    )
    plan.add_argument("--texts", action="store_true", help="print the messages too")
    plan.add_argument("--json", action="store_true", help="print one JSON object")

    _outbox_options(
        commands.add_parser(
            "outbox",
            help="list what the last run delivered, or show one message",
            description="Lists every message that the last `betimes run` on this machine delivered; with an ID, shows "
            "the whole text of one, and writes its page and, where the machine has Chromium, a picture of it.",
        )
    )
    timeline = commands.add_parser(
        "timeline",
        help="print what the last run decided about one borrower, and heard",
        description="Prints every decision that the last `betimes run` on this machine made about one borrower, sent "
        "or not, and what became of each message: where one failed, what was sent in its place.",
    )
    timeline.add_argument("borrower", metavar="BORROWER", help="a borrower id, such as b-hard")
    timeline.add_argument("--json", action="store_true", help="print one JSON object")

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
    _rulebook_options(
        commands.add_parser(
            "rulebook",
            help="write the rules of contact as pages, or what changed in them",
            description="Writes one readable page for each rule pack: what each rule says in plain words, whom it "
            "binds, since when, on whose word, how far it is enforced, and what the platform does with it. With "
            "--diff, what changed between two folders or files of packs; ends with 1 where anything did.",
        )
    )
    _check_options(
        commands.add_parser(
            "check",
            help="prove that treatments break no rule, or show how one would",
            description="Asks of a treatment, in every case there is, whether a contact could fall outside the hours, "
            "go over a cap or hold banned words, and whether each notice that is demanded can be given in time. Ends "
            "with 0 where all is proved, with 1 where something is refused, with the smallest case of each rule, and "
            "with 2 where it could not ask. Policies are deployed and run only as they were signed (--sign).",
        )
    )
    _publish_options(commands)
    _bench_options(
        commands.add_parser(
            "bench",
            help="measure what a part costs on this machine",
            description="Measures what one evaluation of all rules costs for contacts of several places, each with "
            "twenty touches on record: the median, the worst, and the first one of a law that knows nothing yet.",
        )
    )
    return parser


def _outbox_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "message",
        metavar="ID",
        nargs="?",
        default="",
        help="its number in the list, or the id of its contact",
    )
    parser.add_argument(
        "--borrower", metavar="BORROWER", default="", help="list only what went to this borrower"
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write page and picture there (default: .local/outbox)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("part", metavar="PART", choices=("rules",), help="rules: the law")
    parser.add_argument(
        "--runs",
        metavar="N",
        type=_up_to(1_000_000),
        default=2_000,
        help="evaluations of each contact (default: %(default)s)",
    )
    parser.add_argument(
        "--limit",
        metavar="US",
        type=_microseconds,
        help="end with 1 where a median is over so many microseconds (default: no limit)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _microseconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < 1e9:
        raise argparse.ArgumentTypeError("must be microseconds above 0, such as 50")
    return found


def _publish_options(commands: Any) -> None:
    publish = commands.add_parser(
        "publish",
        help="the gate for templates: what would be wrong with a message, before anybody gets one",
        description="Renders each template with every condition shown and hidden over values at the edges, and says "
        "what is wrong. Ends with 1 where something blocks.",
    )
    publish.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="template files (*.toml), or names of shipped ones (default: all shipped ones)",
    )
    publish.add_argument(
        "--on", metavar="DATE", type=_day, help="the day whose rules count (default: today)"
    )
    publish.add_argument(
        "--hosts",
        metavar="HOST,HOST",
        type=lambda text: tuple(text.split(",")),
        default=(),
        help="hosts that an address written into a text may lead to (default: none)",
    )
    publish.add_argument(
        "--price",
        metavar="AMOUNT",
        type=_price,
        help="what one part of a text message costs, such as 0.045, to see what a message costs",
    )
    publish.add_argument(
        "--frames", action="store_true", help="compile the frames of e-mails (packs/mail) instead"
    )
    publish.add_argument("--json", action="store_true", help="print one JSON document")
    preview = commands.add_parser(
        "preview",
        help="every text of a template as a borrower would get it",
        description="Prints every language and channel of a template with example values, and with --out writes "
        "them as files, e-mails also as HTML and PNG.",
    )
    preview.add_argument("template", metavar="TEMPLATE", help="the name of a template")
    preview.add_argument("--locale", default="", metavar="TAG", help="only this language")
    preview.add_argument("--channel", default="", metavar="CHANNEL", help="only this channel")
    preview.add_argument("--lender", default="Betimes Demo", metavar="NAME", help="the sender")
    preview.add_argument("--out", type=Path, metavar="DIR", help="write files into this directory")
    preview.add_argument("--json", action="store_true", help="print one JSON document")


def _check_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--treatment",
        action="append",
        default=[],
        metavar="NAME",
        help="a shipped treatment, or a file that ends with .toml; repeat it (default: all that are shipped)",
    )
    parser.add_argument(
        "--packs",
        metavar="NAMES",
        type=_places,
        default=(),
        help="jurisdictions such as CN,US-NYC, each asked for itself; CN+US binds by both (default: those the "
        "treatment is meant for)",
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="DATE",
        type=_day,
        help="the first due date (default: today, or the first day of a treatment that begins later)",
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=_up_to(MOST_DAYS),
        default=400,
        help="how many due dates (default: %(default)s, every holiday and change of clocks of a year)",
    )
    parser.add_argument(
        "--party",
        choices=("first", "third"),
        default="first",
        help="who contacts: the lender itself, or an agency (default: %(default)s)",
    )
    parser.add_argument(
        "--notice",
        action="append",
        default=[],
        metavar="STEP=RULE",
        type=_given,
        help="the statutory step STEP gives the notice of RULE, such as credit=CN.CREDIT.NOTICE; repeat it",
    )
    parser.add_argument(
        "--default",
        metavar="NAME",
        default="default",
        help="the treatment of products that name none, as it is deployed (default: %(default)s)",
    )
    parser.add_argument(
        "--licence",
        metavar="JURISDICTION",
        default="",
        help="the lender's licence, as it is deployed: its rules bind beside those of each place (default: none)",
    )
    parser.add_argument(
        "--sign",
        action="store_true",
        help="write what is proved to packs/proofs.toml, if all of it is: policies run only as they were signed",
    )
    parser.add_argument(
        "--signed-packs",
        action="store_true",
        help="end with 1 also where nobody has signed a pack as it is (betimes rulebook --sign-off)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _rulebook_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        help="write there (default: rulebook; what changed is printed)",
    )
    parser.add_argument(
        "--packs",
        metavar="NAMES",
        type=_names,
        default=(),
        help="only these packs, such as CN,US-MA (default: all)",
    )
    parser.add_argument(
        "--format",
        choices=("md", "html", "both"),
        default="",
        help="Markdown, HTML or both (default: both; what changed is printed as Markdown)",
    )
    parser.add_argument(
        "--on",
        metavar="DATE",
        type=_day,
        help="the day as of which rules are in force or not, or on which they were signed (default: today)",
    )
    parser.add_argument(
        "--diff",
        nargs=2,
        metavar=("OLD", "NEW"),
        type=Path,
        help="what changed from one folder or file of packs to another",
    )
    parser.add_argument(
        "--sign-off",
        metavar="NAME",
        help="write into the packs named by --packs that NAME has read them and answers for them, as of --on",
    )


def _schedule_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("profile", metavar="PROFILE", help="a product, such as jiebei_like")
    parser.add_argument(
        "--principal", required=True, metavar="AMOUNT", help="what is lent, such as 6000.00"
    )
    parser.add_argument(
        "--rate",
        default="",
        metavar="RATE",
        help="0.0003/day, 0.03%%/day, 10.95%% a year, or 0 for none (default: that of the profile)",
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
        metavar="METHOD",
        choices=(
            "equal_instalment",
            "equal_principal",
            "interest_only",
            "flat_fee",
            "single_payment",
        ),
        help="how it is paid back: equal_instalment, equal_principal, interest_only, flat_fee or single_payment "
        "(default: as the profile says)",
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


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(
            "must be names with a comma between them, such as CN,US-MA"
        )
    return names


def _up_to(most: int) -> Callable[[str], int]:
    """Return what reads a whole number from 1 to `most`."""

    def number(text: str) -> int:
        try:
            found = int(text)
        except ValueError:
            found = 0
        if not 1 <= found <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most:,}")
        return found

    return number


def _places(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the sets of jurisdictions in "CN,US-NYC,CN+US": each between commas is one."""
    found = tuple(tuple(each.strip().split("+")) for each in text.split(","))
    if not all(name for names in found for name in names):
        raise argparse.ArgumentTypeError(f"{text!r} is no list such as CN,US-NYC or CN+US")
    return found


def _given(text: str) -> tuple[str, str]:
    step, _, rule_id = text.partition("=")
    if not step or not rule_id:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form STEP=RULE")
    return step, rule_id


def _price(text: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount such as 0.045")
    return Decimal(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-03-01") from None


_COMMANDS = {
    "run": _run,
    "lab": _lab,
    "plan": _plan,
    "outbox": _outbox,
    "timeline": _timeline,
    "up": _up,
    "invoke": _invoke,
    "schedule": _schedule,
    "rulebook": _rulebook,
    "check": _check,
    "publish": _publish,
    "preview": _preview,
    "bench": _bench,
}

if __name__ == "__main__":
    sys.exit(main())
