"""What the law has against the words of a message: asked of the exact text, just before it is sent.

A template is asked before it is used (`betimes check`), and only figures change in it from then on, which are no words;
but the names of lenders and creditors are words that nobody knew before. So each rendered text is put before the
content rules of all jurisdictions that bind, as of the instant of sending. What a locked screen shows of it follows
from its template alone, and is worked out once for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from betimes.core.book import Snapshot
from betimes.core.decision import Facts
from betimes.core.message import Body, Text
from betimes.core.rule import Kind, Purpose, Recipient, Stage, Status
from betimes.core.rules import Rules, request
from betimes.core.treatment import Step
from betimes.core.values import replace
from betimes.core.wording import Finding, Wording, lint, preview_of

# Of what is private no pack says anything, so it is the same on every day.
_ANY_DAY: Final = date(2000, 1, 1)
# Who is told is asked with the words: what may be said to one may not be said to another.
_KINDS: Final = frozenset({Kind.CONTENT, Kind.RECIPIENT})


def against(
    rules: Rules,
    steps: Iterable[tuple[Snapshot, Step]],
    body: Body,
    text: Text,
    at: datetime,
    recipient: Recipient = Recipient.BORROWER,
) -> Facts:
    """Return the facts of a refusal of `text`, which was made from `body` to speak of these steps at `at`: the binding
    rules that its words break, how well these are known, and the words; empty where nothing is wrong.

    Raises:
        Rejected: code "unknown_zone", a zone of a borrower.
    """
    said = "\n".join(part for part in (text.subject, text.body) if part)
    found: dict[str, tuple[Status, str]] = {}
    for snapshot, step in steps:
        names = rules.jurisdictions(snapshot.borrower)
        asked = request(snapshot, step, at, text.channel)
        asked = replace(asked, language=text.locale, text=said, recipient=recipient)
        for answer in rules.law.refusals(asked, names, _KINDS):
            phrase = str(answer.facts.get("holds", answer.facts.get("lacks", "")))
            found[answer.rule_id] = (answer.status, phrase)
    for finding in _leaks(body, recipient):
        found[finding.rule_id] = (Status.VERIFIED, finding.phrase)
    if not found:
        return {}
    return {
        "rule": ",".join(sorted(found)),
        "rule_status": ",".join(sorted({status for status, _ in found.values()})),
        "words": ", ".join(sorted({phrase for _, phrase in found.values() if phrase})),
    }


# Remembered: few templates, very many messages.
@lru_cache(maxsize=1024)
def _leaks(body: Body, recipient: Recipient) -> tuple[Finding, ...]:
    """Return what somebody else learns from any text that is made from a template."""
    seen = Wording(
        body.text,
        body.locale,
        # Nothing private is any better at another stage.
        Stage.OVERDUE,
        Purpose.OVERDUE,
        body.channel,
        subject=body.subject,
        preview=preview_of(body.channel, body.text),
        recipient=recipient,
    )
    return lint(seen, (), _ANY_DAY)
