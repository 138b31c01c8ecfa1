"""Reading a synthesized template: resources by type, and references as short words that a person can compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Statement:
    """One permission of a role: an action on a resource (spelled by `Template.word`) through these services."""

    effect: str
    action: str
    resource: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A CloudFormation template as CDK wrote it."""

    body: Mapping[str, Any]

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """Return the only template of a cloud assembly folder.

        Raises:
            ValueError: there is none, or more than one.
        """
        (path,) = folder.glob("*.template.json")
        return cls(json.loads(path.read_text()))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Outputs by id."""
        return {key: output["Value"] for key, output in self.body["Outputs"].items()}

    def resource(self, logical_id: str) -> Mapping[str, Any]:
        """Return one resource whole, with its type and policies."""
        found: Mapping[str, Any] = self.body["Resources"][logical_id]
        return found

    def of(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return the properties of every resource of a type such as "SQS::Queue", by logical id; may be empty."""
        return {
            logical_id: resource.get("Properties", {})
            for logical_id, resource in self.body["Resources"].items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def word(self, value: object) -> str:
        """Return a value as text, a reference as the logical id it points to.

        `{"Ref": "BookTable"}` and the ARN of BookTable are both "BookTable"; its stream is "BookTable.StreamArn",
        its index "BookTable/index/agenda".
        """
        match value:
            case str():
                return value
            case {"Ref": str(name)}:
                return name
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return name
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"{name}.{attribute}"
            case {"Fn::Join": [str(between), list(parts)]}:
                return between.join(self.word(part) for part in parts)
            case _:
                return json.dumps(value)

    def statements(self, role: str) -> Iterator[Statement]:
        """Yield what a role's inline policies say, one action and resource at a time.

        Raises:
            ValueError: a statement is written as an exception to everything (NotAction, NotResource).
        """
        for policy in self.resource(role)["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                yield from self._flat(role, statement)

    def _flat(self, role: str, statement: Mapping[str, Any]) -> Iterator[Statement]:
        if exceptions := statement.keys() & {"NotAction", "NotResource", "NotPrincipal"}:
            raise ValueError(
                f"{role}: {', '.join(sorted(exceptions))} grants all but what it names"
            )
        via = " ".join(map(str, _listed(_services(statement))))
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield Statement(statement["Effect"], str(action), self.word(resource), via)


def _services(statement: Mapping[str, Any]) -> object:
    return statement.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService", [])


def _listed(value: object) -> list[object]:
    """CloudFormation writes a list of one as the one."""
    return value if isinstance(value, list) else [value]
