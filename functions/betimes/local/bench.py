"""`betimes bench rules`: what it costs on this machine to ask all rules about one contact."""

from __future__ import annotations

import json
from dataclasses import asdict

from betimes.adapters import law_packs
from betimes.lab.bench_rules import LIMIT_US, TOUCHES, measure_all
from betimes.local.console import table

_HEAD = ("contact", "rules", "asked", "median µs", "p99 µs", "worst µs", "first µs")


def rules(*, runs: int, limit_us: float | None, as_json: bool) -> int:
    """Measure and print, one line for each kind of contact; return 1 where a median is over `limit_us`, else 0.

    None is no limit: how fast a machine is says nothing about what is right.

    Raises:
        Rejected: a shipped pack is malformed (`adapters.law_packs.law`).
    """
    found = measure_all(law_packs.law(), runs)
    over = [
        context.name
        for context, each in found
        if limit_us is not None and each.median_us > limit_us
    ]
    if as_json:
        told = {
            "limit_us": limit_us,
            "contacts": [
                {
                    "contact": context.name,
                    "jurisdictions": list(context.jurisdictions),
                    "touches": TOUCHES,
                    **{
                        name: round(value, 1) if isinstance(value, float) else value
                        for name, value in asdict(each).items()
                    },
                }
                for context, each in found
            ],
            "over": over,
        }
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return int(bool(over))
    rows = [
        (
            context.name,
            str(each.rules),
            str(each.asked),
            *(
                f"{value:.1f}"
                for value in (each.median_us, each.p99_us, each.worst_us, each.fresh_us)
            ),
        )
        for context, each in found
    ]
    print(f"All rules asked about one overdue call with {TOUCHES} touches, {runs:,} times each.")
    print('Time of the processor; "first" is what a law that knows nothing yet needs.\n')
    print(table(_HEAD, rows))
    if limit_us is None:
        print(f"\nMeant to stay under {LIMIT_US} µs in the middle; --limit {LIMIT_US} fails above.")
    elif over:
        print(f"\nOver {limit_us:g} µs in the middle: {', '.join(over)}")
    else:
        print(f"\nAll under {limit_us:g} µs in the middle.")
    return int(bool(over))
