"""The policies in force: treatments, rules and templates, as one value that flows are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from betimes.core.errors import Rejected
from betimes.core.message import Template
from betimes.core.rules import Rules
from betimes.core.treatment import Treatment


@dataclass(frozen=True, slots=True)
class Policies:
    """What decides and what is said. `lender` is the sender's name in every text."""

    treatment: Treatment
    rules: Rules
    templates: Mapping[str, Template]
    lender: str
    default_locale: str = "zh-CN"

    def __post_init__(self) -> None:
        """Refuse a set of policies in which a step has no words.

        Raises:
            Rejected: code "missing_body", naming step, template, channel and locale.
        """
        for step in self.treatment.steps:
            for channel in step.channels:
                template = self.templates.get(step.template)
                if template is None or (self.default_locale, channel) not in template.bodies:
                    raise Rejected(
                        "missing_body",
                        "template",
                        f"treatment {self.treatment.name}, step {step.name}: template {step.template!r} "
                        f"has no text for {channel} in {self.default_locale}",
                    )
