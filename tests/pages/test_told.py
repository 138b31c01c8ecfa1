"""Wishes and codes over the lender's API: told, read back, refused, and kept by the next reminder."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betimes.core import links
from betimes.handlers import on_request
from betimes.lab.world import TENANT
from tests.handlers.pump import Context, http
from tests.pages.deployment import KEYS, Deployment, deployment

WISHES = {
    "channels": ["sms", "email"],
    "quiet_from": "20:00:00",
    "quiet_until": "10:00:00",
    "language": "en",
    "one_reminder": True,
    "digest": True,
}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """A deployment whose API answers from the same stores."""
    made = deployment()
    monkeypatch.setattr(on_request, "WORLD", made.world)
    return made


def asked(method: str, what: str, body: Any = None, borrower: str = "b1") -> tuple[int, Any]:
    """Return status and body of the answer about a borrower."""
    path = f"/v1/{TENANT}/borrowers/{borrower}/{what}"
    event = http(method, path, None if body is None else json.dumps(body))
    answer = on_request.handler(event, Context())  # type: ignore[arg-type]  # as Lambda's
    return answer["statusCode"], json.loads(answer["body"])


def test_wishes_are_told_and_read_back(made: Deployment) -> None:
    """Before anything was told there is no wish; what is told is replaced as a whole; twice is unchanged."""
    none: dict[str, Any] = {"channels": [], "quiet_from": None, "quiet_until": None, "language": ""}
    none |= {"one_reminder": False, "digest": False, "borrower_id": "b1", "schema_version": 1}
    assert asked("GET", "preferences") == (200, none)

    assert asked("PUT", "preferences", WISHES) == (200, {"outcome": "stored"})
    assert asked("PUT", "preferences", WISHES) == (200, {"outcome": "unchanged"})
    assert asked("GET", "preferences") == (200, {**none, **WISHES})
    assert asked("PUT", "preferences", {}) == (200, {"outcome": "stored"})
    assert asked("GET", "preferences") == (200, none)


@pytest.mark.parametrize(
    ("wishes", "code", "field"),
    [
        ({"channels": ["pigeon"]}, "bad_preferences", "channels"),
        ({"channels": ["webhook"]}, "bad_preferences", "channels"),
        ({"quiet_from": "20:00"}, "bad_preferences", "quiet_from"),
        ({"quiet_from": "20:00Z", "quiet_until": "21:00Z"}, "bad_preferences", "quiet_from"),
        ({"language": "tlh"}, "bad_preferences", "language"),
        ({"quiet_from": "late"}, "bad_request", "quiet_from"),
        ({"volume": 3}, "bad_request", "volume"),
    ],
)
def test_wishes_that_cannot_be_kept_are_refused(
    made: Deployment, wishes: Any, code: str, field: str
) -> None:
    """The refusal names the field and nothing is kept."""
    before = made.pages
    status, answer = asked("PUT", "preferences", wishes)
    assert status in (400, 422)
    assert (answer["error"]["code"], answer["error"]["field"]) == (code, field)
    assert made.pages == before


def test_nobody_has_wishes_who_is_not_known(made: Deployment) -> None:
    """404 for both, and no head comes into being."""
    assert asked("GET", "preferences", borrower="b9")[0] == 404
    assert asked("PUT", "preferences", WISHES, borrower="b9")[0] == 404


def test_a_code_is_genuine_for_its_own_borrower_only(made: Deployment) -> None:
    """Staff learn which message it was; a wrong code, and the right one under another borrower, are not genuine."""
    code = links.code(KEYS, TENANT, made.contact.id)
    no = {"schema_version": 1, "genuine": False, "contact_id": None}

    status, answer = asked("GET", f"messages/{code.lower()}")
    assert (status, answer) == (200, {**no, "genuine": True, "contact_id": made.contact.id})
    assert asked("GET", "messages/0000-0000") == (200, no)
    assert asked("GET", f"messages/{code}", borrower="b2") == (200, no)
