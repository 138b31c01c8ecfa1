"""on_request: the HTTP API through which lenders tell us things and ask what we did.

    PUT /v1/{tenant}/borrowers/{borrower}
    PUT /v1/{tenant}/borrowers/{borrower}/accounts/{account}
    PUT /v1/{tenant}/borrowers/{borrower}/obligations/{obligation}
    PUT /v1/{tenant}/borrowers/{borrower}/repayments/{repayment}
    PUT /v1/{tenant}/borrowers/{borrower}/repayments/{repayment}/reversal
    GET /v1/{tenant}/borrowers/{borrower}/timeline

Every PUT may be repeated: the ids are the caller's. Callers sign with IAM, and the tenant stands in the path, so a
policy on the path keeps tenants apart.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, ValidationError

from betimes import wiring
from betimes.core import zones
from betimes.core.errors import Rejected, Stale, Unavailable
from betimes.core.intake import Command
from betimes.flows.intake import Told
from betimes.flows.timeline import timeline
from betimes.handlers.batches import logger
from betimes.wire.requests import (
    AccountIn,
    BorrowerIn,
    ObligationIn,
    RepaymentIn,
    ReversalIn,
    checked_id,
)

WORLD = wiring.from_environment()
app = APIGatewayHttpResolver()

_BORROWER = "/v1/<tenant>/borrowers/<borrower_id>"
# Statuses by code; what is understood and wrong in itself is 422.
_STATUS = {
    **dict.fromkeys(("bad_request", "bad_id"), 400),
    **dict.fromkeys(("unknown_borrower", "unknown_account", "unknown_repayment"), 404),
    **dict.fromkeys(("duplicate_id", "account_taken", "currency_changed"), 409),
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


@app.put(f"{_BORROWER}/obligations/<obligation_id>")
def put_obligation(tenant: str, borrower_id: str, obligation_id: str) -> Response[str]:
    """Create an obligation."""
    body = _body(ObligationIn)
    command = body.to_core(checked_id("obligation_id", obligation_id))
    return _tell(tenant, borrower_id, body.account_id, command)


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


def _tell(tenant: str, borrower_id: str, account_id: str, command: Command) -> Response[str]:
    tenant, borrower_id = checked_id("tenant", tenant), checked_id("borrower_id", borrower_id)
    told = Told(account_id, borrower_id, (command,))
    [answer] = WORLD.intake.take_in(tenant, [told], WORLD.clock.now())
    if isinstance(answer, Rejected):
        raise answer
    return _answer(200, {"outcome": answer})


def _body(model: type[Model]) -> Model:
    """Return the request's body as `model`; a refusal names our fields, never theirs and never what they hold."""
    event = app.current_event
    # The HTTP API encodes a body whose content type it does not take for text.
    body = base64.b64decode(event.body or "") if event.is_base64_encoded else event.body or ""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"] == "extra_forbidden":
            known = f"the body takes {', '.join(model.model_fields)} and nothing else"
            raise Rejected("bad_request", "", known) from None
        place = ".".join(str(part) for part in first["loc"])
        raise Rejected("bad_request", place, f"{place or 'body'}: {first['msg']}") from None


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
