"""on_page: the hosted pages behind the links of our messages, opened by borrowers in a browser.

    GET  /l/{token}    shows what the link is for; changes nothing, however often it is opened (HEAD as well)
    POST /l/{token}    does it, or compares a message's code; one-click unsubscription of mail programs (RFC 8058)

`?lang=zh-CN` or `?lang=en` chooses the language. There is no session and no cookie: the token is all there is. Nobody
signs in, so a page says nothing that the message did not say to whoever holds the phone.
"""

from __future__ import annotations

from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from betimes import wiring
from betimes.adapters import pages
from betimes.adapters.pages import Frame
from betimes.config import LINKS
from betimes.core import links
from betimes.core.borrower import IMPLICIT, Borrower
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import Outcome
from betimes.core.links import OFFERED, Action, Link
from betimes.core.preferences import NONE, Preferences
from betimes.core.values import replace
from betimes.flows.answer import Done, Opened
from betimes.flows.preferences import languages, prefer
from betimes.handlers.batches import logger
from betimes.wire.pages import Asked, asked, preferences_in, promised_day

WORLD = wiring.from_environment()

_METHODS: Final = ("GET", "HEAD", "POST")
# Which words of the page say what is wrong with a wish, by its field.
_WRONG: Final = {
    "channels": "bad_channels",
    "quiet_from": "bad_quiet",
    "quiet_until": "bad_quiet",
    "language": "bad_language",
}
_STATUS: Final = {"unknown_route": 404}

Answer = dict[str, Any]


def handler(event: dict[str, Any], context: LambdaContext) -> Answer:
    """Answer one request for a page."""
    answer = _answered(event)
    # The path is the token: it stands in no log.
    logger.info("on_page", extra={"status": answer["statusCode"]})
    return answer


def _answered(event: dict[str, Any]) -> Answer:
    try:
        request = asked(event, LINKS)
    except Rejected as rejected:
        return _sorry(_STATUS.get(rejected.code, 400), pages.BAD_REQUEST, "")
    if request.method not in _METHODS:
        return _sorry(405, pages.BAD_REQUEST, request.language, {"Allow": ", ".join(_METHODS)})
    try:
        if request.is_one_click:
            return _one_click(request)
        return _page_of(request)
    except Rejected as rejected:
        if request.is_one_click:
            return _plain(400, "this link does not work")
        known = (pages.BAD_LINK, pages.BAD_PROMISE)
        section = rejected.code if rejected.code in known else pages.BAD_REQUEST
        return _sorry(400, section, request.language)
    except (Stale, Unavailable):
        return _sorry(503, pages.LATER, request.language, {"Retry-After": "60"})


def _one_click(request: Asked) -> Answer:
    """Unsubscribe as a mail program asks for it: no page, no redirect, the same answer each time.

    A link for anything else does not work here, and answers as a forged one does.
    """
    now = WORLD.clock.now()
    opened = WORLD.desk.open(WORLD.key_ring.keys(), request.token, now)
    if opened.link.action is not Action.UNSUBSCRIBE or request.method != "POST":
        raise links.bad_link()
    WORLD.desk.answer(opened, now)
    return _plain(200, "unsubscribed")


def _page_of(request: Asked) -> Answer:
    opened = WORLD.desk.open(WORLD.key_ring.keys(), request.token, WORLD.clock.now())
    frame = _frame(request, opened.head, opened.contact.channel)
    if request.method == "POST":
        return _acted(request, opened, frame)
    return _shown(opened, frame)


def _shown(opened: Opened, frame: Frame) -> Answer:
    action = opened.link.action
    match action:
        case Action.PAY:
            return _html(frame, pages.pay(frame, WORLD.pay_url, _others(opened.link)))
        case Action.PREFERENCES:
            return _html(frame, _settings(opened, frame, opened.head.preferences))
        case Action.PROMISE:
            days = opened.promise_days(WORLD.clock.now())
            return _html(frame, pages.ask(frame, action, days=days))
        case _:
            return _html(frame, pages.ask(frame, action))


def _others(link: Link) -> dict[Action, str]:
    """Return the addresses of what else a borrower may have to say about the message that a link came with."""
    keys = WORLD.key_ring.keys()
    return {action: LINKS + links.token(keys, replace(link, action=action)) for action in OFFERED}


def _acted(request: Asked, opened: Opened, frame: Frame) -> Answer:
    action, now = opened.link.action, WORLD.clock.now()
    match request.value("do"):
        case "check":
            # Against this message only: there is nobody else's to be hit by guessing.
            of = opened.contact
            right = links.is_code(WORLD.key_ring.keys(), of.tenant, of.id, request.value("code"))
            return _html(frame, pages.checked(frame, right=right))
        case "act" if action is Action.PREFERENCES:
            return _preferred(request, opened, frame)
        case "act":
            answer = WORLD.desk.answer(opened, now, on=promised_day(request))
            section = action if answer.done is Done.DONE else answer.done
            return _html(frame, pages.done(frame, action, section, answer.until))
        case _:
            raise Rejected("bad_request", "do", "press one of the buttons of the page")


def _preferred(request: Asked, opened: Opened, frame: Frame) -> Answer:
    """Keep the wishes in the form, or show it again with what is wrong in it."""
    try:
        wanted = preferences_in(request)
    except Rejected as rejected:
        body = _settings(opened, frame, NONE, wrong=_WRONG[rejected.field])
        return _html(frame, body, 400)
    of = opened.contact
    try:
        outcome = prefer(WORLD.intake, of.tenant, of.borrower_id, wanted, WORLD.clock.now())
    except Rejected as rejected:
        if rejected.code != "bad_preferences":
            raise
        body = _settings(opened, frame, wanted, wrong=_WRONG[rejected.field])
        return _html(frame, body, 400)
    said = "unchanged" if outcome is Outcome.UNCHANGED else "done"
    return _html(frame, _settings(opened, frame, wanted, said=said))


def _settings(
    opened: Opened, frame: Frame, wanted: Preferences, *, said: str = "", wrong: str = ""
) -> bytes:
    # Those with an address, and what everybody has where this deployment sends by it.
    channels = {point.channel for point in opened.head.contact_points} | set(
        WORLD.providers
    ) & IMPLICIT
    known = languages(WORLD.policies)
    return pages.settings(frame, wanted, channels, known, said=said, wrong=wrong)


def _frame(request: Asked, head: Borrower, channel: str) -> Frame:
    language = pages.language_of(request.language, head.language)
    return Frame(language, WORLD.policies.lender, channel)


def _html(frame: Frame, body: bytes, status: int = 200) -> Answer:
    return _answer_of(status, body.decode(), pages.headers(frame.language))


def _sorry(
    status: int, section: str, language: str, headers: dict[str, str] | None = None
) -> Answer:
    """Return a page that knows nothing of a person: in the language asked for, else the lender's own."""
    chosen = pages.language_of(language, WORLD.policies.default_locale)
    frame = Frame(chosen, WORLD.policies.lender)
    body = pages.sorry(frame, section).decode()
    return _answer_of(status, body, {**pages.headers(chosen), **(headers or {})})


def _plain(status: int, text: str) -> Answer:
    headers = {"Content-Type": "text/plain; charset=utf-8", **pages.PLAIN_HEADERS}
    return _answer_of(status, f"{text}\n", headers)


def _answer_of(status: int, body: str, headers: dict[str, str]) -> Answer:
    return {"statusCode": status, "headers": headers, "body": body, "isBase64Encoded": False}
