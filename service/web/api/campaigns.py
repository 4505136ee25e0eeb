"""`/v1/clinics/{clinic}/campaigns`: what each campaign is allowed, how it was last seen, and what was decided about it."""

from dataclasses import dataclass
from datetime import datetime

from litestar import get, post

from service.app import App
from service.core.decide import left, model
from service.core.errors import NotFoundError
from service.core.model import Platform, Reason, Verdict
from service.core.rules.language import CampaignEntry, SharedBudget
from service.readopting import readopt
from service.store.keys import Key, Role
from service.web.answers import Money, State, money, state, state_or_none
from service.web.asked import Id, TheApp, TheKey
from service.web.auth import ROLE
from service.web.governed import rules_now
from service.web.problems import problems
from service.web.repeating import Repeatable


@dataclass(frozen=True, slots=True)
class Entry:
    """The campaign as the rule file in force declares it."""

    platform: Platform
    id: str
    service: str
    base_budget: Money
    floor: Money
    ceiling: Money
    protect: bool
    shared_budget: SharedBudget


@dataclass(frozen=True, slots=True)
class StoodDown:
    """Somebody else's hand on it: the governor leaves it alone until `readopt`.

    `by`, `via` and `logged_at` are whose, by what means and when, as the platform's change history tells; null: it does not.
    """

    reason: Reason
    since: datetime
    seen: State
    by: str | None
    via: str | None
    logged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the governor remembers about it.

    `expected` is how it should read since `since` (null before first sight); `paused_by_us` says whose a pause in force is;
    `caused_by` and `by_rule` are the decision and the rule behind the present state.
    """

    expected: State | None
    since: datetime | None
    paused_by_us: bool
    caused_by: str | None
    by_rule: str | None
    stood_down: StoodDown | None


@dataclass(frozen=True, slots=True)
class LastDecision:
    """The newest decision about it. `seen` is how the campaign read then (null: unreadable)."""

    id: str
    run: str
    at: datetime
    seen: State | None
    after: State | None
    verdict: Verdict
    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign, by its name in the rule file. `standing` and `last_decision` are null before its first run."""

    campaign: str
    entry: Entry
    standing: Standing | None
    last_decision: LastDecision | None


@dataclass(frozen=True, slots=True)
class Left:
    """A campaign that carries the governor's change although it is no longer governed; nobody puts it back by itself."""

    campaign: str
    platform: Platform
    id: str
    state: State
    base_budget: Money | None
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Campaigns:
    """The campaigns of the rule file in force, in file order; `left_changed` are those that it governs no longer."""

    clinic: str
    currency: str | None
    items: tuple[Campaign, ...]
    left_changed: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class Readopted:
    """A campaign handed back to the rules, in a sentence and as it stands now."""

    campaign: str
    sentence: str
    standing: Standing


@get("/clinics/{clinic:str}/campaigns", operation_id="listCampaigns", tags=["campaigns"], responses=problems(404))
async def list_campaigns(app: TheApp, clinic: Id) -> Campaigns:
    """What each campaign is allowed, how it was last seen, and the last decision about it."""
    return await campaigns_now(app, clinic)


async def campaigns_now(app: App, clinic: str) -> Campaigns:
    """How a clinic's campaigns stand."""
    rules = (await rules_now(app, clinic)).rules
    if rules is None:
        return Campaigns(clinic, None, (), ())
    standings = await app.store.memory.standings(clinic)
    planned = (await app.store.runs.runs([clinic], planned=True, limit=1)).items
    decided = {each.campaign: each for run in planned for each in await app.store.decisions.of_run(run.id)}
    items = (
        Campaign(name, _entry(entry), _standing(standings.get(name)), _decision(decided.get(name)))
        for name, entry in rules.campaigns.items()
    )
    return Campaigns(clinic, rules.currency, tuple(items), tuple(map(_left, left.left_changed(standings, rules))))


@post(
    "/clinics/{clinic:str}/campaigns/{campaign:str}/readopt",
    operation_class=Repeatable,
    operation_id="readoptCampaign",
    tags=["campaigns"],
    status_code=200,
    opt={ROLE: Role.OPERATOR},
    responses=problems(404, 409, 422, 502),
)
async def readopt_campaign(app: TheApp, key: TheKey, clinic: Id, campaign: Id) -> Readopted:
    """Hand a campaign that somebody changed back to the rules, as it stands on its platform now."""
    return await readopted(app, key, clinic, campaign)


async def readopted(app: App, key: Key, clinic: str, campaign: str) -> Readopted:
    """Hand a campaign back, in the name of a key. Raises NotFoundError."""
    rules = (await rules_now(app, clinic)).rules
    if rules is None or campaign not in rules.campaigns:
        raise NotFoundError(f"{clinic} has no campaign {campaign}")
    sentence = await readopt(app.governor, clinic, campaign, key.name)
    now = (await app.store.memory.standings(clinic))[campaign]
    return Readopted(campaign, sentence, _remembered(now))


HANDLERS = (list_campaigns, readopt_campaign)


def _entry(entry: CampaignEntry) -> Entry:
    return Entry(
        platform=entry.platform,
        id=entry.id,
        service=entry.service,
        base_budget=money(entry.base),
        floor=money(entry.floor),
        ceiling=money(entry.ceiling),
        protect=entry.protect,
        shared_budget=entry.shared_budget,
    )


def _left(value: left.Left) -> Left:
    platform, _, id_ = value.of.partition("/")
    base = None if value.base is None else money(value.base)
    return Left(value.campaign, Platform(platform), id_, state(value.state), base, value.since, value.why)


def _standing(value: model.Standing | None) -> Standing | None:
    return None if value is None else _remembered(value)


def _remembered(value: model.Standing) -> Standing:
    down = value.stood_down
    return Standing(
        expected=state_or_none(value.expected),
        since=value.since,
        paused_by_us=value.paused_by_us,
        caused_by=value.caused_by,
        by_rule=value.by_rule,
        stood_down=None if down is None else _stood_down(down),
    )


def _stood_down(down: model.StoodDown) -> StoodDown:
    return StoodDown(down.reason, down.since, state(down.seen), down.by or None, down.via or None, down.logged_at)


def _decision(value: model.Decision | None) -> LastDecision | None:
    if value is None:
        return None
    return LastDecision(
        id=value.id,
        run=value.run,
        at=value.at,
        seen=state_or_none(value.before),
        after=state_or_none(value.after),
        verdict=value.verdict,
        reason=value.reason,
        sentence=value.sentence,
    )
