"""Why one stored decision came out as it did, from its run's inputs alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.decide.model import Decision, RunInputs
from service.core.outlook import asked_again
from service.core.why.account import account
from service.core.why.model import RulePart, Tipping
from service.core.why.question import question
from service.core.why.tipping import tipping


@dataclass(frozen=True, slots=True)
class Answer:
    """What each of the campaign's rules came to, and what would have to change."""

    rules: tuple[RulePart, ...]
    tipping: Tipping


def answered(inputs: RunInputs, decision: Decision) -> Answer | None:
    """What is behind a decision; `inputs` are its run's.

    None where there was no proposal because the campaign could not be read, and where this version of the service would
    propose something else than was proposed then: it cannot speak for that.
    """
    view = asked_again(inputs)
    asking, tips = question(inputs, view, decision.campaign), tipping(inputs, view, decision.campaign)
    if asking is None or tips is None or asking.proposal().target != decision.desired:
        return None
    return Answer(account(asking), tips)
