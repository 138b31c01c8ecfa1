"""The rules of the house that guard a promise: read from the source, so that none is broken unnoticed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "functions" / "betimes"
TESTS = REPOSITORY / "tests"
HOT = ("on_tick", "on_sweep", "on_book_change", "on_contact", "on_delivery", "on_ledger")
SOURCES = sorted(PACKAGE.rglob("*.py"))
PURE = [path for path in SOURCES if path.parts[len(PACKAGE.parts)] in ("core", "flows")]


def name(path: Path) -> str:
    """Return the path of a file as the repository knows it."""
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that are or will be tracked, without those that are no text."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this is no git checkout: what is tracked is not known")
    paths = [REPOSITORY / each for each in done.stdout.split("\0") if each]
    return tuple(path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096])


def found(pattern: str, paths: tuple[Path, ...] | list[Path]) -> list[str]:
    """Return file and line of every match."""
    wanted = re.compile(pattern)
    return [
        f"{name(path)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if wanted.search(line)
    ]


# What is true and what happens


FORBIDDEN_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.monotonic",
    "time.sleep", "os.getenv", "os.urandom", "random.random", "uuid.uuid4", "uuid.uuid1", "open", "input", "print",
    "eval", "exec", "hash", "id",
}  # fmt: skip
FORBIDDEN_MODULES = {
    "os",
    "random",
    "secrets",
    "uuid",
    "socket",
    "subprocess",
    "logging",
    "threading",
    "pathlib",
}


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("path", PURE, ids=name)
def test_core_and_flows_know_no_clock_no_chance_and_no_machine(path: Path) -> None:
    """Nothing but arguments decides: no `now`, no random, no environment, no file, no hash that differs by process."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            assert _dotted(node.func) not in FORBIDDEN_CALLS, f"line {node.lineno}"
        if isinstance(node, ast.Import):
            assert not {alias.name.partition(".")[0] for alias in node.names} & FORBIDDEN_MODULES
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in FORBIDDEN_MODULES


@pytest.mark.parametrize("path", PURE, ids=name)
def test_no_float_touches_an_amount(path: Path) -> None:
    """No float literal, no `float()`, and no division that makes one, anywhere in core and flows."""
    for node in ast.walk(tree(path)):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), node.lineno
        assert not (isinstance(node, ast.Call) and _dotted(node.func) == "float"), node.lineno
        assert not (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)), (
            node.lineno
        )


@pytest.mark.parametrize("path", [p for p in SOURCES if "handlers" not in p.parts], ids=name)
def test_everything_is_caught_in_handlers_only(path: Path) -> None:
    """Elsewhere the narrowest type is caught by whoever can act on it; who tidies up raises again what was raised."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, node.lineno
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            last = node.body[-1]
            raised_again = isinstance(last, ast.Raise) and last.exc is None
            everything = {_dotted(each) for each in caught} & {"Exception", "BaseException"}
            assert not everything or raised_again, node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_is_caught_and_dropped(path: Path) -> None:
    """No handler of an error consists of `pass`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            assert not all(isinstance(each, ast.Pass) for each in node.body), node.lineno


# Words


def _public(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield what can be used from outside: functions, classes and their methods, whose names begin with a letter."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not child.name.startswith("_"):
                yield child
            if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
                yield from _public(child)
        elif isinstance(child, ast.If | ast.Try):
            yield from _public(child)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_everything_public_says_what_it_is(path: Path) -> None:
    """Each module, class, function and method has a docstring."""
    assert ast.get_docstring(tree(path)), "the module has none"
    silent = [node.name for node in _public(tree(path)) if not ast.get_docstring(node)]
    assert silent == []


# What a template must say is a fact of its own: the names of those tests say it all.
NAMED = [path for path in sorted(TESTS.rglob("test_*.py")) if path.parent.name != "infra"]


@pytest.mark.parametrize("path", NAMED, ids=name)
def test_every_test_states_its_property(path: Path) -> None:
    """In its docstring."""
    tests = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    assert [node.name for node in tests if not ast.get_docstring(node)] == []


def test_nothing_is_left_to_do() -> None:
    """Open ends are issues, not comments."""
    words = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"))
    assert found(rf"\b({words})\b", tracked()) == []


def test_no_file_knows_this_machine() -> None:
    """No path of a developer's machine, in code, data or documents."""
    roots = "|".join(("wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers"))
    assert found(rf"(?<![\w.$}}\]-])/({roots})/\w", tracked()) == []


def test_lock_files_name_no_host() -> None:
    """Versions and hashes only: which index serves them is the installer's setting."""
    locks = sorted((REPOSITORY / "requirements").glob("*.lock"))
    assert locks
    assert found(r"://|--(extra-)?index-url|--find-links|--trusted-host", locks) == []


@pytest.mark.parametrize("folder", ["core", "flows", "lab"])
def test_our_own_ports_are_never_mocked(folder: str) -> None:
    """Fakes are the lab's adapters, which pass the same contract suite as their twins on AWS."""
    assert found(r"\b(Magic)?Mock\b|unittest\.mock", sorted((TESTS / folder).glob("*.py"))) == []


# Errors


def _codes_given() -> set[str]:
    """Return every error code that the source can give: the first argument of `Rejected`, or, where that is a
    parameter of the function around it, the argument of whoever calls that function.
    """
    codes: set[str] = set()
    passed: dict[str, int] = {}
    calls = [
        node for path in SOURCES for node in ast.walk(tree(path)) if isinstance(node, ast.Call)
    ]
    for path in SOURCES:
        for function in ast.walk(tree(path)):
            if isinstance(function, ast.FunctionDef):
                names = [each.arg for each in function.args.args if each.arg != "self"]
                for node in ast.walk(function):
                    if (
                        isinstance(node, ast.Call)
                        and _dotted(node.func) == "Rejected"
                        and node.args
                    ):
                        first = node.args[0]
                        if isinstance(first, ast.Name) and first.id in names:
                            passed[function.name] = names.index(first.id)
    for call in calls:
        called = _dotted(call.func).rpartition(".")[2]
        place = 0 if called == "Rejected" else passed.get(called)
        if place is not None and len(call.args) > place:
            code = call.args[place]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                codes.add(code.value)
    return codes


def test_every_error_code_is_documented_and_no_other() -> None:
    """Each code has one line in docs/errors.md: where it occurs, what it means, and the way out."""
    text = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| `([a-z_0-9]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE
    )
    documented = [row[0] for row in rows]
    assert len(set(documented)) == len(documented)
    assert {"bad_amount", "bad_locale", "bad_template"} <= _codes_given()
    assert set(documented) == _codes_given()


# Imports


def test_imports_follow_the_arrow() -> None:
    """The layering contracts of pyproject.toml hold."""
    tool = Path(sys.executable).with_name("lint-imports")
    command = str(tool) if tool.exists() else shutil.which("lint-imports")
    assert command, "import-linter is part of the development environment"
    done = subprocess.run(
        [command, "--no-cache"], cwd=REPOSITORY, env={"PYTHONPATH": "functions"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("handler", HOT)
def test_hot_handlers_start_without_pydantic_and_tracing(handler: str) -> None:
    """In a fresh interpreter: neither pydantic nor the tracing library is loaded, be it by us or by what we import.
    (The wrapper module of Powertools' Tracer is imported by Powertools itself and costs a few milliseconds; it
    loads nothing.).
    """
    program = (
        f"import sys, betimes.handlers.{handler}\n"
        "heavy = ('pydantic', 'pydantic_core', 'aws_xray_sdk', 'fastapi', 'jsonschema', 'fastjsonschema')\n"
        "print(*[module for module in heavy if module in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": "functions", "AWS_DEFAULT_REGION": "eu-central-1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize("handler", HOT)
def test_hot_handlers_do_not_trace(handler: str) -> None:
    """None of them, and nothing they share, names a Tracer."""
    shared = [PACKAGE / "handlers" / f"{each}.py" for each in (handler, "batches")]
    assert found(r"\bTracer\b", shared) == []
