"""From one proposal towards one decision: the ordered list of steps that concern one campaign alone.

The steps that look at the whole clinic at once, and the verdict, are in `service.core.decide.plan`. Pure.
"""

from __future__ import annotations

from service.core.decide import admission, amount, frequency
from service.core.decide.case import Case, Draft, Step

STEPS: tuple[Step, ...] = (
    admission.held,
    admission.eligible,
    admission.people,
    admission.protected,
    admission.readable,
    amount.stabilised,
    amount.above_floor,
    amount.above_least,
    amount.below_ceiling,
    amount.step_limited,
    amount.above_spend,
    amount.beyond_dead_band,
    frequency.cooled_down,
    frequency.few_changes,
    frequency.within_edit_budget,
    frequency.in_change_window,
    frequency.within_hourly_limit,
)


def restrain(case: Case) -> Draft:
    """Take one campaign's proposal through every step; a settled draft passes the rest untouched."""
    draft = Draft(case.proposal.target if case.proposal else None)
    for step in STEPS:
        if draft.verdict is None:
            draft = step(case, draft)
    return draft
