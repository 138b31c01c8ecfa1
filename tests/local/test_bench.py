"""`betimes bench rules`: what it prints, and what `--limit` makes of it; no time is asserted."""

from __future__ import annotations

import json
from itertools import count

import pytest

from betimes import cli
from betimes.adapters import law_packs
from betimes.core.rule import Party
from betimes.lab import bench_rules
from betimes.lab.bench_rules import CONTEXTS, TOUCHES, measure


def test_each_context_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With what was asked and what it cost; without a limit nothing is too slow."""
    assert cli.main(["bench", "rules", "--runs", "2"]) == 0
    said = capsys.readouterr().out
    for context in CONTEXTS:
        assert f"\n{context.name} " in said
    assert f"{TOUCHES} touches, 2 times each" in said
    assert f"--limit {bench_rules.LIMIT_US} fails above" in said


def test_a_limit_nobody_keeps_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """1 and the contexts that are over it; 0 where all keep it."""
    assert cli.main(["bench", "rules", "--runs", "1", "--limit", "0.001"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Over 0.001 µs in the middle: " + ", ".join(each.name for each in CONTEXTS)
    assert cli.main(["bench", "rules", "--runs", "1", "--limit", "1e8"]) == 0
    assert "All under 1e+08 µs" in capsys.readouterr().out


def test_the_numbers_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object, the same numbers, and who was over the limit."""
    assert cli.main(["bench", "rules", "--runs", "2", "--limit", "0.001", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["over"] == [each["contact"] for each in told["contacts"]]
    assert {each["runs"] for each in told["contacts"]} == {2}
    assert all(each["median_us"] <= each["worst_us"] for each in told["contacts"])


@pytest.mark.parametrize("limit", ["0", "-1", "soon", "nan", "1e9"])
def test_a_limit_that_is_none_is_refused(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With one line that says what a limit is."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["bench", "rules", "--limit", limit])
    assert "must be microseconds above 0, such as 50" in capsys.readouterr().err


def test_what_is_measured_is_what_is_said() -> None:
    """By a clock that goes on by 1 µs a look: each evaluation costs one; all rules of the packs are asked."""
    clock = count(0, 1_000)
    law = law_packs.law()
    for context in CONTEXTS:
        found = measure(law, context.jurisdictions, 3, context.like, lambda: next(clock))
        assert (found.median_us, found.p99_us, found.worst_us, found.fresh_us) == (1, 1, 1, 1)
        bound = {
            rule.id for rule in law.chain(context.jurisdictions) if rule.enforce.value != "off"
        }
        assert found.rules == len(bound)
        assert 0 < found.asked < found.rules
    agency = next(each for each in CONTEXTS if "agency" in each.name)
    assert agency.like.party is Party.THIRD
