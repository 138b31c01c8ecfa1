"""`betimes outbox` and `betimes timeline`: what the last `betimes run` on this machine delivered, and why.

A run stops its cloud when it ends, so it leaves what was delivered and decided in one file under `.local/` that only
whoever ran it can read: with a tape of one's own the messages are those of real people.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from betimes.core import zones
from betimes.core.errors import Rejected
from betimes.flows.timeline import Entry
from betimes.local import browser
from betimes.local.console import cut, indented, table
from betimes.local.emulator import LOCAL_FOLDER
from betimes.local.summary import make_out

KEPT: Final = Path(LOCAL_FOLDER) / "last-run.json"
PREVIEWS: Final = Path(LOCAL_FOLDER) / "outbox"
_FORM: Final = 1
# Columns of a subject and of the beginning of a text in the list.
_SUBJECT, _LINE = 28, 44
# A phone in points, for what has no page of its own; a mail is as wide as mail programs show it.
_PHONE, _MAIL = 390, 640
_LINE_POINTS, _ROOM_POINTS, _TALLEST = 30, 260, 4_000
_LETTERS_A_LINE: Final = {_PHONE: 22, _MAIL: 46}


@dataclass(frozen=True, slots=True)
class Message:
    """One delivered message: its number in the run from 1, when a provider took it (text, UTC), and what it said.

    `html` is that of a mail, "" without one. `state` is what is known of it in the end, `cause` the contact that had
    failed before and that it takes the place of, "" for none.
    """

    no: int
    at: str
    borrower_id: str
    contact_id: str
    obligation_id: str
    step: str
    channel: str
    to: str
    subject: str
    text: str
    html: str
    state: str
    cause: str

    @property
    def opening(self) -> str:
        """The text in one line, as a list of messages on a phone begins it."""
        return " ".join(self.text.split())


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the last run left: as of when and in which zone, its messages, and every line of every timeline."""

    as_of: str
    zone: str
    messages: tuple[Message, ...]
    entries: Mapping[str, tuple[Entry, ...]]


def keep(
    root: Path,
    *,
    as_of: datetime,
    zone: str,
    messages: Sequence[Message],
    entries: Mapping[str, Iterable[Entry]],
) -> None:
    """Keep what a run delivered, in place of what the one before did; only this user can read it."""
    document = {
        "form": _FORM,
        "as_of": zones.to_text(as_of),
        "zone": zone,
        "messages": [asdict(message) for message in messages],
        "timelines": {who: [_line(each) for each in theirs] for who, theirs in entries.items()},
    }
    place = root / KEPT
    fresh = place.with_suffix(f".{os.getpid()}")
    place.parent.mkdir(exist_ok=True)
    try:
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False)
        fresh.replace(place)
    finally:
        fresh.unlink(missing_ok=True)


def last_run(root: Path) -> LastRun:
    """Return what the last run kept.

    Raises:
        Rejected: code "no_run"; none has been made here, or one of another release.
    """
    try:
        document = json.loads((root / KEPT).read_text("utf-8"))
        if document["form"] != _FORM:
            raise ValueError("another form")
        return LastRun(
            document["as_of"],
            document["zone"],
            tuple(Message(**each) for each in document["messages"]),
            {
                who: tuple(_entry(each) for each in theirs)
                for who, theirs in document["timelines"].items()
            },
        )
    except FileNotFoundError:
        raise _no_run("nothing was run here yet") from None
    except (ValueError, KeyError, TypeError):
        raise _no_run("what the last run left cannot be read") from None


def _no_run(what: str) -> Rejected:
    return Rejected("no_run", "", f"{what}; `betimes run` keeps what it delivers")


def outbox(root: Path, message: str, *, borrower_id: str, out: Path | None, as_json: bool) -> int:
    """Print what the last run delivered, of one borrower if `borrower_id` says so; or one message, by its number or
    its contact's id, with its page and a picture of it in the folder `out` (default: `.local/outbox`). Return 0.

    Raises:
        Rejected: code "no_run", "unknown_message" or "unknown_borrower"; "bad_out", the folder cannot be written to.
    """
    run = last_run(root)
    if message:
        _show(_found(run, message), run, out or root / PREVIEWS, as_json=as_json)
        return 0
    messages = [m for m in run.messages if borrower_id in ("", m.borrower_id)]
    if borrower_id and not messages and borrower_id not in run.entries:
        raise _unknown_borrower(borrower_id, "--borrower")
    if as_json:
        print(json.dumps({"as_of": run.as_of, "messages": [asdict(m) for m in messages]}))
        return 0
    whose = f" to {borrower_id}" if borrower_id else ""
    print(
        f"{_messages(len(messages))}{whose} in the run as of {_local(run.as_of, run.zone)} {run.zone}"
    )
    if messages:
        print()
        print(
            table(
                ["no", "at", "borrower", "by", "step", "became", "subject", "text"],
                [_row(m, run) for m in messages],
                left=8,
            )
        )
        print("\nbetimes outbox NO shows one of them whole, betimes timeline BORROWER why it went")
    return 0


def timeline(root: Path, borrower_id: str, *, as_json: bool) -> int:
    """Print everything that the last run decided about a borrower and heard of them, and return 0.

    Raises:
        Rejected: code "no_run" or "unknown_borrower".
    """
    run = last_run(root)
    entries = run.entries.get(borrower_id)
    if entries is None:
        raise _unknown_borrower(borrower_id, "BORROWER")
    if as_json:
        print(json.dumps({"borrower_id": borrower_id, "timeline": [_line(e) for e in entries]}))
        return 0
    print(timeline_of(entries, run.zone))
    return 0


def timeline_of(entries: Sequence[Entry], zone: str) -> str:
    """Return a timeline as a table, in the local time of `zone`."""
    by_id = _last_of(entries)
    accepted: set[str] = set()
    rows = []
    for each in entries:
        reported = each.what == "accepted" and each.contact_id in accepted
        if each.what == "accepted":
            accepted.add(each.contact_id)
        rows.append(
            [
                f"{each.at.astimezone(zones.zone(zone)):%m-%d %H:%M:%S}",
                each.obligation_id,
                each.step,
                _what(each, by_id, reported=reported),
                each.reason,
            ]
        )
    return table(["at", "obligation", "step", "what", "because"], rows, left=5)


def _what(each: Entry, by_id: Mapping[str, Entry], *, reported: bool) -> str:
    """Return what a line says happened; of a message that is to be sent by which channel, and after what failure."""
    if reported:
        # Its answer has said that before.
        return f"reported {each.what}"
    if each.state:
        return f"{each.what} → {each.state}"
    own, failed = by_id.get(each.contact_id), by_id.get(each.cause)
    how = f" by {own.channel}" if own is not None else ""
    since = f", since {failed.channel} is {failed.state}" if failed is not None else ""
    return f"{each.what}{how}{since}"


def _last_of(entries: Sequence[Entry]) -> Mapping[str, Entry]:
    """Return the last line of each contact that says where it stands."""
    return {each.contact_id: each for each in entries if each.contact_id and each.state}


def _found(run: LastRun, message: str) -> Message:
    for each in run.messages:
        if message in (str(each.no), each.contact_id):
            return each
    raise Rejected(
        "unknown_message",
        "ID",
        f"the last run delivered {_messages(len(run.messages))}; `betimes outbox` lists their numbers",
    )


def _unknown_borrower(borrower_id: str, field: str) -> Rejected:
    return Rejected(
        "unknown_borrower",
        field,
        f"the last run knew nobody called {borrower_id!r}; ids are those of the accounts file",
    )


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _row(message: Message, run: LastRun) -> list[str]:
    return [
        str(message.no),
        _local(message.at, run.zone),
        message.borrower_id,
        message.channel,
        message.step,
        message.state.lower(),
        cut(message.subject, _SUBJECT),
        cut(message.opening, _LINE),
    ]


def _show(message: Message, run: LastRun, out: Path, *, as_json: bool) -> None:
    make_out(out)
    page, drawn = out / f"{message.no}.html", out / f"{message.no}.png"
    width = _MAIL if message.channel == "email" else _PHONE
    page.write_text(message.html or _page(message), encoding="utf-8")
    is_drawn = browser.picture(page, drawn, width=width, height=_height(message, width))
    if as_json:
        files = {"page": str(page), "picture": str(drawn) if is_drawn else ""}
        print(json.dumps({**asdict(message), **files}))
        return
    print(f"{message.channel} to {message.to}, {_local(message.at, run.zone)} {run.zone}")
    print(
        f"borrower {message.borrower_id}, {message.obligation_id} {message.step}, {message.contact_id}"
    )
    print(
        f"became {message.state.lower()}"
        + (f"; in place of {message.cause}" if message.cause else "")
    )
    print()
    if message.subject:
        print(indented(message.subject))
        print("    " + "─" * 40)
    print(indented(message.text.strip()))
    print()
    print(f"page      {page}")
    if is_drawn:
        print(f"picture   {drawn}")
    else:
        print(
            f"picture   none: there is no browser here that draws one ({', '.join(browser.NAMES)})"
        )


def _height(message: Message, width: int) -> int:
    """Return how tall a picture must be, about: too tall is better than cut."""
    a_line = _LETTERS_A_LINE[width]
    lines = sum(1 + len(line) // a_line for line in message.text.splitlines())
    return min(_TALLEST, _ROOM_POINTS + _LINE_POINTS * lines)


def _page(message: Message) -> str:
    """Return a page that shows a message without one of its own: nothing in it is anything but text."""
    subject = f"<h1>{html.escape(message.subject)}</h1>\n" if message.subject else ""
    return f"""<!doctype html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(message.subject or message.channel)}</title>
<style>
body {{ margin: 0; padding: 24px; background: #eef0f3; font: 17px/1.5 system-ui, sans-serif; color: #1a1a1a }}
p {{ margin: 0 0 12px; color: #4a4f57; font-size: 14px }}
h1 {{ margin: 0 0 12px; font-size: 19px }}
article {{ padding: 16px 18px; border-radius: 14px; background: #fff; overflow-wrap: anywhere }}
pre {{ margin: 0; font: inherit; white-space: pre-wrap }}
</style>
</head>
<body>
<p>{html.escape(message.channel)} · {html.escape(message.to)}</p>
<article>
{subject}<pre>{html.escape(message.text.strip())}</pre>
</article>
</body>
</html>
"""


def _local(at: str, zone: str) -> str:
    return f"{zones.from_text(at).astimezone(zones.zone(zone)):%Y-%m-%d %H:%M:%S}"


def _line(each: Entry) -> dict[str, Any]:
    return {
        field.name: zones.to_text(each.at) if field.name == "at" else getattr(each, field.name)
        for field in fields(each)
    }


def _entry(line: Mapping[str, Any]) -> Entry:
    return Entry(**{**line, "at": zones.from_text(str(line["at"]))})
