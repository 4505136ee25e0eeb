"""Plans: what the runs decided, what of it waits for a person, and the person's yes or no."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import JSONBody

from service.answering import answer_decision, answer_plan, decided
from service.app import App
from service.core.decide import model
from service.core.decide.model import Answer, Approval
from service.core.errors import InputError
from service.core.model import Verdict
from service.store.keys import Key, Role
from service.store.runs import Run
from service.web.answers import Decision, State, decision, state
from service.web.asked import Cursor, Id, Limit, Name, TheApp, TheKey
from service.web.auth import ROLE, among, demand, demand_clinic
from service.web.problems import problems
from service.web.repeating import Repeatable

Reason = Annotated[str, msgspec.Meta(max_length=500)]


@dataclass(frozen=True, slots=True)
class Question:
    """What people are asked: may the campaign go from `before` to `target`, by the guarded steps that lead there.

    `id` is that of the decision that asked first; it stays while the question does. `answer` is `pending`, `approved`,
    `rejected`, or how the question ended: `expired` (a day without an answer, or since a yes that nothing
    could be done about), `void` (it is no longer the question), `done`.
    """

    id: str
    clinic: str
    campaign: str
    before: State
    target: State
    asked_at: datetime
    answer: Answer
    by: str | None
    at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's plan in numbers: its decisions by verdict. `pending` counts its questions that still want an answer."""

    run: str
    clinic: str
    at: datetime
    status: str
    verdicts: dict[Verdict, int]
    pending: int


@dataclass(frozen=True, slots=True)
class Plans:
    """A page of plans, newest first; `next_cursor` is null on the last one."""

    items: tuple[Plan, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """A run's plan: its decisions, and the questions that they put to people."""

    plan: Plan
    decisions: tuple[Decision, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class PlanAnswered:
    """The questions of a plan that were answered, and sentences on those that could not be."""

    questions: tuple[Question, ...]
    refused: tuple[str, ...]


class Yes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, if it is worth saying."""

    reason: Reason = ""


class No(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why: the decision's sentence quotes it."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


@get("/plans", operation_id="listPlans", tags=["plans"], responses=problems(404, 422))
async def list_plans(app: TheApp, key: TheKey, clinic: Name = None, cursor: Cursor = None, limit: Limit = 100) -> Plans:
    """The plans of the clinics your key opens, newest first."""
    if clinic is not None:
        await demand_clinic(app, key, clinic)
    page = await app.store.runs.runs(among(key, clinic), planned=True, cursor=cursor, limit=limit)
    decisions = await app.store.decisions.of_runs([run.id for run in page.items])
    questions = await _questions(app, [each for made in decisions.values() for each in made])
    return Plans(
        tuple(_plan(run, made := decisions.get(run.id, ()), _asked(made, questions)) for run in page.items),
        page.cursor if page.more else None,
    )


@get("/plans/{run:str}", operation_id="getPlan", tags=["plans"], responses=problems(404))
async def get_plan(app: TheApp, key: TheKey, run: Id) -> PlanAnswer:
    """One run's plan, with what it asks people and what they answered."""
    found = await _run(app, key, run)
    decisions, questions = await _of(app, run)
    return PlanAnswer(_plan(found, decisions, questions), tuple(map(decision, decisions)), tuple(map(question, questions)))


@post(
    "/plans/{run:str}/approval",
    operation_class=Repeatable,
    operation_id="approvePlan",
    tags=["plans"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422),
)
async def approve_plan(app: TheApp, key: TheKey, run: Id, data: JSONBody[Yes]) -> PlanAnswered:
    """Say yes to everything a plan asks; the clinic's next run carries out what is still what the rules want."""
    return await _answer_plan(app, key, run, Answer.APPROVED, data.reason)


@post(
    "/plans/{run:str}/rejection",
    operation_class=Repeatable,
    operation_id="rejectPlan",
    tags=["plans"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422),
)
async def reject_plan(app: TheApp, key: TheKey, run: Id, data: JSONBody[No]) -> PlanAnswered:
    """Say no to everything a plan asks; it is asked again once the rules want something else."""
    return await _answer_plan(app, key, run, Answer.REJECTED, data.reason)


@post(
    "/decisions/{decision_id:str}/approval",
    operation_class=Repeatable,
    operation_id="approveDecision",
    tags=["decisions"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422),
)
async def approve_decision(app: TheApp, key: TheKey, decision_id: Id, data: JSONBody[Yes]) -> Question:
    """Say yes to what a decision asks; the clinic's next run carries it out if it is still what the rules want."""
    return await answered(app, key, decision_id, Answer.APPROVED, data.reason)


@post(
    "/decisions/{decision_id:str}/rejection",
    operation_class=Repeatable,
    operation_id="rejectDecision",
    tags=["decisions"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422),
)
async def reject_decision(app: TheApp, key: TheKey, decision_id: Id, data: JSONBody[No]) -> Question:
    """Say no to what a decision asks; it is asked again once the rules want something else."""
    return await answered(app, key, decision_id, Answer.REJECTED, data.reason)


HANDLERS = (list_plans, get_plan, approve_plan, reject_plan, approve_decision, reject_decision)


def question(value: Approval) -> Question:
    """A question to people."""
    return Question(
        id=value.id,
        clinic=value.clinic,
        campaign=value.campaign,
        before=state(value.before),
        target=state(value.target),
        asked_at=value.asked_at,
        answer=value.answer,
        by=value.by or None,
        at=value.at,
        reason=value.why or None,
    )


async def _answer_plan(app: App, key: Key, run: str, answer: Answer, why: str) -> PlanAnswered:
    await _run(app, key, run)
    found = await answer_plan(app, run, answer, key.name, _reason(answer, why))
    return PlanAnswered(tuple(map(question, found.given)), found.refused)


async def answered(app: App, key: Key, decision_id: str, answer: Answer, why: str) -> Question:
    """The question of a decision, answered in the name of a key. Raises NotFoundError, InputError, AnsweredError."""
    found = await app.store.decisions.decision(decision_id)
    demand(key, found.clinic)
    return question(await answer_decision(app, found, answer, key.name, _reason(answer, why)))


def _reason(answer: Answer, why: str) -> str:
    if answer is Answer.REJECTED and not why.strip():
        raise InputError("give a reason: the decision's sentence quotes it")
    return why.strip()


async def _run(app: App, key: Key, run: str) -> Run:
    found = await app.store.runs.run(run)
    demand(key, found.clinic)
    return found


async def _of(app: App, run: str) -> tuple[tuple[model.Decision, ...], tuple[Approval, ...]]:
    """A run's decisions, and the questions they put."""
    decisions = tuple(await decided(app, run))
    return decisions, _asked(decisions, await _questions(app, decisions))


async def _questions(app: App, decisions: Sequence[model.Decision]) -> Mapping[str, Approval]:
    """The questions that decisions put, by their ids."""
    return await app.store.approvals.get({each.asks for each in decisions if each.asks is not None})


def _asked(decisions: Sequence[model.Decision], questions: Mapping[str, Approval]) -> tuple[Approval, ...]:
    """The questions of these decisions, each once."""
    return tuple(
        questions[id_] for id_ in dict.fromkeys(each.asks for each in decisions) if id_ is not None and id_ in questions
    )


def _plan(run: Run, decisions: tuple[model.Decision, ...], questions: tuple[Approval, ...]) -> Plan:
    verdicts = dict(Counter(each.verdict for each in decisions))
    pending = sum(each.answer is Answer.PENDING for each in questions)
    return Plan(run.id, run.clinic, run.started_at, run.status, verdicts, pending)
