"""Consents and replies over the wire: each field arrives, from JSON and from a file, and a bad one is named."""

from __future__ import annotations

from datetime import UTC
from io import BytesIO

import pytest
from pydantic import ValidationError

from betimes.adapters.packs import keywords
from betimes.core.consent import Switch
from betimes.core.errors import Rejected
from betimes.core.keywords import Meaning
from betimes.core.rule import ConsentForm
from betimes.core.said import Act, Statement, TellConsents
from betimes.wire import tape
from betimes.wire.requests import MAX_TEXT, ConsentsIn, ReplyIn
from tests.wire.test_requests import AT, TEN, read

SAID = {"id": "s1", "act": "refuse", "at": AT}
PHONE = "+12135550100"
FULL = Statement(
    "s1",
    Act.GRANT,
    TEN,
    Switch.MARKETING,
    "sms",
    PHONE,
    ConsentForm.WRITTEN,
    "contract 7",
    "agency-7",
    "en",
    TEN.replace(year=2027),
)


def test_a_statement_with_everything() -> None:
    """Each field stands in the command."""
    told = read(
        ConsentsIn,
        consents=[
            {
                **SAID,
                "act": "grant",
                "switch": "marketing",
                "channel": "sms",
                "address": PHONE,
                "form": "written",
                "evidence": "contract 7",
                "by": "agency-7",
                "language": "en",
                "valid_until": TEN.replace(year=2027).isoformat(),
            }
        ],
    ).to_core()
    assert told == TellConsents((FULL,))
    assert told.statements[0].at.tzinfo is UTC


def test_a_bare_statement_is_about_reminders_everywhere() -> None:
    """What is left out reaches widest."""
    assert read(ConsentsIn, consents=[SAID]).to_core() == TellConsents(
        (Statement("s1", Act.REFUSE, TEN),)
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"act": "ask"},
        {"switch": "statutory"},
        {"form": "not_refused"},
        {"channel": "fax"},
        {"evidence": "x" * 201},
        {"at": "2026-03-08T10:00:00"},
        {"text": "no"},
    ],
)
def test_a_wrong_field_is_refused(wrong: dict[str, str]) -> None:
    """Nobody refuses a statutory notice, silence is no consent, and instants carry their offset."""
    with pytest.raises(ValidationError):
        read(ConsentsIn, consents=[{**SAID, **wrong}])


def test_a_refusal_names_its_statement() -> None:
    """By its place in the list; those beside it are told with it, and where there is none it is all there is to say."""
    wrong = {**SAID, "channel": "sms", "address": "138"}
    told = read(ConsentsIn, consents=[wrong, SAID, wrong]).to_core()
    assert told.statements == (Statement("s1", Act.REFUSE, TEN),)
    assert told.unread is not None
    assert (told.unread.code, told.unread.field) == ("bad_phone", "consents.0.address")
    with pytest.raises(Rejected) as caught:
        read(ConsentsIn, consents=[wrong]).to_core()
    assert (caught.value.code, caught.value.field) == ("bad_phone", "consents.0.address")


def test_a_reply_too_long_to_be_read_is_for_a_person() -> None:
    """It closes its channel as anything does that nobody understood."""
    text = "STOP" + " " * MAX_TEXT
    told = read(ReplyIn, message_id="m1", at=AT, channel="sms", text=text).to_core(keywords())
    assert told.reply.meaning is Meaning.UNSURE


def test_a_reply_is_read_and_its_text_left_behind() -> None:
    """The command has the meaning and the keyword, not the text."""
    told = read(
        ReplyIn, message_id="m1", at=AT, channel="sms", address=PHONE, text="stop!"
    ).to_core(keywords())
    assert (told.reply.meaning, told.reply.keyword) == (Meaning.STOP, "STOP")
    assert (told.message_id, told.channel, told.address, told.at) == ("m1", "sms", PHONE, TEN)


def rows(text: str) -> list[tape.Row | tape.BadRow]:
    """Return the rows of a file of consents."""
    defaults = tape.TapeDefaults("Asia/Shanghai")
    return list(tape.rows("consents", BytesIO(text.encode()), "consents.csv", defaults))


def test_a_row_of_a_file_is_a_statement() -> None:
    """With every column, and with the least."""
    full, bare, bad, worse = rows(
        "consent_id,act,at,borrower_id,switch,channel,address,form,evidence,by,language,valid_until\n"
        f"s1,grant,{TEN.isoformat()},b1,marketing,sms,{PHONE},written,contract 7,agency-7,en,"
        f"{TEN.replace(year=2027).isoformat()}\n"
        f"s1,refuse,{TEN.isoformat()},b1,,,,,,,,\n"
        f"s2,ask,{TEN.isoformat()},b1,,,,,,,,\n"
        f"s3,refuse,{TEN.isoformat()},b1,,sms,138,,,,,\n"
    )
    assert isinstance(full, tape.Row)
    assert (full.key, full.borrower_id, full.commands) == ("s1", "b1", (TellConsents((FULL,)),))
    assert isinstance(bare, tape.Row)
    assert bare.commands == (TellConsents((Statement("s1", Act.REFUSE, TEN),)),)
    assert isinstance(bad, tape.BadRow) and isinstance(worse, tape.BadRow)
    assert (bad.line, bad.key, bad.code, bad.field) == (4, "s2", "bad_word", "act")
    assert (worse.code, worse.field) == ("bad_phone", "address")


def test_consents_stand_beside_the_others_or_alone() -> None:
    """With touches too."""
    assert set(tape.kinds(["consents.csv"])) == {"consents"}
    assert set(tape.kinds(["consents.csv", "touches.csv"])) == {"consents", "touches"}
