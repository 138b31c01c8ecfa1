"""Action links and message codes: what opens, what does not, and what stands in a token."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import links
from betimes.core.errors import Rejected
from betimes.core.links import LIVES, Action, Keys, Link

ONE, TWO = b"1" * 32, b"2" * 32
KEYS = Keys(1, {1: ONE})
CONTACT = "c_3mstn6oldlpszvqs5pu3z6yr6i"
ISSUED = date(2026, 3, 6)
NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)
contacts = st.from_regex(r"c_[a-z2-7]{26}", fullmatch=True)
tenants = st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True)


def link(action: Action = Action.PAY, tenant: str = "demo", contact_id: str = CONTACT) -> Link:
    """Return a link issued on the day of the tests."""
    return Link(tenant, contact_id, action, ISSUED)


def refused(token: str, keys: Keys = KEYS, now: datetime = NOON) -> str:
    """Return the words with which a token is refused."""
    with pytest.raises(Rejected) as caught:
        links.opened(keys, token, now)
    assert (caught.value.code, caught.value.field) == ("bad_link", "link")
    return caught.value.message


@given(tenants, contacts, st.sampled_from(Action), st.integers(0, 0xFFFF), st.integers(1, 255))
def test_what_is_signed_opens_as_it_was(
    tenant: str, contact_id: str, action: Action, days: int, number: int
) -> None:
    """Any link comes back from its token on the day of issue; the token is the same each time and fits a URL."""
    issued_on = links.EPOCH + timedelta(days=days)
    made = Link(tenant, contact_id, action, issued_on)
    keys = Keys(number, {number: ONE})
    token = links.token(keys, made)

    assert links.opened(keys, token, datetime.combine(issued_on, time(), UTC)) == made
    assert token == links.token(keys, made)
    assert len(token) <= links.MAX_TOKEN
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_flip_of_any_bit_is_refused() -> None:
    """Each of the bits of a token is signed, its format and key number included."""
    token = links.token(KEYS, link())
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        refused(base64.urlsafe_b64encode(bytes(flipped)).decode().rstrip("="))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "AQE",
        "a" * 257,
        "a" * 100_000,
        "ä" * 60,
        "\x00" * 60,
        "%2e%2e",
        "../../etc/passwd",
        links.token(KEYS, link())[:-1],
        links.token(KEYS, link()) + "A",
        links.token(KEYS, link()) + "=",
        links.token(KEYS, link()) + "\n",
        " " + links.token(KEYS, link()),
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    """Nothing, garbage, a cut token, one with more behind it: no error but the one refusal."""
    refused(token)


def test_every_refusal_has_the_same_words() -> None:
    """A forged, an expired and a foreign token, and garbage, cannot be told apart by who tries them."""
    old = links.token(KEYS, link())
    words = {
        refused("x"),
        refused(links.token(Keys(1, {1: TWO}), link())),
        refused(links.token(Keys(2, {2: ONE}), link())),
        refused(old, now=NOON + timedelta(days=400)),
    }
    assert len(words) == 1


def test_no_tenant_opens_the_links_of_another() -> None:
    """A payload that is put under another tenant's name does not open, though the key of the deployment is one."""
    raw = base64.urlsafe_b64decode(links.token(KEYS, link(tenant="lender-a")) + "==")
    assert b"lender-a" in raw
    swapped = base64.urlsafe_b64encode(raw.replace(b"lender-a", b"lender-b")).decode()
    refused(swapped.rstrip("="))


@pytest.mark.parametrize("action", Action)
def test_a_link_works_to_the_end_of_its_last_day(action: Action) -> None:
    """It opens on its last day (UTC) to the last microsecond, and no more on the next; a day early for slow clocks."""
    token = links.token(KEYS, link(action))
    ends = datetime.combine(ISSUED + timedelta(days=LIVES[action] + 1), time(), UTC)

    assert links.opened(KEYS, token, ends - timedelta(microseconds=1)).action is action
    refused(token, now=ends)
    assert links.opened(KEYS, token, NOON - timedelta(days=1)).action is action
    refused(token, now=NOON - timedelta(days=2))


def test_unsubscribing_works_for_a_year_and_paying_for_less() -> None:
    """What takes somebody off a list outlives what speaks of one bill."""
    assert LIVES[Action.UNSUBSCRIBE] == LIVES[Action.WRONG_PERSON] == 365
    assert all(LIVES[action] < 365 for action in (Action.PAY, Action.PROMISE, Action.DISPUTE))


def test_two_keys_live_side_by_side() -> None:
    """After a change of keys old links open with the old key, new ones are signed with the new one."""
    old = links.token(KEYS, link())
    both = Keys(2, {1: ONE, 2: TWO})

    assert links.opened(both, old, NOON) == link()
    assert links.opened(both, links.token(both, link()), NOON) == link()
    refused(links.token(both, link()), keys=KEYS)
    refused(old, keys=Keys(2, {2: TWO}))


def test_a_token_holds_no_personal_data_and_keys_show_in_no_repr() -> None:
    """Tenant, contact, action and day are all there is; the borrower, the debt and the key are not."""
    raw = base64.urlsafe_b64decode(links.token(KEYS, link()) + "=" * 8)
    assert len(raw) == 5 + 17 + len("demo") + links.MAC
    assert "1111" not in repr(KEYS)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (link(tenant="a#b"), "bad_id"),
        (link(contact_id="b-1001"), "bad_id"),
        (Link("demo", CONTACT, Action.PAY, date(1999, 12, 31)), "bad_date"),
        (Link("demo", CONTACT, Action.PAY, date(2200, 1, 1)), "bad_date"),
    ],
)
def test_what_cannot_be_signed_is_refused(made: Link, code: str) -> None:
    """A borrower's id in the place of a contact, or a day out of range, gives no token."""
    with pytest.raises(Rejected) as caught:
        links.token(KEYS, made)
    assert caught.value.code == code


def test_short_keys_and_missing_ones_are_errors_of_ours() -> None:
    """A key of 31 bytes, a number beyond a byte, and a current key that is not there."""
    for current, secrets in ((1, {1: b"x" * 31}), (256, {256: ONE}), (2, {1: ONE})):
        with pytest.raises(AssertionError):
            Keys(current, secrets)


@given(contacts)
def test_a_code_is_read_however_it_is_typed(contact_id: str) -> None:
    """Small letters, no hyphen, spaces, O for 0, l for 1 and full width are the same code."""
    code = links.code(KEYS, "demo", contact_id)
    assert len(code) == 9
    assert not set(code) & set("ILOU")
    wide = "".join(chr(ord(each) + 0xFEE0) if each != "-" else "－" for each in code)
    for typed in (
        code,
        code.lower(),
        code.replace("-", ""),
        f"  {code[:4]} {code[5:]} ",
        code.replace("0", "o").replace("1", "l"),
        wide,
    ):
        assert links.is_code(KEYS, "demo", contact_id, typed), typed


def test_a_code_fits_one_message_of_one_tenant() -> None:
    """Another message, another tenant, another key and half a code do not fit; the old key's code does."""
    code = links.code(KEYS, "demo", CONTACT)
    other = "c_" + "a" * 26

    assert not links.is_code(KEYS, "demo", other, code)
    assert not links.is_code(KEYS, "other", CONTACT, code)
    assert not links.is_code(Keys(1, {1: TWO}), "demo", CONTACT, code)
    assert links.is_code(Keys(2, {1: ONE, 2: TWO}), "demo", CONTACT, code)
    for wrong in ("", code[:4], code + "0", "!" * 8, "x" * 10_000, code[:-1] + "*"):
        assert not links.is_code(KEYS, "demo", CONTACT, wrong), wrong


HOSTS = ("pay.example", "shop.example")


@pytest.mark.parametrize(
    "url",
    ["https://pay.example", "https://pay.example/a?b=c", "https://shop.example:443/x"],
)
def test_an_address_of_the_lender_is_taken(url: str) -> None:
    """An address by https on a host of the list."""
    assert links.checked_url(url, HOSTS) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://pay.example/",
        "javascript:alert(1)",
        "//pay.example/",
        "https://evil.example/",
        "https://pay.example.evil.example/",
        "https://pay.example@evil.example/",
        "https://evil.example#pay.example",
        "https://pay.example\\.evil.example/",
        "https://pay.example:8443/",
        "https://pay.example:x/",
        "https://pay.example/#x",
        "https://pay.example/\n",
        'https://pay.example/"onload="',
        "https://[::1/",
        "https://pаy.example/",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """Another scheme, host, port or form; the refusal does not repeat it."""
    with pytest.raises(Rejected) as caught:
        links.checked_url(url, HOSTS)
    assert caught.value.code == "bad_url"
    assert "evil" not in str(caught.value)
