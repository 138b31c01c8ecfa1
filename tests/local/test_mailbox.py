"""What reached people, read back as it was sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from betimes.adapters.ses import Email
from betimes.adapters.sms import Sms
from betimes.core.message import Text
from betimes.local.emulator import Emulator
from betimes.local.host import PAGE
from betimes.local.mailbox import Delivered, delivered
from betimes.ports import Accepted, Letter
from tests.local.conftest import ROOT, Cloud

CHINESE = Text("email", "zh-CN", "账单提醒", "您的账单 ¥12.00 将于明天到期。\n谢谢。\n")


def letter(contact_id: str, address: str) -> Letter:
    """Return a letter with a Chinese text."""
    return Letter(contact_id, 2, "acme", address, CHINESE)


def test_a_mail_and_an_sms_come_back_as_they_were_sent(cloud: Cloud) -> None:
    """Address, subject, text, contact id, tags and the provider's id are those of the sender."""
    emulator = cloud.emulator
    emulator.client("sesv2").create_email_identity(EmailIdentity="lender.example")
    mails = Email(
        emulator.client("sesv2"), sender="Lender <bills@lender.example>", configuration_set="set"
    )
    mail = mails.send(letter("c_1", "b1@example.com"))
    sms = Sms(emulator.client("sns")).send(letter("c_2", "+8613800000000"))
    assert isinstance(mail, Accepted)
    assert isinstance(sms, Accepted)
    first, second = delivered(emulator)
    assert (first.channel, first.contact_id, first.to) == ("email", "c_1", "b1@example.com")
    assert (first.subject, first.text.strip()) == (CHINESE.subject, CHINESE.body.strip())
    assert first.tags == {"contact_id": "c_1", "attempt": "2", "tenant": "acme"}
    assert (first.source, first.configuration_set) == ("bills@lender.example", "set")
    assert first.provider_id == mail.provider_id
    assert (second.channel, second.contact_id, second.to) == ("sms", "", "+8613800000000")
    assert second.text == CHINESE.body
    assert second.provider_id == sms.provider_id
    assert abs(second.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_more_messages_than_a_page_are_all_read(cloud: Cloud) -> None:
    """A second page is asked for; `after` skips what is known; the order is that of acceptance."""
    sender = Sms(cloud.emulator.client("sns"))
    numbers = [f"+86138{number:08d}" for number in range(PAGE + 3)]
    for number in numbers:
        sender.send(letter("c_1", number))
    found: list[Delivered] = delivered(cloud.emulator)
    assert [message.to for message in found] == numbers
    assert delivered(cloud.emulator, after=PAGE) == found[PAGE:]


def test_the_time_is_that_of_the_functions() -> None:
    """With a shifted clock a message is accepted at the shifted time."""
    with Emulator(ROOT, clock_offset_s=86_400) as emulator:
        Sms(emulator.client("sns")).send(letter("c_1", "+8613800000000"))
        (message,) = delivered(emulator)
    assert abs(message.at - datetime.now(UTC) - timedelta(days=1)) < timedelta(minutes=1)
