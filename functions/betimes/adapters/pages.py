"""The hosted pages as HTML: words and style from `packs/pages`, every value escaped, nothing fetched from anywhere.

A page needs no script and no cookie. What it says when it opens is nothing private: no amount, no date of a bill, no
name of a person; somebody else may hold the phone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from functools import cache
from html import escape
from string import Template
from typing import Final
from urllib.parse import urlsplit

from betimes.adapters.pack_files import document, root, text
from betimes.core.links import Action
from betimes.core.preferences import CHANNELS, Preferences
from betimes.core.values import dataclass

CHINESE: Final = "zh-CN"
ENGLISH: Final = "en"
LANGUAGES: Final = (CHINESE, ENGLISH)
_HALF_HOURS: Final = tuple(time(hour, minute) for hour in range(24) for minute in (0, 30))
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
# Pages that answer something that cannot be done; each has a title and an introduction.
BAD_LINK: Final = "bad_link"
BAD_PROMISE: Final = "bad_promise"
BAD_REQUEST: Final = "bad_request"
LATER: Final = "later"


def language_of(asked: str, locale: str) -> str:
    """Return the language of a page: the one asked for, else Chinese for a Chinese locale, else English."""
    if asked in LANGUAGES:
        return asked
    return CHINESE if locale.lower().startswith("zh") else ENGLISH


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page of one link shares: the language, the lender's name, the channel of the message."""

    language: str
    lender: str
    channel: str = ""

    def say(self, section: str, key: str, **more: str) -> str:
        """Return words of the pack with the lender, the channel and what else is given filled in, not escaped yet."""
        words = _words(self.language)[section][key]
        channel = _words(self.language)["channel"].get(self.channel, "")
        return Template(words).substitute(lender=self.lender, channel=channel, **more)


def ask(frame: Frame, action: Action, *, days: tuple[date, date] | None = None) -> bytes:
    """Return the page on which somebody may act: what the button does, and the button. `days` are the first and the
    last day that may be promised.
    """
    inner = [_p(frame.say(action, "intro"))]
    fields = ""
    if days is not None:
        fields = _select(
            "on",
            frame.say(action, "label"),
            [(day.isoformat(), spoken(day, frame.language)) for day in _days(*days)],
            days[0].isoformat(),
        )
    inner += [_form("act", fields, frame.say(action, "button"))]
    inner += [_p(frame.say("common", "wait"), "quiet")]
    return _page(frame, frame.say(action, "title"), inner, check=True)


def pay(frame: Frame, url: str, others: Mapping[Action, str]) -> bytes:
    """Return the page that leads to the lender's own payment page, "" where none is set; nothing is paid here.

    `others` are the addresses of what else a borrower may have to say, in the order they are offered in.
    """
    inner = [_p(frame.say("pay", "intro"))]
    if url:
        host, go = urlsplit(url).hostname or "", frame.say("pay", "button")
        inner += [
            _p(frame.say("pay", "host", at=host)),
            f'<a class="button" rel="noreferrer noopener" href="{escape(url)}">{escape(go)}</a>',
        ]
    else:
        inner += [_p(frame.say("pay", "none"))]
    rows = (
        f'<li><a href="{escape(address)}">{escape(frame.say(action, "title"))}</a></li>'
        for action, address in others.items()
    )
    inner += [
        f"<h2>{escape(frame.say('pay', 'others'))}</h2>",
        f'<ul class="others">{"".join(rows)}</ul>',
    ]
    return _page(frame, frame.say("pay", "title"), inner, check=True)


def done(frame: Frame, action: Action, section: str, until: date | None) -> bytes:
    """Return the page after an answer: `section` is that of the action, or "before" or "settled"."""
    day = spoken(until, frame.language) if until is not None else ""
    inner = [
        _p(frame.say(section, "done"), "said", role="status"),
        f"<h2>{escape(frame.say('common', 'next'))}</h2>",
    ]
    if section == "before" and until is not None:
        inner += [_p(frame.say(action, "next", day=day))]
    inner += [_p(frame.say(section, "next", day=day))]
    inner += [_p(frame.say("common", "note"), "quiet")]
    return _page(frame, frame.say(action, "title"), inner)


def checked(frame: Frame, *, right: bool) -> bytes:
    """Return the page after a code was compared."""
    said = frame.say("common", "check_yes" if right else "check_no")
    inner = [_p(said, "said" if right else "said wrong", role="status")]
    inner += [_p(frame.say("common", "check_note"), "quiet")]
    return _page(frame, frame.say("common", "check_title"), inner)


def settings(
    frame: Frame,
    wanted: Preferences,
    channels: Iterable[str],
    languages: Sequence[str],
    *,
    said: str = "",
    wrong: str = "",
) -> bytes:
    """Return the page of a borrower's wishes. `channels` are those the borrower can be reached by; `said` and `wrong`
    are keys of its words: what became of a form, and what was wrong in it.
    """

    def words(key: str) -> str:
        return frame.say("preferences", key)

    inner = []
    if said:
        inner += [_p(words(said), "said", role="status"), _p(words("next"))]
    if wrong:
        both = f"{words('bad')} {words(wrong)}"
        inner += [_p(both, "said wrong", role="alert")]
    inner += [_p(words("intro"))]
    named = _words(frame.language)["channel"]
    known = [each for each in CHANNELS if each in {*channels, *wanted.channels}]
    choices = [("", words("any")), *((each, named[each]) for each in known)]
    first, second = (*wanted.channels, "", "")[:2]
    clock = [("", words("quiet_none")), *((_hm(at), _hm(at)) for at in _times(wanted))]
    fields = [
        _select("first", words("first"), choices, first),
        _select("second", words("second"), choices, second),
        f"<fieldset><legend>{escape(words('quiet'))}</legend><div class=row>",
        f"<div>{_select('quiet_from', words('quiet_from'), clock, _hm(wanted.quiet_from))}</div>",
        f"<div>{_select('quiet_until', words('quiet_until'), clock, _hm(wanted.quiet_until))}</div>",
        "</div></fieldset>",
        _select(
            "language",
            words("words"),
            [("", words("any")), *((each, _own_name(each)) for each in languages)],
            wanted.language,
        ),
        _tick("one_reminder", words("one_reminder"), on=wanted.one_reminder),
        _tick("digest", words("digest"), on=wanted.digest),
    ]
    inner += [_form("act", "".join(fields), words("button"))]
    return _page(frame, words("title"), inner, check=True)


def sorry(frame: Frame, section: str) -> bytes:
    """Return the page that says why nothing can be done: BAD_LINK, BAD_PROMISE, BAD_REQUEST or LATER."""
    return _page(frame, frame.say(section, "title"), [_p(frame.say(section, "intro"))])


def headers(language: str) -> dict[str, str]:
    """Return the headers of every page: nothing is fetched, framed, kept, indexed or told to the next site."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": language,
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                f"style-src 'sha256-{_style_hash()}'",
                "img-src data:",
                "form-action 'self'",
                "base-uri 'none'",
                "frame-ancestors 'none'",
            )
        ),
        **PLAIN_HEADERS,
    }


# Of an answer that is no page, too.
PLAIN_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


def spoken(day: date, language: str) -> str:
    """Return a date as its language writes it."""
    if language == CHINESE:
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _page(frame: Frame, title: str, inner: Iterable[str], *, check: bool = False) -> bytes:
    other = ENGLISH if frame.language == CHINESE else CHINESE
    name = escape(_own_name(other))
    switch = f'<a href="?lang={other}" lang="{other}" hreflang="{other}">{name}</a>'
    html = Template(_file("page.html")).substitute(
        lang=frame.language,
        title=escape(title),
        css=_style(),
        **{"from": escape(frame.say("common", "from"))},
        switch=f"<nav>{switch}</nav>",
        body="\n".join(inner),
        footer=f"<footer>{_check(frame)}</footer>" if check else "",
    )
    return html.encode()


def _check(frame: Frame) -> str:
    """Return the part in which somebody can check the code of the message."""

    def words(key: str) -> str:
        return frame.say("common", key)

    field = (
        f'<label for="code">{escape(words("check_label"))}</label>'
        '<input type="text" id="code" name="code" required maxlength="24" autocomplete="off" '
        'autocapitalize="characters" spellcheck="false">'
    )
    return (
        f"<details><summary>{escape(words('check_title'))}</summary>{_p(words('check_intro'))}"
        f"{_form('check', field, words('check_button'))}{_p(words('check_note'), 'quiet')}</details>"
    )


def _form(do: str, fields: str, button: str) -> str:
    return (
        f'<form method="post">{fields}'
        f'<button type="submit" name="do" value="{do}">{escape(button)}</button></form>'
    )


def _select(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> str:
    rows = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(label_of)}</option>'
        for value, label_of in options
    )
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<select id="{name}" name="{name}">{rows}</select>'
    )


def _tick(name: str, label: str, *, on: bool) -> str:
    checked_ = " checked" if on else ""
    return (
        f'<label class="tick"><input type="checkbox" id="{name}" name="{name}" value="yes"{checked_}>'
        f"<span>{escape(label)}</span></label>"
    )


def _p(words: str, kind: str = "", *, role: str = "") -> str:
    marks = f' class="{kind}"' if kind else ""
    marks += f' role="{role}"' if role else ""
    return f"<p{marks}>{escape(words)}</p>"


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _times(wanted: Preferences) -> list[time]:
    """Return the times of day to choose from: half hours, and what was chosen elsewhere."""
    own = {at for at in (wanted.quiet_from, wanted.quiet_until) if at is not None}
    return sorted({*_HALF_HOURS, *own})


def _hm(at: time | None) -> str:
    return "" if at is None else at.isoformat("minutes" if not at.second else "seconds")


def _own_name(language: str) -> str:
    """Return what a language calls itself, its tag where no page is written in it."""
    return _words(language)["own"]["name"] if language in LANGUAGES else language


@cache
def _words(language: str) -> Mapping[str, Mapping[str, str]]:
    name = f"{language}.toml"
    return document(root() / "pages" / name, f"pages/{name}")


@cache
def _file(name: str) -> str:
    return text(root() / "pages" / name, f"pages/{name}")


@cache
def _style() -> str:
    return _file("page.css").strip()


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
