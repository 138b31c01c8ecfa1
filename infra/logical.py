"""Logical ids that do not change when a construct moves in the tree.

CDK derives an id from the construct's path. Moving a table into another construct would then replace it, which for
a retained table means an empty new one. So everything that holds state, is looked up by name or is worth reading
in a template gets its id by hand.
"""

from __future__ import annotations

import aws_cdk as cdk
from constructs import IConstruct


def pin(construct: IConstruct, logical_id: str) -> None:
    """Give the CloudFormation resource of `construct` (itself, or its default child) the id `logical_id`."""
    element = construct if isinstance(construct, cdk.CfnElement) else construct.node.default_child
    assert isinstance(element, cdk.CfnElement), f"{construct.node.path} has no resource of its own"
    element.override_logical_id(logical_id)
