"""`betimes publish`: the gate for templates, shipped ones and files; and the frames of e-mails, compiled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path

from betimes.adapters import mail_frames, pack_files, packs
from betimes.core import message
from betimes.core import publish as gate
from betimes.core.errors import Rejected
from betimes.core.message import Template
from betimes.core.policies import Policies
from betimes.core.rule import ContentTerms, Rule


def publish(
    files: Sequence[str],
    *,
    on: date,
    hosts: Sequence[str] = (),
    price: Decimal | None = None,
    as_json: bool = False,
) -> int:
    """Ask the gate about templates, all shipped ones where none is named; print what it found, and return 1 where
    something blocks, 0 otherwise. `price` is what one part of a text message costs, None not known.

    Raises:
        Rejected: what reading a template raises; "missing_file" where there is no such file or template.
    """
    policies = packs.drafts("default", "Betimes")
    chosen = [_template(name, policies) for name in files] or list(policies.templates.values())
    rules = content_rules(policies)
    blocked = 0
    documents = []
    for template in chosen:
        found = gate.lint(template, rules, on, hosts=hosts, default_locale=policies.default_locale)
        stops = set(gate.blocking(template, found))
        blocked += bool(stops)
        broken = any(each.code == "does_not_render" for each in found)
        long = () if broken else gate.lengths(template)
        documents.append(
            {
                "template": template.id,
                "published": not stops,
                "findings": [
                    {**asdict(each), "reason": template.accepted.get(each.code, "")}
                    for each in found
                ],
                "text_messages": [
                    {**asdict(each), "usual_price": _price(each, price)} for each in long
                ],
            }
        )
        if not as_json:
            print("\n".join(_lines(template, found, stops, long, price)))
    if as_json:
        print(json.dumps(documents, ensure_ascii=False))
    else:
        print(f"{len(chosen) - blocked} of {len(chosen)} may be published")
    return 1 if blocked else 0


def frames(*, as_json: bool) -> int:
    """Compile the frames of e-mails anew, say where they are, and return 0.

    Raises:
        Rejected: code "no_mjml", "bad_frame" or "bad_out".
    """
    from betimes.local.frames import compiled

    made = compiled()
    place = mail_frames.write(made)
    if as_json:
        print(
            json.dumps({"file": place, "frames": {name: len(each) for name, each in made.items()}})
        )
    else:
        print(f"{len(made)} frames compiled: {place}; now run betimes check --sign")
    return 0


def refused(policies: Policies, on: date) -> list[str]:
    """Return what blocks the templates of policies, a line each; none where all may be published."""
    rules = content_rules(policies)
    return [
        f"{each.place}: {each.code}: {each.sentence}; {each.fix}"
        for template in policies.templates.values()
        for each in gate.blocking(
            template, gate.lint(template, rules, on, default_locale=policies.default_locale)
        )
    ]


def content_rules(policies: Policies) -> list[Rule]:
    """Return the content rules of all packs, in order of pack."""
    law = policies.rules.law
    return [
        rule
        for name in sorted(law.packs)
        for rule in law.packs[name].rules
        if isinstance(rule.terms, ContentTerms)
    ]


def _template(name: str, policies: Policies) -> Template:
    if not name.endswith(".toml"):
        if name not in policies.templates:
            known = ", ".join(sorted(policies.templates))
            raise Rejected(
                "missing_file", "FILE", f"there is no template {name!r}; there are: {known}"
            )
        return policies.templates[name]
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Rejected(
            "missing_file", "FILE", f"{name} is no file that can be read as UTF-8"
        ) from None
    return message.parse(pack_files.parsed(text, name), name, mail_frames.frames())


def _lines(
    template: Template,
    found: Sequence[gate.Finding],
    stops: set[gate.Finding],
    long: Sequence[gate.Length],
    price: Decimal | None,
) -> list[str]:
    lines = [f"{'BLOCKED' if stops else 'ok     '}  {template.id}"]
    for each in found:
        reason = template.accepted.get(each.code, "")
        accepted = f" (accepted: {reason})" if reason and each not in stops else ""
        lines.append(f"  {each.level} {each.code}  {each.place}: {each.sentence}{accepted}")
        lines.append(f"      {each.fix}")
    for length in long:
        cost = _price(length, price)
        worth = f", {cost} usually" if cost else ""
        lines.append(
            f"  {length.place}: {length.usual} parts usually, {length.most} at most, "
            f"{length.alphabet}{worth}"
        )
    return lines


def _price(length: gate.Length, price: Decimal | None) -> str:
    """Return what a text message of usual length costs, "" where no price of a part is known."""
    return "" if price is None else str(price * length.usual)
