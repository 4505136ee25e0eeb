"""`/v1/decisions`: what was decided, when, why, and what came of it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import MediaType, Response, get
from litestar.params import FromQuery, QueryParameter

from service.app import App
from service.core.decide import model
from service.core.errors import GoneError
from service.core.model import Platform, Reason, Verdict
from service.core.why.answer import answered
from service.store.decisions import Wanted
from service.store.keys import Key
from service.web.answers import Change, Decision, TraceLine, change, decision, trace
from service.web.asked import Before, Cursor, Id, Limit, Name, Since, TheApp, TheKey, TheRuleTexts, instant
from service.web.auth import among, demand, demand_clinic
from service.web.problems import problems
from service.web.telling import RuleTexts, listing
from service.web.tipping import TippingPoint, tips


@dataclass(frozen=True, slots=True)
class Decisions:
    """A page of decisions, newest first; `next_cursor` is null on the last one."""

    items: tuple[Decision, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """A decision with what is behind it and what came of it.

    `rule_text` is its rule as the file said it then, `trace` its service's conditions as they were evaluated; null once what
    the run worked on is no longer kept.

    `tipping` begins with what is nearest; it is null where there was no proposal, because the campaign could not be read, and
    where this version of the service would propose something else than was proposed then.
    """

    decision: Decision
    rule_text: str | None
    trace: tuple[TraceLine, ...] | None
    changes: tuple[Change, ...]
    tipping: tuple[TippingPoint, ...] | None


WHY = "Whether each comes with its reason in full (`why`); if not said, where `campaign` is"


@get("/decisions", operation_id="listDecisions", tags=["decisions"], responses=problems(404, 422))
async def list_decisions(  # noqa: PLR0913 - each is a filter that a client names
    app: TheApp,
    key: TheKey,
    texts: TheRuleTexts,
    clinic: Name = None,
    campaign: Name = None,
    platform: FromQuery[Platform | None] = None,
    rule: Name = None,
    verdict: FromQuery[Verdict | None] = None,
    reason: FromQuery[Reason | None] = None,
    changed: Annotated[bool | None, QueryParameter(description="Whether it was to be written to the platform")] = None,
    since: Since = None,
    before: Before = None,
    why: Annotated[bool | None, QueryParameter(description=WHY)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response[Decisions]:
    """Decisions of the clinics your key opens, newest first; of one campaign with the whole reason for each."""
    if clinic is not None:
        await demand_clinic(app, key, clinic)
    wanted = Wanted(
        clinics=among(key, clinic),
        campaign=campaign,
        platform=platform,
        rule=rule,
        verdict=verdict,
        reason=reason,
        changed=changed,
        since=instant("since", since),
        before=instant("before", before),
    )
    whole = campaign is not None if why is None else why
    body: Any = await listing(app, texts if whole else None, wanted, cursor, limit)
    return Response(body, media_type=MediaType.JSON)


@get("/decisions/{decision_id:str}", operation_id="getDecision", tags=["decisions"], responses=problems(404))
async def get_decision(app: TheApp, key: TheKey, texts: TheRuleTexts, decision_id: Id) -> DecisionAnswer:
    """One decision with its trace, what came of it, and the smallest changes with which the rules would want something else.

    `rules_digest` names the rule file it was made by. What would tip it is computed from what its run worked on.
    """
    return await explained(app, key, texts, decision_id)


async def explained(app: App, key: Key, texts: RuleTexts, decision_id: str) -> DecisionAnswer:
    """A decision that exists for this key, with its reason in full. Raises NotFoundError."""
    found = await app.store.decisions.decision(decision_id)
    demand(key, found.clinic)
    made = await app.store.intents.of_decision(found.id)
    rule_text = (await texts.of(app, found.clinic, found.rules_digest)).get(found.rule or "")
    conditions, tipping = await _behind(app, found)
    return DecisionAnswer(decision(found), rule_text, conditions, tuple(map(change, made)), tipping)


async def _behind(app: App, found: model.Decision) -> tuple[tuple[TraceLine, ...] | None, tuple[TippingPoint, ...] | None]:
    """The conditions and what would tip them, as long as what the run worked on is kept."""
    try:
        traces = (await app.store.runs.load_outcome(found.run)).traces
        answer = await asyncio.to_thread(answered, await app.store.runs.load_inputs(found.run), found)
    except GoneError:
        return None, None
    return trace(traces.get(found.service, ())), None if answer is None else tuple(tips(answer.tipping))


HANDLERS = (list_decisions, get_decision)
