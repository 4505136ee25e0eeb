"""Thresholds that the account's booking limits put out of reach; needs a reading of the clinic. Pure.

A limit on how many times are shown hides free time, so some thresholds can be true and never be *seen* to be. `doctor` works
out which (`core.doctor.caps`); here they are told at their line.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.core.doctor.caps import CAP_ADVICE, shut_by_caps, why_shut
from service.core.rules.language import RuleSet
from service.core.rules.lint.model import Check, Finding, Observed, Place


def unprovable(rules: RuleSet, seen: Observed) -> Iterator[Finding]:
    """Each comparison that no reading of the clinic could show to hold as its rule needs it."""
    if seen.diaries is None or seen.now is None:
        return
    by_name = {rule.name: rule for rule in rules.rules}
    for shut in shut_by_caps(rules, seen.diaries, seen.now):
        part, service = shut.part, shut.service.name
        yield Finding(
            Check.UNPROVABLE,
            Place(by_name[part.rule], path=part.path),
            f"the booking limits put {part.role} of “{part.rule}” out of reach for {service}: {why_shut(shut)}",
            f"change the threshold, or {CAP_ADVICE}",
        )
