"""Silence: whatever a person's data is put into, no error of ours repeats it.

Requests, reports, rows, hints, links and manifests are made wrong with personal data in any place of them, and services
quote it in their answers; what is raised says what is wrong, and holds nothing of what was there. The canaries are
those of the tests, and words that no pattern knows.
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betimes.adapters import failures, link_keys
from betimes.adapters.ses import Email
from betimes.adapters.sms import Sms
from betimes.core import links
from betimes.core.errors import Rejected
from betimes.core.links import Keys
from betimes.core.message import Text
from betimes.handlers import on_request
from betimes.local.invoke import memory_world
from betimes.ports import Letter
from betimes.wire import hints, manifest, reports, tape
from betimes.wire.phones import checked_address
from betimes.wire.requests import checked_id
from betimes.wire.tape import BadRow, Kind, TapeDefaults
from tests import canary
from tests.handlers.pump import Context

EVENTS: Final = Path(__file__).parents[1] / "events"
# Known by no pattern: if only these were repeated, a search for addresses and numbers would not see it.
WORD, FIGURE = "Wang-Xiaoming-7", 777_123_456
CANARIES: Final = (
    "zhao@person.example",
    "+8613912345678",
    canary.NAME,
    "CNY 1,200.00",
    WORD,
    FIGURE,
    -FIGURE,
    float(FIGURE),
    [WORD],
    {WORD: WORD},
    f"{WORD}\r\nBcc: x",
    f"{WORD}@host.example",
    f"+86{FIGURE}",
)
DEFAULTS: Final = TapeDefaults("Asia/Shanghai")
KEYS: Final = Keys(1, {1: b"a key of the tests, 32 bytes long"})
AT: Final = datetime(2026, 3, 1, tzinfo=UTC)

Place = tuple[str | int, ...]

REQUESTS: Final = sorted(EVENTS.glob("on_request*.json"))


def in_words(error: BaseException) -> str:
    """Return all that a log would say of an error of ours."""
    return canary.words_of(error)


def silent(error: BaseException) -> None:
    """Assert that an error repeats none of the canaries."""
    said = in_words(error)
    assert not canary.personal_in(said), said
    for secret in (WORD, str(FIGURE), "777,123,456"):
        assert secret not in said, said


def places(value: object, at: Place = ()) -> Iterator[Place]:
    """Yield the way to every value in a document, containers included."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from places(inner, (*at, n))


def poisoned(document: Any, at: Place, secret: object) -> Any:
    """Return a copy of a document with `secret` at a place."""
    if not at:
        return secret
    copied = copy.deepcopy(document)
    inner = copied
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = secret
    return copied


def refused(read: Callable[[], object]) -> bool:
    """Return whether `read` refuses, which it may do by an error of ours alone, and in silence."""
    try:
        read()
    except Rejected as error:
        silent(error)
        return True
    return False


def test_the_canaries_are_heard_where_somebody_repeats_them() -> None:
    """The check of the checks: an error that quotes is not silent, itself or by what it came from."""
    for secret in CANARIES:
        with pytest.raises(AssertionError):
            silent(ValueError(f"{secret!r} is wrong"))
    for chained in (True, False):
        error = Rejected("bad_email", "email", "is wrong")
        setattr(error, "__cause__" if chained else "__context__", KeyError(WORD))
        with pytest.raises(AssertionError):
            silent(error)


@given(st.sampled_from(REQUESTS), st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_request_that_is_wrong_anywhere_is_answered_without_what_it_held(
    file: Path, data: st.DataObject
) -> None:
    """As the API answers: where it is wrong and how, never what was there; nor does it stop with an error."""
    event = json.loads(file.read_text("utf-8"))
    secret = data.draw(st.sampled_from(CANARIES))
    body = json.loads(event.get("body") or "{}")
    at = data.draw(st.sampled_from([*sorted(places(body), key=repr), ("new",), (WORD,)]))
    event["body"] = json.dumps(poisoned(body, at, secret))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on_request, "WORLD", memory_world())
        answer = on_request.handler(event, Context())  # type: ignore[arg-type]  # it reads the time left alone
    if answer["statusCode"] != 200:
        error = json.loads(answer["body"])["error"]
        silent(Rejected(error["code"], error["field"], error["message"]))


REPORTS: Final = sorted(
    [*EVENTS.glob("reports/*.json"), *EVENTS.glob("on_feedback_*.json")], key=lambda file: file.name
)


@given(st.sampled_from(REPORTS), st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_report_that_is_wrong_anywhere_is_refused_in_silence(
    file: Path, data: st.DataObject
) -> None:
    """Reports name recipients and quote what their servers said: none of it is in the error."""
    found = json.loads(file.read_text("utf-8"))
    if "Records" in found:
        found = json.loads(json.loads(found["Records"][0]["body"])["Message"])
    at = data.draw(st.sampled_from(sorted(places(found), key=repr)))
    secret = data.draw(st.sampled_from(CANARIES))
    body = json.dumps(poisoned(found, at, secret))
    if data.draw(st.booleans()):
        body = json.dumps({"Type": "Notification", "Message": body})
    refused(lambda: reports.parse(body))


ROWS: Final = {
    Kind.ACCOUNTS: "account_id,borrower_id,opened_on,product,currency,limit_minor,email,phone,locale,zone,jurisdiction",
    Kind.OBLIGATIONS: "obligation_id,account_id,borrower_id,seq,issued_at,due_on,principal_minor,amount_minor",
    Kind.REPAYMENTS: "repayment_id,obligation_id,account_id,paid_at,amount_minor",
}
RIGHT: Final = {
    Kind.ACCOUNTS: "a1,b1,2024-05-06,card,CNY,100000,b1@host.example,+8613800000001,zh-CN,Asia/Shanghai,CN",
    Kind.OBLIGATIONS: "o1,a1,b1,1,2026-02-09T10:00:00+08:00,2026-03-09,1000,1000",
    Kind.REPAYMENTS: "r1,o1,a1,2026-02-10T10:00:00+08:00,1000",
}


@given(
    st.sampled_from(sorted(ROWS)),
    st.integers(0, 12),
    st.sampled_from([str(secret) for secret in CANARIES]),
)
def test_a_row_that_is_wrong_in_any_cell_is_named_by_its_line(
    kind: Kind, cell: int, secret: str
) -> None:
    """What a cell held is neither in the reason nor in the name of the field; a row that is right says nothing."""
    cells = RIGHT[kind].split(",")
    cells[cell % len(cells)] = f'"{secret.splitlines()[0]}"'
    text = f"{ROWS[kind]}\n{','.join(cells)}\n"
    for row in tape.rows(kind, io.BytesIO(text.encode()), "file.csv", DEFAULTS):
        if isinstance(row, BadRow):
            silent(Rejected(row.code, row.field, row.message))


def test_every_cell_was_wrong_for_somebody() -> None:
    """The rows above are read where nothing is wrong, and are refused where an amount or a day is a name."""
    for kind, header in ROWS.items():
        for cells in (RIGHT[kind], RIGHT[kind].replace("2026", WORD).replace("2024", WORD)):
            text = f"{header}\n{cells}\n"
            [row] = tape.rows(kind, io.BytesIO(text.encode()), "file.csv", DEFAULTS)
            assert isinstance(row, BadRow) is (WORD in cells)


@pytest.mark.parametrize("secret", [s for s in CANARIES if isinstance(s, str)])
def test_hints_links_ids_and_manifests_are_refused_in_silence(secret: str) -> None:
    """Each way in that takes a text, with somebody's data for the text and inside it."""
    wrong = [secret, json.dumps(secret), json.dumps({secret: secret}), json.dumps([secret])]
    for text in wrong:
        assert refused(partial(hints.decode, text))
        assert refused(partial(links.opened, KEYS, text, AT))
        assert refused(partial(manifest.read, text.encode()))
        refused(partial(reports.parse, text))
    assert refused(lambda: checked_id("borrower_id", f"{secret} /"))
    assert refused(lambda: checked_address("call", f"{secret} x@"))
    assert refused(lambda: checked_address("sms", f"{secret} x"))
    with pytest.raises(Exception) as caught:
        link_keys.parsed(json.dumps({"current": secret, secret: secret}))
    silent(caught.value)


@given(
    st.sampled_from([*failures.FAMILIES, failures.CANCELLED, "NobodyKnowsThis"]),
    st.sampled_from([str(secret) for secret in CANARIES]),
)
def test_what_a_service_quotes_is_not_repeated(code: str, secret: str) -> None:
    """DynamoDB and the others quote a request in their messages; our errors say operation and code alone."""
    answer = {
        "Error": {"Code": code, "Message": f"value {secret} is wrong"},
        "CancellationReasons": [{"Code": "ValidationError", "Message": secret}],
    }
    silent(failures.failure(ClientError(answer, "TransactWriteItems")))
    silent(failures.failure(EndpointConnectionError(endpoint_url=f"https://{WORD}.example")))


class _Quoting:
    """A client of a provider that fails and quotes the request."""

    exceptions = None

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            error = {"Code": self._code, "Message": f"cannot: {request!r}"}
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}, name)

        return call


@given(
    st.sampled_from([str(secret) for secret in CANARIES]),
    st.sampled_from(["MessageRejected", "InvalidParameter", "ValidationException", "NobodyKnows"]),
)
def test_what_a_provider_quotes_is_in_no_answer(secret: str, code: str) -> None:
    """An answer to a send has a code of a list, whatever address there was and whatever the provider wrote of it."""
    text = Text("email", "en", f"Subject {secret}", f"Hello {WORD}, {secret}")
    client = _Quoting(code)
    senders = (
        Email(client, sender="reminders@betimes.example", configuration_set="set"),
        Sms(client),
    )
    for sender in senders:
        for address in (secret, "zhao@person.example", "+8613912345678"):
            answer = sender.send(Letter("c_1", 1, "demo", address, text))
            silent(ValueError(repr(answer)))
