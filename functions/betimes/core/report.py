"""What a run leaves behind: one line per contact and per decision, the totals, and a digest of it all."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from betimes.core import record, zones
from betimes.core.audit import Findings
from betimes.core.contact import Contact
from betimes.core.record import Record
from betimes.core.values import dataclass

Line = Mapping[str, str | int]
_encoded = json.JSONEncoder(ensure_ascii=False).encode


def contact_line(contact: Contact) -> Line:
    """Return the line of one contact; instants are UTC text, `sent_at` is "" while no provider has accepted it."""
    return {
        "contact_id": contact.id,
        "borrower_id": contact.borrower_id,
        "obligation_id": contact.obligation_id,
        "step": contact.step,
        "channel": contact.channel,
        "decided_at": zones.to_text(contact.decided_at),
        "sent_at": _text(contact.sent_at),
        "state": contact.state,
        "reason": contact.reason,
        "amount_minor": contact.amount.minor,
        "currency": contact.amount.currency,
        "text_sha256": contact.text_sha256,
    }


def decision_line(written: Record) -> Line:
    """Return the line of one decision record."""
    body = written.body
    return {
        "decision_id": body["decision_id"],
        "borrower_id": written.borrower_id,
        "obligation_id": written.obligation_id,
        "step": body["step"],
        "decided_at": zones.to_text(written.at),
        "kind": body["decision"],
        "reason": body["reason"],
        "until": body["until"],
    }


def _text(at: datetime | None) -> str:
    return zones.to_text(at) if at else ""


def jsonl(lines: Iterable[Line]) -> str:
    """Return the lines as JSON, one a line, with a final line break; "" for none."""
    return "".join(_encoded(line) + "\n" for line in lines)


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a run over a book: its contacts and decisions, in a fixed order, and what the audit found."""

    obligations: int
    contacts: tuple[Contact, ...]
    decisions: tuple[Record, ...]
    findings: Findings

    @classmethod
    def of(
        cls,
        obligations: int,
        contacts: Iterable[Contact],
        records: Iterable[Record],
        findings: Findings,
    ) -> Report:
        """Return the report, contacts sorted by obligation and time, decisions by time and id."""
        return cls(
            obligations,
            tuple(sorted(contacts, key=lambda c: (c.decided_at, c.id))),
            tuple(
                sorted(
                    (r for r in records if r.kind == record.DECISION), key=lambda r: (r.at, r.id)
                )
            ),
            findings,
        )

    @property
    def sent(self) -> Sequence[Contact]:
        """The contacts that a provider accepted."""
        return [contact for contact in self.contacts if contact.sent_at is not None]

    def count(self, kind: str) -> Counter[str]:
        """Return how many decisions of `kind` (send, wait, suppress) there were, by reason."""
        return Counter(str(d.body["reason"]) for d in self.decisions if d.body["decision"] == kind)

    @property
    def digest(self) -> str:
        """SHA-256 over what was decided and said, without the instants: equal wherever the same was decided.

        A run on the pocket cloud has a moving clock, so instants differ between runs that decide the same.
        """
        said = sorted(
            f"{c.id} {c.sent_at is not None} {c.amount.minor} {c.amount.currency} {c.text_sha256}"
            for c in self.contacts
        )
        decided = sorted({str(d.body["decision_id"]) for d in self.decisions})
        return hashlib.sha256("\n".join([*said, *decided]).encode()).hexdigest()

    def totals(self, seconds: float) -> Mapping[str, str | int | float]:
        """Return the one JSON object that `--json` prints."""
        return {
            "obligations": self.obligations,
            "decisions": len(self.decisions),
            "sent": len(self.sent),
            "suppressed": sum(self.count("suppress").values()),
            "waiting": sum(self.count("wait").values()),
            **self.findings.counts,
            "seconds": round(seconds, 3),
            "digest": self.digest,
        }
