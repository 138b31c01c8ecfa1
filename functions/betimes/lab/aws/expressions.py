"""DynamoDB's expressions as far as our adapters write them: conditions, key conditions, filters, and updates.

Each text is parsed once and becomes a function. A form that no adapter uses (IN, BETWEEN, <>, size, paths into maps) is
not modelled.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions"; "Update expressions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from betimes.lab.aws.errors import NotModelled

Value = dict[str, Any]
Item = dict[str, Value]
Names = Mapping[str, str]
Values = Mapping[str, Value]
Test = Callable[[Mapping[str, Value], Names, Values], bool]

_TOKEN: Final = re.compile(r"\s*([#:]?[A-Za-z_][A-Za-z0-9_]*|<=|>=|<>|[()=<>,+-])")
_WORDS: Final = frozenset({"AND", "OR", "NOT", "SET", "ADD", "REMOVE", "DELETE", "IN", "BETWEEN"})
# Names that need no "#": those of keys, and any with an underscore, which no reserved word has.
_PLAIN: Final = frozenset({"pk", "sk"})
_ORDERED: Final = ("S", "N", "B")


class Invalid(Exception):
    """DynamoDB would answer ValidationException; the message says why, without data."""


class Compiled(NamedTuple):
    """A condition: what it says of an item, and the names and values that it refers to."""

    test: Test
    names: frozenset[str]
    values: frozenset[str]


class KeyCondition(NamedTuple):
    """What a Query asks for: a partition, and of its sort keys all, those up to one, or those with a beginning."""

    partition: tuple[str, str]
    sort: tuple[str, str, str] | None
    names: frozenset[str]
    values: frozenset[str]


class Update(NamedTuple):
    """What an update writes: for each attribute the function that gives its new value."""

    sets: tuple[tuple[str, Callable[[Mapping[str, Value], Names, Values], Value]], ...]
    names: frozenset[str]
    values: frozenset[str]


# DynamoDB counts with 38 digits.
_COUNTING: Final = Context(prec=38)


def summed(one: int | Decimal, other: int | Decimal) -> int | Decimal:
    """Return the sum of two numbers as DynamoDB counts."""
    if isinstance(one, int) and isinstance(other, int):
        return one + other
    return _COUNTING.add(Decimal(one), Decimal(other))


def number(text: str) -> int | Decimal:
    """Return the number of an N attribute."""
    return int(text) if text.removeprefix("-").isdecimal() else Decimal(text)


def text_of(value: int | Decimal) -> str:
    """Return a number as DynamoDB keeps it: no zeros behind, no exponent."""
    if isinstance(value, int):
        return str(value)
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


class _Reader:
    """The tokens of one expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        place = 0
        while text[place:].strip():
            found = _TOKEN.match(text, place)
            if found is None:
                raise NotModelled(f"an expression of another form: {text!r}")
            self._tokens.append(found[1])
            place = found.end()
        self._at = 0
        self.names: set[str] = set()
        self.values: set[str] = set()

    @property
    def next(self) -> str:
        """The next token, "" at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *expected: str) -> str:
        """Return the next token and go on; with `expected` only one of these."""
        token = self.next
        if not token or (expected and token.upper() not in expected):
            raise Invalid(f"Syntax error in an expression near {token!r}")
        self._at += 1
        return token

    def is_next(self, *tokens: str) -> bool:
        """Return whether one of `tokens` is next, and go on if so."""
        if self.next.upper() not in tokens:
            return False
        self._at += 1
        return True

    def name(self) -> str:
        """Return a reference to an attribute."""
        token = self.take()
        if token[0] == "#":
            self.names.add(token)
        elif not token[0].isalpha() and token[0] != "_":
            raise Invalid(f"Syntax error in an expression near {token!r}")
        elif token.upper() in _WORDS or not ("_" in token or token in _PLAIN):
            raise Invalid(f"a word that is or may be reserved stands as a name: {token}")
        return token

    def value(self) -> str:
        """Return a reference to a value."""
        token = self.take()
        if token[0] != ":":
            raise NotModelled(f"an expression compares with values only: {self._text!r}")
        self.values.add(token)
        return token

    def end(self) -> None:
        """Raise unless everything has been read."""
        if self.next:
            raise Invalid(f"Syntax error in an expression near {self.next!r}")


def named(token: str, names: Names) -> str:
    """Return the attribute that a reference means.

    Raises:
        Invalid: it is not among the names.
    """
    if token[0] != "#":
        return token
    found = names.get(token)
    if found is None:
        raise Invalid("An expression attribute name used in the document path is not defined")
    return found


def valued(token: str, values: Values) -> Value:
    """Return the value that a reference means.

    Raises:
        Invalid: it is not among the values.
    """
    found = values.get(token)
    if found is None:
        raise Invalid("An expression attribute value used in expression is not defined")
    return found


def all_used(names: Names, values: Values, *used: Compiled | KeyCondition | Update) -> None:
    """Raise Invalid unless the expressions together refer to exactly the names and values given."""
    if names.keys() != frozenset().union(*(each.names for each in used)):
        raise Invalid(
            "Value provided in ExpressionAttributeNames unused in expressions, or missing"
        )
    if values.keys() != frozenset().union(*(each.values for each in used)):
        raise Invalid(
            "Value provided in ExpressionAttributeValues unused in expressions, or missing"
        )


@lru_cache(maxsize=4096)
def condition(text: str) -> Compiled:
    """Return a condition or filter expression, ready to be asked."""
    reader = _Reader(text)
    test = _either(reader)
    reader.end()
    return Compiled(test, frozenset(reader.names), frozenset(reader.values))


def _either(reader: _Reader) -> Test:
    tests = [_both(reader)]
    while reader.is_next("OR"):
        tests.append(_both(reader))
    if len(tests) == 1:
        return tests[0]
    return lambda item, names, values: any(test(item, names, values) for test in tests)


def _both(reader: _Reader) -> Test:
    tests = [_single(reader)]
    while reader.is_next("AND"):
        tests.append(_single(reader))
    if len(tests) == 1:
        return tests[0]
    return lambda item, names, values: all(test(item, names, values) for test in tests)


def _single(reader: _Reader) -> Test:
    if reader.is_next("("):
        inner = _either(reader)
        reader.take(")")
        return inner
    if reader.is_next("NOT"):
        other = _single(reader)
        return lambda item, names, values: not other(item, names, values)
    function = reader.next
    if function in ("attribute_exists", "attribute_not_exists"):
        reader.take()
        reader.take("(")
        name = reader.name()
        reader.take(")")
        wanted = function == "attribute_exists"
        return lambda item, names, _: (named(name, names) in item) is wanted
    if function in ("begins_with", "contains", "size", "attribute_type"):
        raise NotModelled(f"the function {function} in a condition")
    name = reader.name()
    compare = _COMPARED.get(operator := reader.take())
    if compare is None:
        raise NotModelled(f"the comparison {operator}")
    value = reader.value()
    return lambda item, names, values: compare(item.get(named(name, names)), valued(value, values))


def _equal(found: Value | None, wanted: Value) -> bool:
    return found is not None and _canonical(found) == _canonical(wanted)


def _canonical(value: Value) -> Value:
    # What is stored has its canonical form already; what is compared with may not.
    return {"N": text_of(number(value["N"]))} if "N" in value else value


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Value | None, Value], bool]:
    def ordered(found: Value | None, wanted: Value) -> bool:
        if found is None:
            return False
        ((kind, left),) = found.items()
        ((other, right),) = wanted.items()
        if other not in _ORDERED:
            raise Invalid("Invalid operand type for a comparison")
        if kind != other:
            return False
        return compare(number(left), number(right)) if kind == "N" else compare(left, right)

    return ordered


_COMPARED: Final[Mapping[str, Callable[[Value | None, Value], bool]]] = {
    "=": _equal,
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
}


@lru_cache(maxsize=1024)
def key_condition(text: str) -> KeyCondition:
    """Return a key condition expression, taken apart."""
    reader = _Reader(text)
    partition = (reader.name(), reader.take("=") and reader.value())
    sort = None
    if reader.is_next("AND"):
        if reader.next == "begins_with":
            reader.take()
            reader.take("(")
            name = reader.name()
            reader.take(",")
            sort = ("begins_with", name, reader.value())
            reader.take(")")
        else:
            name = reader.name()
            operator = reader.take()
            if operator not in _COMPARED:
                raise NotModelled(f"the comparison {operator} of a sort key")
            sort = (operator, name, reader.value())
    reader.end()
    return KeyCondition(partition, sort, frozenset(reader.names), frozenset(reader.values))


@lru_cache(maxsize=1024)
def update(text: str) -> Update:
    """Return an update expression, ready to be carried out: one SET or one ADD clause."""
    reader = _Reader(text)
    verb = reader.take().upper()
    if verb not in ("SET", "ADD"):
        raise NotModelled(f"an update that begins with {verb}")
    sets = [_set(reader) if verb == "SET" else _add(reader)]
    while reader.is_next(","):
        sets.append(_set(reader) if verb == "SET" else _add(reader))
    if reader.next.upper() in _WORDS:
        raise NotModelled("an update with two clauses")
    reader.end()
    return Update(tuple(sets), frozenset(reader.names), frozenset(reader.values))


_New = Callable[[Mapping[str, Value], Names, Values], Value]


def _set(reader: _Reader) -> tuple[str, _New]:
    target = reader.name()
    reader.take("=")
    left = _operand(reader)
    if reader.next not in ("+", "-"):
        return target, left
    adds = reader.take() == "+"
    right = _operand(reader)

    def counted(item: Mapping[str, Value], names: Names, values: Values) -> Value:
        one, other = left(item, names, values), right(item, names, values)
        if "N" not in one or "N" not in other:
            raise Invalid("Incorrect operand type for operator or function")
        first, second = number(one["N"]), number(other["N"])
        return {"N": text_of(summed(first, second if adds else -second))}

    return target, counted


def _operand(reader: _Reader) -> _New:
    if reader.next.startswith(":"):
        value = reader.value()
        return lambda _item, _names, values: valued(value, values)
    if reader.next in ("if_not_exists", "list_append"):
        raise NotModelled(f"the function {reader.next} in an update")
    name = reader.name()

    def kept(item: Mapping[str, Value], names: Names, _: Values) -> Value:
        found = item.get(named(name, names))
        if found is None:
            raise Invalid(
                "The provided expression refers to an attribute that does not exist in the item"
            )
        return found

    return kept


def _add(reader: _Reader) -> tuple[str, _New]:
    target = reader.name()
    value = reader.value()

    def added(item: Mapping[str, Value], names: Names, values: Values) -> Value:
        found = item.get(named(target, names), {"N": "0"})
        more = valued(value, values)
        if "N" not in more or "N" not in found:
            raise Invalid("An operand in the update expression has an incorrect data type")
        return {"N": text_of(summed(number(found["N"]), number(more["N"])))}

    return target, added
