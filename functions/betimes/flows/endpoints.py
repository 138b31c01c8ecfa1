"""Endpoints in use: nothing is sent to one that is off, each answer is kept, and a person switches it on again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from betimes.core.endpoints import GONE, IS_OFF, NOT_ASKED, Endpoint, Outcome
from betimes.core.errors import Stale, Unavailable
from betimes.core.values import dataclass, replace
from betimes.ports import Accepted, Answer, Clock, Endpoints, Letter, Refused, Sender

# Tries against other workers who tell of the same endpoint.
MAX_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Watched:
    """A sender of webhooks whose answers are kept (`ports.Sender`). `url_of` gives the address of a tenant's server, ""
    where there is none.
    """

    sender: Sender
    endpoints: Endpoints
    url_of: Callable[[str], str]
    clock: Clock

    def send(self, letter: Letter) -> Answer:
        """Return what the sender answers; see `ports.Sender`.

        Without any request it returns Refused "endpoint_off" for an endpoint that is off, so that the step takes its
        next channel, and "no_secret" where nobody can say.
        """
        try:
            url = self.url_of(letter.tenant)
            known = self.endpoints.endpoint(letter.tenant)
        except Unavailable:
            return Refused("no_secret", may_retry=True)
        if url and known.at(url).is_off:
            return Refused(IS_OFF, may_retry=False)
        answer = self.sender.send(letter)
        outcome = outcome_of(answer)
        if url and outcome is not None:
            self._keep(known, url, outcome)
        return answer

    def _keep(self, known: Endpoint, url: str, outcome: Outcome) -> None:
        """Keep what an answer says. Where that cannot be written it is left to the next one: nothing may come between
        an answer and its contact.
        """
        try:
            for _ in range(MAX_TRIES):
                before = known.at(url)
                after = before.after(outcome, self.clock.now())
                if after == before:
                    return
                try:
                    self.endpoints.save(replace(after, version=known.version + 1))
                except Stale:
                    known = self.endpoints.endpoint(known.tenant)
                    continue
                return
        except Unavailable:
            return


def outcome_of(answer: Answer) -> Outcome | None:
    """Return what an answer says of the endpoint, None where it was not asked."""
    if isinstance(answer, Accepted):
        return Outcome.SUCCESS
    if isinstance(answer, Refused) and answer.code in NOT_ASKED:
        return None
    if isinstance(answer, Refused) and answer.code == GONE:
        return Outcome.GONE
    return Outcome.FAILURE


def switch_on(endpoints: Endpoints, tenant: str) -> Endpoint:
    """Let a tenant's endpoint be asked again, and return it; repeatable.

    Raises:
        Unavailable: out of reach, or other writers kept winning; it may be repeated.
    """
    for _ in range(MAX_TRIES):
        known = endpoints.endpoint(tenant)
        on = known.switched_on()
        if on is known:
            return known
        on = replace(on, version=known.version + 1)
        try:
            endpoints.save(on)
        except Stale:
            continue
        return on
    raise Unavailable("other writers kept winning for one endpoint")
