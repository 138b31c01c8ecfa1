"""on_request: the HTTP API through which lenders tell us things and ask what we did.

    PUT /v1/{tenant}/borrowers/{borrower}
    PUT /v1/{tenant}/borrowers/{borrower}/accounts/{account}
    PUT /v1/{tenant}/borrowers/{borrower}/accounts/{account}/loan
    PUT /v1/{tenant}/borrowers/{borrower}/accounts/{account}/statements/{month}
    PUT /v1/{tenant}/borrowers/{borrower}/obligations/{obligation}
    PUT /v1/{tenant}/borrowers/{borrower}/obligations/{obligation}/amendments/{revision}
    PUT /v1/{tenant}/borrowers/{borrower}/obligations/{obligation}/entry
    PUT /v1/{tenant}/borrowers/{borrower}/repayments/{repayment}
    PUT /v1/{tenant}/borrowers/{borrower}/repayments/{repayment}/reversal
    PUT /v1/{tenant}/borrowers/{borrower}/flights/{flight}
    PUT /v1/{tenant}/borrowers/{borrower}/holds/{hold}
    PUT /v1/{tenant}/borrowers/{borrower}/holds/{hold}/lift
    POST /v1/{tenant}/borrowers/{borrower}/touches
    POST /v1/{tenant}/borrowers/{borrower}/may-contact
    POST /v1/{tenant}/borrowers/{borrower}/consents
    GET /v1/{tenant}/borrowers/{borrower}/consents
    POST /v1/{tenant}/borrowers/{borrower}/replies
    PUT /v1/{tenant}/feed
    GET /v1/{tenant}/suppressions
    POST /v1/{tenant}/suppressions
    POST /v1/{tenant}/suppressions/releases
    GET /v1/{tenant}/borrowers/{borrower}/timeline
    PUT /v1/{tenant}/borrowers/{borrower}/preferences
    GET /v1/{tenant}/borrowers/{borrower}/preferences
    GET /v1/{tenant}/borrowers/{borrower}/messages/{code}
    GET /v1/{tenant}/borrowers/{borrower}/inbox
    POST /v1/{tenant}/borrowers/{borrower}/acknowledgements
    GET /v1/{tenant}/webhook
    PUT /v1/{tenant}/webhook/on

Every PUT and POST may be repeated: the ids are the caller's; those of touches, consents and replies stand in the body.
Callers sign with IAM, and the tenant stands in the path, so a policy on the path keeps tenants apart.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import asdict
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from betimes import wiring
from betimes.core import zones
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.inbox import MAX_PAGE
from betimes.core.intake import Command, Outcome
from betimes.core.suppression import Scope
from betimes.flows import feed, holds, openings
from betimes.flows.answer import message_of
from betimes.flows.endpoints import switch_on
from betimes.flows.intake import Told
from betimes.flows.permission import may_contact
from betimes.flows.preferences import prefer, preferences_of
from betimes.flows.timeline import timeline
from betimes.handlers.batches import logger
from betimes.wire.answers import (
    consents_out,
    endpoint_out,
    inbox_out,
    listed_out,
    page_mark,
    permission_out,
    place_in,
    preferences_out,
    reply_out,
)
from betimes.wire.openings import LoanIn, StatementIn
from betimes.wire.requests import (
    AccountIn,
    AcknowledgementsIn,
    AmendmentIn,
    BorrowerIn,
    ConsentsIn,
    EntryIn,
    FeedIn,
    FlightIn,
    HoldIn,
    LiftIn,
    ObligationIn,
    PreferencesIn,
    ReleaseIn,
    RepaymentIn,
    ReplyIn,
    ReversalIn,
    SuppressionIn,
    TouchesIn,
    WantedIn,
    checked_id,
)

WORLD = wiring.from_environment()
app = APIGatewayHttpResolver()

# The names of our fields, and of those that are nearly ours; anything else may be what the field was to hold.
_KEY = re.compile(r"[a-z][a-z_]{0,39}")

# Addresses of a page of the list.
_LIST_PAGE = 100
# Messages of a page of an inbox, where nobody says how many.
_INBOX_PAGE = 20
_BORROWER = "/v1/<tenant>/borrowers/<borrower_id>"
# Statuses by code; what is understood and wrong in itself is 422.
_STATUS = {
    **dict.fromkeys(("bad_request", "bad_id", "bad_page"), 400),
    **dict.fromkeys(
        (
            "unknown_borrower",
            "unknown_account",
            "unknown_obligation",
            "unknown_repayment",
            "unknown_hold",
            "unknown_consent",
            "unknown_contact",
        ),
        404,
    ),
    **dict.fromkeys(
        (
            "duplicate_id",
            "account_taken",
            "currency_changed",
            "flight_ended",
            "hold_lifted",
            "too_many_open",
            "too_many_consents",
            "not_sent",
            "not_suppressed",
        ),
        409,
    ),
}

Model = TypeVar("Model", bound=BaseModel)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the HTTP API."""
    answer = app.resolve(event, context)
    logger.info("on_request", extra={"status": answer["statusCode"]})
    return answer


@app.put(_BORROWER)
def put_borrower(tenant: str, borrower_id: str) -> Response[str]:
    """Create or replace a borrower."""
    return _tell(tenant, borrower_id, "", _body(BorrowerIn).to_core())


@app.put(f"{_BORROWER}/accounts/<account_id>")
def put_account(tenant: str, borrower_id: str, account_id: str) -> Response[str]:
    """Create or replace an account of a borrower."""
    account_id = checked_id("account_id", account_id)
    return _tell(tenant, borrower_id, account_id, _body(AccountIn).to_core(account_id))


@app.put(f"{_BORROWER}/accounts/<account_id>/loan")
def put_loan(tenant: str, borrower_id: str, account_id: str) -> Response[str]:
    """Open a loan by its terms, and take in what was paid on it ahead of time."""
    place = _account(tenant, borrower_id, account_id)
    loan = _body(LoanIn).to_core()
    outcome = openings.tell_loan(WORLD.intake, *place, loan, WORLD.clock.now())
    return _answer(200, {"outcome": outcome})


@app.put(f"{_BORROWER}/accounts/<account_id>/statements/<month>")
def put_statement(tenant: str, borrower_id: str, account_id: str, month: str) -> Response[str]:
    """Make the bill of a month of what stands on it."""
    place = _account(tenant, borrower_id, account_id)
    bill = _body(StatementIn).to_core(month)
    outcome = openings.tell_bill(WORLD.intake, *place, bill, WORLD.clock.now())
    return _answer(200, {"outcome": outcome})


@app.put(f"{_BORROWER}/obligations/<obligation_id>")
def put_obligation(tenant: str, borrower_id: str, obligation_id: str) -> Response[str]:
    """Create an obligation."""
    body = _body(ObligationIn)
    command = body.to_core(checked_id("obligation_id", obligation_id))
    return _tell(tenant, borrower_id, body.account_id, command)


@app.put(f"{_BORROWER}/obligations/<obligation_id>/amendments/<revision>")
def put_amendment(
    tenant: str, borrower_id: str, obligation_id: str, revision: str
) -> Response[str]:
    """Change what an obligation comes to, or when it is due."""
    obligation_id = checked_id("obligation_id", obligation_id)
    return _tell(tenant, borrower_id, "", _body(AmendmentIn).to_core(obligation_id, revision))


@app.put(f"{_BORROWER}/obligations/<obligation_id>/entry")
def put_entry(tenant: str, borrower_id: str, obligation_id: str) -> Response[str]:
    """Choose from when on a debt may be spoken of that was overdue when it was first told."""
    obligation_id = checked_id("obligation_id", obligation_id)
    return _tell(tenant, borrower_id, "", _body(EntryIn).to_core(obligation_id))


@app.put(f"{_BORROWER}/repayments/<repayment_id>")
def put_repayment(tenant: str, borrower_id: str, repayment_id: str) -> Response[str]:
    """Record a repayment."""
    body = _body(RepaymentIn)
    command = body.to_core(checked_id("repayment_id", repayment_id))
    return _tell(tenant, borrower_id, body.account_id, command)


@app.put(f"{_BORROWER}/repayments/<repayment_id>/reversal")
def put_reversal(tenant: str, borrower_id: str, repayment_id: str) -> Response[str]:
    """Take a repayment back."""
    command = _body(ReversalIn).to_core(checked_id("repayment_id", repayment_id))
    return _tell(tenant, borrower_id, "", command)


@app.put(f"{_BORROWER}/flights/<flight_id>")
def put_flight(tenant: str, borrower_id: str, flight_id: str) -> Response[str]:
    """Tell of money under way, or how far it has got."""
    body = _body(FlightIn)
    command = body.to_core(checked_id("flight_id", flight_id))
    return _tell(tenant, borrower_id, body.account_id, command)


@app.put(f"{_BORROWER}/holds/<hold_id>")
def put_hold(tenant: str, borrower_id: str, hold_id: str) -> Response[str]:
    """Set a hold, and say which contacts had gone out inside it before it was told."""
    command = _body(HoldIn).to_core(checked_id("hold_id", hold_id))
    outcome = _told(tenant, borrower_id, "", command)
    hold = WORLD.stores.book.pages(tenant, borrower_id).holds[hold_id]
    inside = holds.sent_inside(WORLD.stores, tenant, borrower_id, hold)
    return _answer(200, {"outcome": outcome, "sent_inside": inside})


@app.put(f"{_BORROWER}/holds/<hold_id>/lift")
def put_lift(tenant: str, borrower_id: str, hold_id: str) -> Response[str]:
    """End a hold."""
    command = _body(LiftIn).to_core(checked_id("hold_id", hold_id))
    return _tell(tenant, borrower_id, "", command)


@app.post(f"{_BORROWER}/touches")
def post_touches(tenant: str, borrower_id: str) -> Response[str]:
    """Count what has been between the borrower and callers outside the platform."""
    return _tell(tenant, borrower_id, "", _body(TouchesIn).to_core())


@app.post(f"{_BORROWER}/may-contact")
def post_may_contact(tenant: str, borrower_id: str) -> Response[str]:
    """Say whether somebody may contact the borrower now, and keep room for it where that is asked."""
    of = _borrower(tenant, borrower_id)
    wanted = _body(WantedIn).to_core()
    said = may_contact(WORLD.stores, WORLD.policies, *of, wanted, WORLD.clock.now())
    return _answer(200, permission_out(said, wanted))


@app.post(f"{_BORROWER}/consents")
def post_consents(tenant: str, borrower_id: str) -> Response[str]:
    """Hear what the borrower agreed to, refused or took back."""
    return _tell(tenant, borrower_id, "", _body(ConsentsIn).to_core())


@app.get(f"{_BORROWER}/consents")
def get_consents(tenant: str, borrower_id: str) -> Response[str]:
    """Return all that the borrower agreed to and refused, in order of telling."""
    pages = WORLD.stores.book.pages(*_borrower(tenant, borrower_id))
    if pages.head is None:
        raise Rejected("unknown_borrower", "borrower_id", "this borrower is not known")
    return _answer(200, consents_out(borrower_id, pages.consents))


@app.post(f"{_BORROWER}/replies")
def post_reply(tenant: str, borrower_id: str) -> Response[str]:
    """Hear what the borrower answered, and do what it asks for."""
    command = _body(ReplyIn).to_core(WORLD.policies.keywords)
    outcome = _told(tenant, borrower_id, "", command)
    return _answer(200, reply_out(outcome, command.reply))


@app.put(f"{_BORROWER}/preferences")
def put_preferences(tenant: str, borrower_id: str) -> Response[str]:
    """Replace what the borrower asks of us."""
    of = _borrower(tenant, borrower_id)
    wishes = _body(PreferencesIn).to_core()
    return _answer(200, {"outcome": prefer(WORLD.intake, *of, wishes, WORLD.clock.now())})


@app.get(f"{_BORROWER}/preferences")
def get_preferences(tenant: str, borrower_id: str) -> Response[str]:
    """Return what the borrower asks of us."""
    wishes = preferences_of(WORLD.stores, *_borrower(tenant, borrower_id))
    return _answer(200, preferences_out(borrower_id, wishes))


@app.get(f"{_BORROWER}/messages/<code>")
def get_message(tenant: str, borrower_id: str, code: str) -> Response[str]:
    """Say whether a code is that of a message to this borrower, and of which: for staff on the telephone."""
    tenant, borrower_id = _borrower(tenant, borrower_id)
    records = WORLD.stores.ledger.of_borrower(tenant, borrower_id)
    found = message_of(WORLD.key_ring.keys(), records, tenant, code)
    return _answer(200, {"schema_version": 1, "genuine": bool(found), "contact_id": found or None})


@app.get(f"{_BORROWER}/inbox")
def get_inbox(tenant: str, borrower_id: str) -> Response[str]:
    """Return a page of the borrower's inbox, newest first, for the lender's app; nothing counts as seen by it."""
    of = _borrower(tenant, borrower_id)
    query = app.current_event.query_string_parameters or {}
    limit = query.get("limit", str(_INBOX_PAGE))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= MAX_PAGE):
        raise Rejected("bad_page", "limit", f"limit is a whole number from 1 to {MAX_PAGE}")
    after = place_in(query.get("after", "")[:256])
    shown = WORLD.reading.show(*of, WORLD.clock.now(), limit=int(limit), after=after)
    return _answer(200, inbox_out(of[1], shown.listing, shown.unread))


@app.post(f"{_BORROWER}/acknowledgements")
def post_acknowledgements(tenant: str, borrower_id: str) -> Response[str]:
    """Hear from the lender's app what became of messages that it shows: of the inbox, and pushed."""
    of = _borrower(tenant, borrower_id)
    told = _body(AcknowledgementsIn).to_core()
    heard = WORLD.reading.acknowledge(*of, told, WORLD.clock.now())
    return _answer(200, {"outcomes": heard})


@app.get("/v1/<tenant>/webhook")
def get_webhook(tenant: str) -> Response[str]:
    """Say how the tenant's own server has answered, and whether anything is sent to it."""
    return _answer(200, endpoint_out(WORLD.endpoints.endpoint(checked_id("tenant", tenant))))


@app.put("/v1/<tenant>/webhook/on")
def put_webhook_on(tenant: str) -> Response[str]:
    """Let messages go to the tenant's own server again."""
    return _answer(200, endpoint_out(switch_on(WORLD.endpoints, checked_id("tenant", tenant))))


@app.put("/v1/<tenant>/feed")
def put_feed(tenant: str) -> Response[str]:
    """Hear up to when the tenant's repayments are complete."""
    until = _body(FeedIn).complete_until
    tenant = checked_id("tenant", tenant)
    return _answer(200, {"outcome": feed.complete(WORLD.stores, tenant, until, WORLD.clock.now())})


@app.get("/v1/<tenant>/suppressions")
def get_suppressions(tenant: str) -> Response[str]:
    """Return a page of the addresses of which anything is known, each under its blind index."""
    tenant = checked_id("tenant", tenant)
    query = app.current_event.query_string_parameters or {}
    after = place_in(query.get("after", "")[:256])
    page = WORLD.address_list.page(tenant, limit=_LIST_PAGE, after=after)
    mark = page_mark(page.after) or None
    rows = [listed_out(listed) for listed in page.rows]
    return _answer(200, {"schema_version": 1, "suppressions": rows, "after": mark})


@app.post("/v1/<tenant>/suppressions")
def post_suppression(tenant: str) -> Response[str]:
    """Close an address for a scope; told again it changes nothing."""
    tenant, body, kept = checked_id("tenant", tenant), _body(SuppressionIn), WORLD.address_list
    index = kept.index(tenant, body.channel, body.plain)
    scope, who = Scope(body.scope), (body.by, body.reason)
    listed = kept.add(tenant, index, body.channel, scope, *who, WORLD.clock.now())
    return _answer(200, {"schema_version": 1, **listed_out(listed)})


@app.post("/v1/<tenant>/suppressions/releases")
def post_release(tenant: str) -> Response[str]:
    """Release an address, and make the contact points active again that were closed for it."""
    tenant, body, kept = checked_id("tenant", tenant), _body(ReleaseIn), WORLD.address_list
    plain = body.plain
    index = kept.index(tenant, body.channel, plain) if plain else body.index
    scope, who = Scope(body.scope) if body.scope else None, (body.by, body.reason)
    listed = kept.release(tenant, index, body.channel, scope, *who, WORLD.clock.now())
    return _answer(200, {"schema_version": 1, **listed_out(listed)})


@app.get(f"{_BORROWER}/timeline")
def get_timeline(tenant: str, borrower_id: str) -> Response[str]:
    """Return every decision and contact of a borrower with its reason, oldest first."""
    tenant, borrower_id = checked_id("tenant", tenant), checked_id("borrower_id", borrower_id)
    if WORLD.stores.book.pages(tenant, borrower_id).head is None:
        raise Rejected("unknown_borrower", "borrower_id", "this borrower is not known")
    entries = [
        {**asdict(entry), "at": zones.to_text(entry.at)}
        for entry in timeline(WORLD.stores.ledger, tenant, borrower_id)
    ]
    return _answer(200, {"schema_version": 1, "borrower_id": borrower_id, "timeline": entries})


@app.exception_handler(Rejected)
def rejected(error: Rejected) -> Response[str]:
    """Say what is wrong with the request and the way out."""
    return _refusal(_STATUS.get(error.code, 422), error)


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    """Answer a route that is none of ours like every other error."""
    nothing = "there is nothing under this method and path"
    return _refusal(404, Rejected("unknown_route", "", nothing))


@app.exception_handler([Unavailable, Stale])
def unavailable(error: Unavailable | Stale) -> Response[str]:
    """Ask the caller to come back: nothing of the request is half stored."""
    after_s = error.retry_after_s if isinstance(error, Unavailable) else 1
    later = Rejected("unavailable", "", "try again in a moment")
    return _refusal(503, later, {"Retry-After": str(after_s)})


def _borrower(tenant: str, borrower_id: str) -> tuple[str, str]:
    """Return the ids of a borrower's path."""
    return checked_id("tenant", tenant), checked_id("borrower_id", borrower_id)


def _account(tenant: str, borrower_id: str, account_id: str) -> tuple[str, str, str]:
    """Return the ids of an account's path."""
    return (
        checked_id("tenant", tenant),
        checked_id("borrower_id", borrower_id),
        checked_id("account_id", account_id),
    )


def _tell(tenant: str, borrower_id: str, account_id: str, command: Command) -> Response[str]:
    return _answer(200, {"outcome": _told(tenant, borrower_id, account_id, command)})


def _told(tenant: str, borrower_id: str, account_id: str, command: Command) -> Outcome:
    tenant, borrower_id = checked_id("tenant", tenant), checked_id("borrower_id", borrower_id)
    told = Told(account_id, borrower_id, (command,))
    [answer] = WORLD.intake.take_in(tenant, [told], WORLD.clock.now())
    if isinstance(answer, Rejected):
        raise answer
    return answer


def _body(model: type[Model]) -> Model:
    """Return the request's body as `model`; a refusal names fields, never what they hold."""
    body = _raw_body()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"] == "extra_forbidden":
            raise _unknown(first["loc"], model) from None
        place = ".".join(str(part) for part in first["loc"])
        raise Rejected("bad_request", place, f"{place or 'body'}: {first['msg']}") from None


def _raw_body() -> str | bytes:
    """Return the body as it was sent: the HTTP API encodes one whose content type it does not take for text.

    Raises:
        Rejected: code "bad_request", where it is said to be base64 and is none.
    """
    event = app.current_event
    body = event.body or ""
    if not event.is_base64_encoded:
        return body
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("bad_request", "", "the body is said to be base64 and is none") from None


def _unknown(place: tuple[int | str, ...], model: type[BaseModel]) -> Rejected:
    """Return the refusal of a key that is not known, which is named where it looks like a name."""
    *above, key = place
    inside = ".".join(str(part) for part in above)
    if not _KEY.fullmatch(str(key)):
        return Rejected("bad_request", inside, f"{inside or 'body'}: holds a field that is unknown")
    field = ".".join(str(part) for part in place)
    known = f"; the body takes {', '.join(model.model_fields)} and nothing else"
    return Rejected("bad_request", field, f"{field}: is unknown{'' if above else known}")


def _refusal(status: int, why: Rejected, headers: dict[str, str] | None = None) -> Response[str]:
    problem = {"code": why.code, "field": why.field, "message": why.message}
    return _answer(status, {"error": problem}, headers)


def _answer(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Response[str]:
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(body, ensure_ascii=False),
        headers=dict(headers or {}),
    )
