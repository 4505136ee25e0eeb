"""A person's yes or no to what a run asked: to one decision, or to all that a plan asks.

Nothing is changed here. The clinic's next run sees the answer, looks at everything anew, and acts only if what it would do is
still what was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.app import App
from service.core.decide.model import Answer, Approval, Decision
from service.core.errors import AnsweredError, InputError, NotFoundError


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer to several questions: those it was given to, and why the others could not take it."""

    given: tuple[Approval, ...]
    refused: tuple[str, ...]


async def answer_decision(app: App, decision: Decision, answer: Answer, by: str, why: str = "") -> Approval:
    """Answer the question that a decision puts. Raises InputError where it puts none, AnsweredError where it no longer does."""
    if decision.asks is None:
        raise InputError(f"decision {decision.id} asks nobody: its verdict is {decision.verdict}")
    return await app.store.approvals.answer(decision.asks, answer, by, why, app.clock())


async def answer_plan(app: App, run: str, answer: Answer, by: str, why: str = "") -> Answered:
    """Answer every question of a run's plan that is still one. Raises NotFoundError, InputError where the plan asks nothing."""
    asking = [each for each in await decided(app, run) if each.asks is not None]
    if not asking:
        raise InputError(f"the plan of run {run} asks nobody")
    given: list[Approval] = []
    refused: list[str] = []
    for decision in asking:
        try:
            given.append(await answer_decision(app, decision, answer, by, why))
        except AnsweredError as error:
            refused.append(f"{decision.campaign}: {error}")
    if not given:
        raise AnsweredError("; ".join(refused))
    return Answered(tuple(given), tuple(refused))


async def decided(app: App, run: str) -> Sequence[Decision]:
    """A recorded run's decisions. Raises NotFoundError where there is no such plan."""
    if not (await app.store.runs.run(run)).planned:
        raise NotFoundError(f"run {run} has no plan: it did not get that far")
    return await app.store.decisions.of_run(run)
