"""What a press does, through the real handler over memory stores: once, about what the message spoke of, and nothing
by opening.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from betimes.config import LINKS, providers_of
from betimes.core import links
from betimes.core.borrower import PointState
from betimes.core.change import Change
from betimes.core.consent import Refusal, Switch
from betimes.core.errors import Unavailable
from betimes.core.hold import Kind
from betimes.core.links import Action, Keys
from betimes.core.reason import Reason
from betimes.core.values import replace
from betimes.core.wording import HINTS
from betimes.flows.answer import CLAIM_WAIT, HELP_WAIT, PROMISE_DAYS
from tests.core.support import utc
from tests.flows import harness
from tests.pages.deployment import KEYS, PAY, Deployment, deployment

# What is acted on by a press; the form that does it.
PRESS: dict[Action, dict[str, str]] = {
    Action.ALREADY_PAID: {"do": "act"},
    Action.PROMISE: {"do": "act", "on": "2026-03-16"},
    Action.NEED_HELP: {"do": "act"},
    Action.DISPUTE: {"do": "act"},
    Action.WRONG_PERSON: {"do": "act"},
    Action.STOP_CHANNEL: {"do": "act"},
    Action.UNSUBSCRIBE: {"do": "act"},
    Action.PREFERENCES: {"do": "act", "language": "en", "one_reminder": "yes"},
}
LANGUAGES = ("zh-CN", "en")


def text_of(answer: dict[str, Any]) -> str:
    """Return what stands on a page, without its marks and its style."""
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", answer["body"], flags=re.DOTALL)
    return " ".join(body.split())


@pytest.mark.parametrize("action", Action)
def test_opening_a_link_a_hundred_times_changes_nothing(action: Action) -> None:
    """Mail gateways and previews open every link: pages, contacts and ledger stay as they are, byte for byte."""
    made = deployment()
    token = made.token(action)
    before = (made.pages, made.here.memory.all_contacts(), harness.records_of(made.here))

    for n in range(100):
        answer = made.get(token, f"lang={LANGUAGES[n % 2]}", "HEAD" if n % 10 == 9 else "GET")
        assert answer["statusCode"] == 200

    assert (made.pages, made.here.memory.all_contacts(), harness.records_of(made.here)) == before


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("action", Action)
def test_a_page_that_opens_says_nothing_private(action: Action, language: str) -> None:
    """No amount, no date of the bill, no address, and no word that hints at a debt: somebody else may look."""
    made = deployment()
    said = text_of(made.get(made.token(action), f"lang={language}"))

    assert "Betimes Demo" in said
    for private in ("10.00", "2026-03-09", "9 March", "3月9日", "li@", "138000", "b1", "o1"):
        if action is not Action.PROMISE or private not in ("9 March", "3月9日"):
            assert private not in said, private
    words = [word for words in HINTS.values() for word in words]
    for word in words:
        pattern = rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word)
        assert not re.search(pattern, said, re.IGNORECASE), word


@pytest.mark.parametrize("action", PRESS)
def test_the_same_press_twice_is_one_change(action: Action) -> None:
    """The second POST answers as well and leaves everything as the first one left it."""
    made = deployment()
    token = made.token(action)
    untouched = made.pages

    first = made.post(token, **PRESS[action])
    once = made.pages
    made.here.clock.advance(made.here.clock.now() + timedelta(minutes=7))
    second = made.post(token, **PRESS[action])

    assert (first["statusCode"], second["statusCode"]) == (200, 200)
    assert once != untouched
    assert made.pages == once


@pytest.mark.parametrize(
    ("action", "kind", "reason"),
    [
        (Action.ALREADY_PAID, Kind.PAID_CLAIM, Reason.HOLD_PAID_CLAIM),
        (Action.PROMISE, Kind.PROMISE, Reason.HOLD_PROMISE),
        (Action.DISPUTE, Kind.DISPUTE, Reason.HOLD_DISPUTE),
    ],
)
def test_a_press_about_the_bill_stops_its_reminders(
    action: Action, kind: Kind, reason: Reason
) -> None:
    """A hold about the bill is in place at once, the next step does not speak, and its reason names the hold."""
    made = deployment()
    made.post(made.token(action), **PRESS[action])

    [hold] = made.pages.holds.values()
    assert (hold.kind, hold.obligation_id, hold.owner) == (kind, "o1", f"link:{made.contact.id}")
    sent = len(made.here.provider.accepted)
    made.here.run_until(utc("2026-03-09 00:00"))
    assert len(made.here.provider.accepted) == sent
    reasons = [r.body.get("reason") for r in harness.records_of(made.here) if r.kind == "decision"]
    assert reason in reasons


def test_the_word_that_it_is_paid_counts_for_five_days() -> None:
    """The hold ends by itself; a bill that is not paid then is spoken of again."""
    made = deployment()
    made.post(made.token(Action.ALREADY_PAID), **PRESS[Action.ALREADY_PAID])
    [hold] = made.pages.holds.values()
    assert hold.ends_at == made.here.clock.now() + CLAIM_WAIT

    sent = len(made.here.provider.accepted)
    made.here.run_until(utc("2026-03-20 00:00"))
    assert len(made.here.provider.accepted) > sent


def test_a_call_for_help_rests_overdue_messages_for_thirty_days() -> None:
    """It is about the person, not one bill, and reminders before the due date go on."""
    made = deployment()
    made.post(made.token(Action.NEED_HELP), **PRESS[Action.NEED_HELP])
    [hold] = made.pages.holds.values()

    assert (hold.kind, hold.obligation_id) == (Kind.HARDSHIP, "")
    assert hold.ends_at == made.here.clock.now() + HELP_WAIT


def test_a_promise_is_of_what_is_owed_and_can_be_moved() -> None:
    """The day of the form holds; another day by the same link moves it, and its past is one hold, not two."""
    made = deployment()
    token = made.token(Action.PROMISE)
    made.post(token, do="act", on="2026-03-16")
    [hold] = made.pages.holds.values()
    assert (hold.promise_on, hold.promise_minor) == (date(2026, 3, 16), 1000)

    made.post(token, do="act", on="2026-03-18")
    [moved] = made.pages.holds.values()
    assert (moved.promise_on, moved.starts_at) == (date(2026, 3, 18), hold.starts_at)


@pytest.mark.parametrize("on", ["", "2026-03-05", "2026-04-07", "tomorrow", "2026-02-30", "x" * 99])
def test_a_day_that_cannot_be_promised_is_refused(on: str) -> None:
    """Yesterday, a day more than a month ahead, no day: the page says so, and nothing is promised."""
    made = deployment()
    answer = made.post(made.token(Action.PROMISE), do="act", on=on)

    assert answer["statusCode"] == 400
    assert "请选择其他日期" in answer["body"]
    assert not made.pages.holds
    assert PROMISE_DAYS == 31


def test_the_wrong_person_hears_no_more_and_nothing_else_is_told() -> None:
    """The address is blocked for whatever would go there; the other one is not, and the page names nobody."""
    made = deployment()
    answer = made.post(made.token(Action.WRONG_PERSON), **PRESS[Action.WRONG_PERSON])

    head = made.pages.head
    assert head is not None
    states = {point.channel: point.state for point in head.contact_points}
    assert states == {"email": PointState.WRONG_PERSON, "sms": PointState.ACTIVE}
    assert not made.pages.holds
    assert not made.pages.consents
    said = text_of(answer)
    assert not any(private in said for private in ("li@", "10.00", "b1", "138000"))

    harness.tell(made.here, harness.person())
    head = made.pages.head
    assert head is not None
    assert head.contact_points[0].state is PointState.WRONG_PERSON, "told again, it stays blocked"


@pytest.mark.parametrize("action", [Action.STOP_CHANNEL, Action.UNSUBSCRIBE])
def test_stopping_a_channel_refuses_reminders_there_and_nothing_else(action: Action) -> None:
    """One refusal of reminders by e-mail: marketing is another switch, and the telephone another channel."""
    made = deployment()
    made.post(made.token(action), **PRESS[action])

    [refusal] = made.pages.consents
    assert isinstance(refusal, Refusal)
    assert (refusal.switch, refusal.channel) == (Switch.REMINDER, "email")
    assert refusal.evidence == f"link:{made.contact.id}"


def test_nothing_is_held_about_what_is_paid() -> None:
    """The bill was settled meanwhile: the page says that there is nothing to do, and no hold is set."""
    made = deployment()
    harness.tell(made.here, harness.money(paid_at=made.here.clock.now()))
    for action in (Action.ALREADY_PAID, Action.PROMISE, Action.DISPUTE):
        answer = made.post(made.token(action), "lang=en", **PRESS[action])
        assert "There is nothing to be done." in answer["body"]
    assert not made.pages.holds


def test_a_hold_that_the_lender_lifted_stays_lifted() -> None:
    """The same link does not set it again; the page says that it was noted before."""
    made = deployment()
    token = made.token(Action.DISPUTE)
    made.post(token, do="act")
    [hold] = made.pages.holds.values()
    made.here.clock.advance(made.here.clock.now() + timedelta(hours=1))
    harness.tell(made.here, harness_lift(hold.id, made))

    answer = made.post(token, "lang=en", do="act")
    assert "This was noted before" in answer["body"]
    assert made.pages.holds[hold.id].lifted_at is not None


def harness_lift(hold_id: str, made: Deployment) -> Any:
    """Return the command that lifts a hold now."""
    from betimes.core.intake import LiftHold

    return LiftHold(hold_id, made.here.clock.now())


# Links that do not work


def foreign(made: Deployment) -> str:
    """Return a token of another tenant, rightly signed for it, for a contact of ours."""
    return made.token(Action.DISPUTE, tenant="other")


def forged(made: Deployment) -> str:
    """Return a token that somebody signed with a key of their own."""
    made.ring.held, keys = Keys(1, {1: b"another key, thirty-two bytes or so"}), made.ring.held
    token = made.token(Action.DISPUTE)
    made.ring.held = keys
    return token


def expired(made: Deployment) -> str:
    """Return a token of long ago."""
    return made.token(Action.DISPUTE, issued_on=date(2025, 11, 1))


def unknown(made: Deployment) -> str:
    """Return a token for a contact that there is none of."""
    return made.token(Action.DISPUTE, contact_id="c_" + "a" * 26)


def garbage(made: Deployment) -> str:
    """Return what is no token."""
    return "%00" + "A" * 300


@pytest.mark.parametrize("bad", [foreign, forged, expired, unknown, garbage])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_does_not_work_gives_one_friendly_page(
    bad: Callable[[Deployment], str], method: str
) -> None:
    """Forged, expired, foreign or unknown: the same page byte for byte, and nothing is changed."""
    made = deployment()
    before = made.pages
    token = bad(made)
    answer = made.get(token) if method == "GET" else made.post(token, do="act")

    assert answer["statusCode"] == 400
    assert answer == made.get("x")
    assert "此链接无效" in answer["body"]
    assert made.pages == before


# One-click unsubscription


def test_one_click_unsubscribes_without_a_page() -> None:
    """RFC 8058: a POST with one field, no cookie and no redirect, and 200 for every repetition."""
    made = deployment()
    token = made.token(Action.UNSUBSCRIBE)
    answers = [made.post(token, List_Unsubscribe="One-Click") for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert (answers[0]["statusCode"], answers[0]["body"]) == (200, "unsubscribed\n")
    headers = {name.lower() for name in answers[0]["headers"]}
    assert not headers & {"set-cookie", "location"}
    assert len(made.pages.consents) == 1


def test_one_click_may_come_as_a_multipart_form() -> None:
    """Mail programs send either form; the content type decides."""
    made = deployment()
    body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    path = LINKS + made.token(Action.UNSUBSCRIBE)
    answer = made.call("POST", path, body=body, kind="multipart/form-data; boundary=b")

    assert answer["statusCode"] == 200
    assert len(made.pages.consents) == 1


@pytest.mark.parametrize("bad", [foreign, forged, expired, unknown, garbage])
def test_one_click_with_a_bad_token_is_refused_without_saying_why(
    bad: Callable[[Deployment], str],
) -> None:
    """The answer to each is the same, and the same as to a link that is for something else; nothing is refused."""
    made = deployment()
    answer = made.post(bad(made), List_Unsubscribe="One-Click")

    assert answer["statusCode"] == 400
    assert answer == made.post(made.token(Action.DISPUTE), List_Unsubscribe="One-Click")
    assert not made.pages.consents
    assert not made.pages.holds


# Bodies and methods


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * 5000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(50)), "application/x-www-form-urlencoded"),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
        (b'{"do": "act"}', "application/json"),
        (b"do", "application/x-www-form-urlencoded"),
        (b"do=", "application/x-www-form-urlencoded"),
        (b"do=destroy", "application/x-www-form-urlencoded"),
        (b"nothing", "multipart/form-data; boundary=b"),
        (b"nothing", "multipart/form-data"),
    ],
)
def test_what_is_no_form_of_ours_is_refused(body: bytes, kind: str) -> None:
    """Too long, too many fields, another type, another button: a page says so, and nothing is changed."""
    made = deployment()
    before = made.pages
    answer = made.call("POST", LINKS + made.token(Action.DISPUTE), body=body, kind=kind)

    assert answer["statusCode"] == 400
    assert made.pages == before


def test_other_methods_and_paths_find_nothing() -> None:
    """PUT is not for pages; a path without a token, or with more behind it, is none."""
    made = deployment()
    token = made.token(Action.DISPUTE)

    assert made.get(token, method="PUT")["statusCode"] == 405
    for path in (LINKS, f"{LINKS}{token}/more", "/other", "/"):
        assert made.call("GET", path)["statusCode"] == 404


def test_the_page_of_a_message_offers_what_else_there_is_to_say() -> None:
    """Paid, a day, help, no agreement, wrong person: each leads to the page for it, of the same message."""
    made = deployment()
    body = made.get(made.token(Action.PAY))["body"]
    found = re.findall(r'<li><a href="/l/([\w-]+)">([^<]+)</a>', body)
    opened = [links.opened(KEYS, token, made.here.clock.now()) for token, _ in found]
    assert [each.action for each in opened] == list(links.OFFERED)
    assert len({each.contact_id for each in opened}) == 1
    for token, title in found:
        answer = made.get(token)
        assert answer["statusCode"] == 200
        assert title in answer["body"]


def test_a_link_to_pay_changes_nothing_and_leads_to_the_lender() -> None:
    """The page names the host and links to it; a POST is refused, and no field asks for anything of a card."""
    made = deployment()
    before = made.pages
    answer = made.get(made.token(Action.PAY))

    assert f'href="{PAY}"' in answer["body"]
    assert "pay.lender.example" in text_of(answer)
    assert made.post(made.token(Action.PAY), do="act")["statusCode"] == 400
    assert made.pages == before


@pytest.mark.parametrize(
    ("providers", "offered"), [("email=ses,inbox=own", True), ("email=ses", False)]
)
def test_the_inbox_is_a_way_where_the_deployment_has_one(providers: str, offered: bool) -> None:
    """Nobody tells an address of it; a lender's own server is none of the borrower's ways."""
    made = deployment()
    vars(made.world)["providers"] = providers_of(f"{providers},webhook=https")
    body = made.get(made.token(Action.PREFERENCES))["body"]
    assert ('value="inbox"' in body) is offered
    assert 'value="email"' in body
    assert "webhook" not in body


def test_wishes_are_kept_and_shown_again() -> None:
    """What the form says stands on the head, and the page that opens next shows it chosen."""
    made = deployment()
    token = made.token(Action.PREFERENCES)
    form = {
        "do": "act",
        "first": "sms",
        "quiet_from": "20:00",
        "quiet_until": "10:00",
        "language": "en",
        "digest": "yes",
    }
    assert made.post(token, **form)["statusCode"] == 200

    head = made.pages.head
    assert head is not None
    wishes = head.preferences
    assert (wishes.channels, wishes.language, wishes.digest) == (("sms",), "en", True)
    body = made.get(token)["body"]
    assert '<html lang="en">' in body, "the page is in the language that is wanted now"
    for chosen in ("sms", "20:00", "10:00", "en"):
        assert f'<option value="{chosen}" selected>' in body

    harness.tell(made.here, harness.person())
    head = made.pages.head
    assert head is not None
    assert head.preferences == wishes, "what the lender tells of a person takes no wish away"


@pytest.mark.parametrize(
    "form",
    [
        {"first": "sms", "second": "sms"},
        {"first": "carrier-pigeon"},
        {"quiet_from": "20:00"},
        {"quiet_from": "20:00", "quiet_until": "20:00"},
        {"quiet_from": "06:00", "quiet_until": "20:01"},
        {"quiet_from": "25:00", "quiet_until": "26:00"},
        {"quiet_from": "20:00+08:00", "quiet_until": "21:00"},
        {"language": "tlh"},
    ],
)
def test_wishes_that_cannot_be_kept_are_refused(form: dict[str, str]) -> None:
    """The page comes again with what is wrong, and nothing is kept."""
    made = deployment()
    before = made.pages
    answer = made.post(made.token(Action.PREFERENCES), "lang=en", do="act", **form)

    assert answer["statusCode"] == 400
    assert "This could not be saved." in answer["body"]
    assert made.pages == before


def test_the_code_of_the_message_is_known_and_no_other() -> None:
    """The right code is confirmed however it is typed; another one warns; neither changes anything."""
    made = deployment()
    token, before = made.token(Action.DISPUTE), made.pages
    code = links.code(KEYS, made.contact.tenant, made.contact.id)

    assert (
        "was sent for Betimes Demo"
        in made.post(token, "lang=en", do="check", code=code.lower())["body"]
    )
    for wrong in ("", "0000-0000", code[:-1], "<script>"):
        body = made.post(token, "lang=en", do="check", code=wrong)["body"]
        assert "does not fit" in body
        assert "<script>" not in body
    assert made.pages == before


def test_stores_that_cannot_write_are_an_invitation_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503 with a page; a press after that does what it says."""
    made = deployment()
    token = made.token(Action.DISPUTE)

    def down(changes: list[Change]) -> None:
        raise Unavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(made.here.memory, "commit", down)
        answer = made.post(token, do="act")
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "60")
    assert not made.pages.holds
    assert made.post(token, do="act")["statusCode"] == 200
    assert made.pages.holds


def test_a_writer_in_between_is_met_with_another_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lender writes between reading and writing: the press is decided again and both stand."""
    made = deployment()
    commit = made.here.memory.commit
    told: list[bool] = []

    def interrupted(changes: list[Change]) -> None:
        if not told:
            told.append(True)
            harness.tell(made.here, harness.person(tags=("vip",)))
        commit(changes)

    monkeypatch.setattr(made.here.memory, "commit", interrupted)
    made.post(made.token(Action.DISPUTE), do="act")

    head = made.pages.head
    assert head is not None
    assert head.tags == ("vip",)
    assert len(made.pages.holds) == 1


@pytest.mark.parametrize("action", Action)
def test_every_page_has_the_headers_that_keep_it_to_itself(action: Action) -> None:
    """Nothing is fetched, framed, kept or indexed, and the next site is not told where somebody came from."""
    made = deployment()
    for answer in (
        made.get(made.token(action)),
        made.get("x"),
        made.post(made.token(action), do="x"),
    ):
        headers = answer["headers"]
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert "noindex" in headers["X-Robots-Tag"]
        assert "Set-Cookie" not in headers
        assert "<script" not in answer["body"]
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer["body"].replace(PAY, ""))


def test_values_are_escaped() -> None:
    """A lender's name of marks stays text on the page."""
    made = deployment()
    policies = made.world.policies
    vars(made.world)["policies"] = replace(policies, lender='<b onclick="x">&')
    body = made.get(made.token(Action.DISPUTE))["body"]

    assert "<b onclick" not in body
    assert "&lt;b onclick=&quot;x&quot;&gt;&amp;" in body


def test_no_token_reaches_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """The handler's line says how it went, and neither path nor token."""
    made = deployment()
    token = made.token(Action.DISPUTE)
    made.get(token)
    made.post(token, do="act")

    written = "".join(capsys.readouterr())
    assert token not in written
    assert made.contact.id not in written
