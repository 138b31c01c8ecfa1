"""Signatures of webhooks: the published example, and that nothing else passes."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from betimes.core import webhooks
from betimes.core.errors import Rejected

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
KEY, OTHER = b"k" * 32, b"o" * 24
BODY = '{"a": "账单"}'.encode()


def test_the_published_example_comes_out() -> None:
    """Source: the Standard Webhooks reference libraries' own test of signing."""
    key = webhooks.secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1_614_265_330, UTC)
    body = b'{"test": 2432232314}'
    made = webhooks.headers([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    assert made[webhooks.SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_either_secret_opens_while_both_are_valid() -> None:
    """Sender and receiver change theirs at different times."""
    made = webhooks.headers([KEY, OTHER], "c_1", AT, BODY)
    assert len(made[webhooks.SIGNATURE].split()) == 2
    for known in ([KEY], [OTHER], [b"x" * 24, OTHER]):
        assert webhooks.verified(known, made, BODY, AT) == "c_1"


def test_a_header_that_is_no_text_is_refused_like_any_other() -> None:
    """Half a character in a header is no error of ours."""
    made = webhooks.headers([KEY], "c_1", AT, BODY)
    for part in made:
        with pytest.raises(Rejected, match="is not signed"):
            webhooks.verified([KEY], {**made, part: "\ud800"}, BODY, AT)


@given(st.sampled_from([webhooks.ID, webhooks.TIMESTAMP, webhooks.SIGNATURE, ""]), st.data())
def test_whatever_is_changed_is_refused(part: str, data: st.DataObject) -> None:
    """One character of a header, or one byte of the body, is another request."""
    made = webhooks.headers([KEY], "c_1", AT, BODY)
    body = bytearray(BODY)
    if part:
        place = data.draw(st.integers(0, len(made[part]) - 1))
        other = data.draw(st.characters(codec="ascii").filter(lambda c: c != made[part][place]))
        made[part] = made[part][:place] + other + made[part][place + 1 :]
        if part == webhooks.SIGNATURE and other.isspace():
            # Two halves are two signatures, neither of them right.
            assert len(made[part].split()) <= 2
    else:
        body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Rejected) as refused:
        webhooks.verified([KEY], made, bytes(body), AT)
    assert refused.value.code == "bad_signature"


@pytest.mark.parametrize(
    ("seconds", "works"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_request_works_for_five_minutes(seconds: int, works: bool) -> None:
    """Both ways: clocks differ."""
    made = webhooks.headers([KEY], "c_1", AT, BODY)
    now = AT + timedelta(seconds=seconds)
    if works:
        assert webhooks.verified([KEY], made, BODY, now) == "c_1"
    else:
        with pytest.raises(Rejected):
            webhooks.verified([KEY], made, BODY, now)


def test_without_headers_or_secrets_nothing_passes() -> None:
    """An empty request, and a receiver that has no secret."""
    made = webhooks.headers([KEY], "c_1", AT, BODY)
    for keys, found in (([KEY], {}), ([], made)):
        with pytest.raises(Rejected):
            webhooks.verified(keys, found, BODY, AT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        "secret",
        "whsec_???",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_secret_of_another_form_is_refused_in_silence(text: str) -> None:
    """Too short, too long, without its mark, or no base64."""
    with pytest.raises(Rejected) as refused:
        webhooks.secret(text)
    assert refused.value.code == "bad_secret"
    assert len(text) < 10 or text not in refused.value.message
