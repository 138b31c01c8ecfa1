"""Stories: every diary comes true, a wrong line is noticed, and every reason is shown by one of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from betimes.core.reason import Reason
from betimes.lab.story import Played, StoryFailed, play
from tests.core.support import POLICIES

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "tests" / "stories"
STORIES = sorted(FOLDER.glob("*.story"))

DIARY = """
borrower b1 zh-CN Asia/Shanghai CN email=li@borrowers.example
2026-03-01 08:00  bill     o1 b1 CNY 1200.00 due 2026-03-09
2026-03-06 10:00  contact  o1 step D-3 email amount 1200.00
2026-03-06 10:00  state    o1 step D-3 DELIVERED because delivered
2026-03-08 08:10  pay      p1 o1 CNY 1200.00
2026-03-08 10:00  silence  o1 because paid
2026-04-09 10:00  silence  o1 because paid
"""


@cache
def played(path: Path) -> Played:
    """Return what a story showed; each is played once."""
    return play(path.read_text(encoding="utf-8").splitlines(), POLICIES, path.parent)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_story_comes_true_and_keeps_every_promise(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line; at its end the audit finds nothing; and nothing is printed."""
    story = played(path)
    assert story.findings is not None
    assert story.findings.all_kept, story.findings
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_says_what_it_is_about(path: Path) -> None:
    """It begins with a comment for whoever reads it, and holds no line that asks nothing."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert re.search(r" (contact|silence|state|text|owed|dpd) ", text)


def test_every_treatment_beside_the_stories_is_played() -> None:
    """A file that no story names proves nothing."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in STORIES)
    assert [path.name for path in FOLDER.glob("*.toml") if path.name not in text] == []


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_shown_by_a_story(reason: Reason) -> None:
    """A reason without a story is a claim without evidence."""
    shown = set().union(*(played(path).reasons for path in STORIES))
    assert str(reason) in shown


def test_every_reason_is_explained_once() -> None:
    """One line each in docs/reasons.md, with its meaning and what happens next, and no line for anything else."""
    text = (REPOSITORY / "docs" / "reasons.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert sorted(row[0] for row in rows) == sorted(map(str, Reason))


def test_the_diary_of_this_test_comes_true() -> None:
    """Guards the tests below: what they change is true before."""
    assert play(DIARY.splitlines(), POLICIES).reasons == {"due", "delivered", "paid"}


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        # Another instant, step, channel, amount or bill than what was sent.
        ("03-06 10:00  contact", "03-06 09:59  contact", "nothing was sent"),
        ("03-06 10:00  contact", "03-06 10:01  contact", "not sent then"),
        ("contact  o1 step D-3", "contact  o1 step D-1", "not sent then"),
        ("step D-3 email", "step D-3 sms", "not sent then"),
        ("email amount 1200.00", "email amount 1200.01", "the amount in it is"),
        # Another state or reason.
        ("DELIVERED because delivered", "ACCEPTED because delivered", "it is DELIVERED"),
        ("DELIVERED because delivered", "DELIVERED because accepted", "it is DELIVERED"),
        ("state    o1 step D-3", "state    o1 step D-1", "no contact for D-1"),
        ("10:00  silence  o1 because paid", "10:00  silence  o1 because quiet_hours", "silent, but"),
        # A part payment does not silence: the next reminder is one that no line names.
        ("pay      p1 o1 CNY 1200.00", "pay      p1 o1 CNY 1199.99", "a message that no line names"),
        ("2026-03-08 08:10  pay      p1 o1 CNY 1200.00\n", "", "a message that no line names"),
        ("2026-03-06 10:00  contact  o1 step D-3 email amount 1200.00\n", "", "a message that no line names"),
        # What the intake refuses.
        ("email=li@borrowers.example", "email=li", "bad_email"),
        ("due 2026-03-09", "due 2026-02-09", "due_before_issue"),
        # What cannot be read.
        ("CNY 1200.00 due", "CNY 1200 due", "cannot be read"),
        ("pay      p1", "pays     p1", "cannot be read"),
        ("silence  o1", "silence  o2", "cannot be read"),
        ("2026-03-08 10:00", "2026-03-32 10:00", "cannot be read"),
        ("Asia/Shanghai", "Asia/Nowhere", "unknown_zone"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_noticed(wrong: str, right: str, complaint: str) -> None:
    """Whatever is wrong in it, the story fails and says what happened instead."""
    assert wrong in DIARY
    with pytest.raises(StoryFailed, match=re.escape(complaint)):
        play(DIARY.replace(wrong, right, 1).splitlines(), POLICIES)


def test_the_complaint_names_the_line() -> None:
    """Its number and its text, comments and empty lines counted."""
    with pytest.raises(StoryFailed, match=r"line 4: 2026-03-06 10:00  contact  o1 step D-1 email"):
        play(DIARY.replace("contact  o1 step D-3", "contact  o1 step D-1").splitlines(), POLICIES)


def test_a_message_after_the_last_line_is_noticed_too() -> None:
    """The end of a story asks whether all was told."""
    short = (
        DIARY.split("2026-03-06 10:00  contact", maxsplit=1)[0]
        + "2026-03-06 11:00  state o1 step D-3 DELIVERED because delivered"
    )
    with pytest.raises(StoryFailed, match="no line names"):
        play(short.splitlines(), POLICIES)


def test_another_zone_of_the_diary_shifts_every_line() -> None:
    """Ten in Shanghai is three in London."""
    london = "zone Europe/London\n" + DIARY.replace(" 10:00", " 02:00").replace(
        "08:00", "00:00"
    ).replace("08:10", "00:10")
    assert play(london.splitlines(), POLICIES).reasons == {"due", "delivered", "paid"}


FULL = """
treatment huabei_like
borrower b1 en Asia/Shanghai CN email=li@borrowers.example sms?=+447700900001 tags=new,staff band=A
2026-03-04 07:59  account  a1 b1 CNY huabei_like mandate 8821 creditor "Bank A"
2026-03-04 08:00  account  a2 b1 CNY story
2026-03-04 08:00  bill     o1 b1 CNY 100.00 due 2026-03-09 account a1 minimum 10.00
2026-03-04 08:00  bill     o2 b1 CNY 50.00 due 2026-03-09 account a2
2026-03-04 08:01  again
2026-03-04 08:01  answered unchanged
2026-03-05 10:00  contact  o1 step bill email with o2
2026-03-05 10:00  text     o1 contains "Bank A: CNY 100.00"
2026-03-05 10:00  text     o2 lacks "CNY 101.00"
2026-03-05 12:00  credit   c1 account a2 CNY 50.00
2026-03-06 10:00  contact  o1 step T-3 email
2026-03-08 10:00  contact  o1 step T-1 email
2026-03-09 10:00  silence  o1 step T0 because condition_not_met
2026-03-09 11:30  debit    f1 o1 CNY 100.00 pending by 2026-03-09 13:00
2026-03-09 11:40  debit    f1 o1 CNY 100.00 settled
2026-03-09 11:41  pay      p1 o1 CNY 99.00 on 2026-03-09 11:40
2026-03-09 12:00  owed     o1 CNY 1.00
2026-03-10 12:00  dpd      o1 0 bucket M0 phase settled
2026-03-11 12:00  reverse  p1
2026-03-11 12:00  dpd      o1 2 bucket M1 phase grace
2026-03-11 12:00  dpd      o1 0 on 2026-03-10
2026-03-11 12:00  promise  h1 b1 CNY 20.00 on 2026-03-20 obligation o1
2026-03-14 12:00  lift     h1
2026-03-14 12:00  pay      p2 o1 CNY 100.25
"""


def test_the_full_diary_comes_true() -> None:
    """Guards the tests below: what they change is true before."""
    assert play(FULL.splitlines(), POLICIES).reasons >= {"due", "in_digest"}


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        # What is asked is not what happened.
        (" with o2", "", "it speaks of o2 as well"),
        (" with o2", " with o2 o3", "it speaks of o2 as well"),
        ("text     o1 contains", "text     o1 lacks", "the text is"),
        ("text     o2 lacks", "text     o2 contains", "the text is"),
        ("CNY 1.00", "CNY 1.01", "it is CNY 1.00"),
        ("0 bucket M0 phase settled", "0 bucket M1", "bucket M0"),
        ("0 bucket M0 phase settled", "0 phase grace", "phase settled"),
        ("2 bucket M1 phase grace", "3", "it is 2"),
        ("0 on 2026-03-10", "1 on 2026-03-10", "it is 0"),
        ("answered unchanged", "answered stored", "the answer was unchanged"),
        ("step T0 because condition_not_met", "step T0 because paid", "silent, but because of"),
        # What cannot be read.
        ("treatment huabei_like", "treatment huabei", "cannot be read"),
        ("treatment huabei_like", "treatment here.toml", "cannot be read"),
        ("treatment huabei_like", "treatment", "cannot be read"),
        ("tags=new,staff", "new,staff", "cannot be read"),
        ("mandate 8821", "mandat 8821", "cannot be read"),
        (" mandate 8821", " mandate 8821 mandate 8822", "cannot be read"),
        ("minimum 10.00", "minimum", "cannot be read"),
        ("credit   c1 account a2", "credit   c1 account", "cannot be read"),
        ("pay      p1 o1", "pay      p1 o9", "cannot be read"),
        ("pending by 2026-03-09 13:00", "pending by 2026-03-09", "cannot be read"),
        ("pending by", "flying by", "cannot be read"),
        ("o1 contains", "o1 holds", "cannot be read"),
        ("contact  o1 step bill", "contact  o1 bill", "cannot be read"),
        ("08:01  again", "08:01  again o2", "cannot be read"),
        ("lift     h1", "lift     h2", "cannot be read"),
        # What the intake refuses.
        ("CNY huabei_like", "USD huabei_like", "is kept in USD"),
        ("on 2026-03-20 obligation", "on 2026-03-01 obligation", "bad_hold"),
    ],
)  # fmt: skip
def test_a_wrong_word_of_any_verb_is_noticed(wrong: str, right: str, complaint: str) -> None:
    """Whatever is wrong in it, the story fails and says what happened instead, or that the line cannot be read."""
    assert wrong in FULL
    with pytest.raises(StoryFailed, match=complaint):
        play(FULL.replace(wrong, right, 1).splitlines(), POLICIES)


def test_a_treatment_stands_before_anything_happens() -> None:
    """It is the policy of the whole story."""
    with pytest.raises(StoryFailed, match="before the first dated line"):
        play([*DIARY.splitlines(), "treatment default"], POLICIES)


def test_the_rest_of_a_line_behind_a_hash_is_a_comment() -> None:
    """But not inside quotation marks."""
    marked = FULL.replace('"CNY 101.00"', '"# CNY" # no hash in it')
    assert play(marked.splitlines(), POLICIES).reasons >= {"due"}


def test_a_duplicate_delivery_needs_something_delivered() -> None:
    """`again` without a telling line before it is a slip of the writer."""
    with pytest.raises(StoryFailed, match="again"):
        play(["2026-03-05 08:01  again"], POLICIES)
