"""Every interleaving of what people and the governor do to a campaign: nothing that a person did is ever overwritten.

A campaign of one platform, whose rules want something else at every run, and all sequences of human and governor actions: runs
that end well, and runs that are killed before a change is sent, before it arrives and before its answer does. The deciding, the
applying and the settling are the service's own; the platform and the store are values.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from service.apply import Hands, apply, settle_open
from service.core.decide import histories
from service.core.decide.admission import covers
from service.core.decide.model import Change, Hold, Reading, RuleState, RunInputs, Standing
from service.core.decide.people import adopt
from service.core.engine import decide
from service.core.logic import Bounds
from service.core.model import Campaign, History, LoggedChange, Mode, Platform, Snapshot, State
from service.core.outlook import Outlook
from service.core.rules.language import (
    CampaignEntry,
    Compare,
    EditBudget,
    Guardrails,
    Measure,
    Metric,
    Op,
    Pause,
    Percent,
    RaiseAndCut,
    Rule,
    RuleSet,
)
from service.governor import without_open
from service.observe import Outside
from service.store.intents import RecordedChange
from tests.core.made import NOW, SERVICE, at, diaries

NO_WAIT = RaiseAndCut(timedelta(0), timedelta(0))
EAGER = Guardrails(stabilise=NO_WAIT, cooldown=timedelta(0), max_changes_per_day=99, edit_budget=EditBudget(99))
"""Nothing but people holds the governor back."""

ENTRY = CampaignEntry("search", Platform.GOOGLE, "1", SERVICE.name, Decimal(60), Decimal(10), Decimal(120), EAGER)
NAME, BASE, CENT = ENTRY.name, State(True, ENTRY.base), Decimal("0.01")
OPEN_SLOTS = Measure(Metric.OPEN_SLOTS)
RULES = RuleSet(
    "harbour", "Harbour", "digest", "AUD", Mode.ENFORCE, {SERVICE.name: SERVICE}, {NAME: ENTRY},
    (
        Rule("Full", (NAME,), when=Compare(OPEN_SLOTS, Op.AT_MOST, Decimal(0)), then=Pause()),
        Rule("Nearly", (NAME,), when=Compare(OPEN_SLOTS, Op.AT_MOST, Decimal(3)), then=Percent(Decimal(50))),
    ),
    EAGER,
)  # fmt: skip
WANTS = (0, 20, 3)
"""Openings at each run in turn: the rules want a pause, then base, then half of it, and so on."""

T = TypeVar("T")
UNMET = Standing()
DIARIES = diaries({("city", "ana", "first"): [at(1, "09:00")]})


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything there is at one moment: the platform's side, the governor's memory, and whose the campaign is.

    It is `theirs` from what a person does to it until they undo it or hand it back; `touched`: a pause or resume was part of
    it. A pause that they ended and made again is theirs, although it looks as it did. `left` is how the governor left it last,
    and `intent` the change of a run that was killed.
    """

    now: datetime = NOW
    state: State = BASE
    log: History = ()
    standing: Standing = UNMET
    rule_states: tuple[tuple[str, RuleState], ...] = ()
    hold: Hold | None = None
    theirs: bool = False
    touched: bool = False
    runs: int = 0
    left: State = BASE
    intent: RecordedChange | None = None


# --- people -------------------------------------------------------------------------------------------------------------


def by_hand(moment: Moment, state: State) -> Moment:
    """A person makes the campaign be `state`; what was so already is neither changed nor logged."""
    if state == moment.state:
        return moment
    running = state.running if state.running != moment.state.running else None
    budget = state.budget if state.budget != moment.state.budget else None
    logged = LoggedChange(moment.now, "mia", "the website", running is not None, running, budget, by_hand=True)
    touched = moment.touched or running is not None
    undone = state == moment.left and (state.running or not touched)
    return replace(moment, state=state, log=(*moment.log, logged), theirs=not undone, touched=touched and not undone)


def pause(moment: Moment) -> Moment:
    return by_hand(moment, replace(moment.state, running=False))


def resume(moment: Moment) -> Moment:
    return by_hand(moment, replace(moment.state, running=True))


def budget(moment: Moment) -> Moment:
    other = Decimal(45) if moment.state.budget != Decimal(45) else Decimal(80)
    return by_hand(moment, replace(moment.state, budget=other))


def hold(moment: Moment) -> Moment:
    return replace(moment, hold=Hold("h", "harbour", None, "open day", "mia", moment.now, campaign=NAME))


def unhold(moment: Moment) -> Moment:
    return replace(moment, hold=None)


def readopt(moment: Moment) -> Moment:
    standing = adopt(moment.standing, moment.state, moment.now)
    return replace(moment, standing=standing, theirs=False, touched=False, left=moment.state)


# --- the governor -------------------------------------------------------------------------------------------------------


class OverwrittenError(AssertionError):
    """The governor changed what a person had made theirs, or had held."""


class KilledError(BaseException):
    """SIGKILL."""


class Death(Enum):
    """Where a run is killed."""

    UNSENT = "before its change is sent"
    LOST = "before it arrives"
    UNANSWERED = "before its answer arrives"


@dataclass(slots=True)
class Account:
    """The platform, with somebody who may step in between a run's first look and its second, and a run that may be killed."""

    moment: Moment
    meanwhile: Callable[[Moment], Moment] | None = None
    death: Death | None = None

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign]:
        if self.meanwhile is not None:
            self.moment = self.meanwhile(self.moment)
        return {id_: campaign(self.moment.state) for id_ in ids}

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        return {each.id: tuple(told for told in self.moment.log if since <= told.at <= until) for each in campaigns}

    async def write(self, seen: Campaign, target: State, *_: Any) -> Campaign:
        moment = self.moment
        if self.death is Death.LOST:
            raise KilledError
        if moment.theirs or moment.hold is not None:
            raise OverwrittenError(f"{moment.state} is {'theirs' if moment.theirs else 'held'}, and was made {target}")
        running = target.running if target.running != moment.state.running else None
        changed = target.budget if target.budget != moment.state.budget else None
        logged = LoggedChange(moment.now, "governor", "the API", running is not None, running, changed)
        self.moment = replace(moment, state=target, log=(*moment.log, logged), left=target)
        if self.death is Death.UNANSWERED:
            raise KilledError
        return replace(seen, state=target)


def campaign(state: State) -> Campaign:
    return Campaign(Platform.GOOGLE, ENTRY.id, NAME, state, "AUD", CENT)


def run(moment: Moment, meanwhile: Callable[[Moment], Moment] | None = None, death: Death | None = None) -> Moment:
    """One run as the service does it: settle what is open, decide, read the history where it matters, decide again, apply."""
    account = Account(moment, death=death)
    known = {NAME: moment.standing} if moment.standing != UNMET else {}
    own = hands(account, known)
    settled = at_once(settle_open("harbour", own))
    seen = without_open(Snapshot("harbour", moment.now, DIARIES, {NAME: campaign(moment.state)}), settled)
    openings = Reading(Bounds.exactly(WANTS[moment.runs % len(WANTS)]))
    view = Outlook({SERVICE.name: lambda _: openings}, lambda *_: openings, {})
    inputs = RunInputs(
        run=f"run{moment.runs}",
        clinic="harbour",
        now=moment.now,
        engine="test",
        rules=RULES,
        snapshot=seen,
        rule_states=dict(moment.rule_states),
        standings=dict(known),
        holds=(moment.hold,) if moment.hold and covers(moment.hold, ENTRY) else (),
    )
    outcome = decide(inputs, view)
    while histories.wanted(inputs, outcome):
        inputs = replace(inputs, histories={NAME: moment.log})
        outcome = decide(inputs, view)
    known |= outcome.standings
    account.meanwhile = meanwhile
    with suppress(KilledError):
        at_once(apply(outcome.decisions, inputs.snapshot.campaigns, outcome.standings, own))
    after = replace(account.moment, standing=known[NAME], rule_states=tuple(outcome.rule_states.items()))
    return replace(after, runs=moment.runs + 1)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run what never waits, without a loop for each of a hundred thousand runs."""
    try:
        work.send(None)
    except StopIteration as ended:
        value: T = ended.value
        return value
    raise AssertionError("it waits for something")


def hands(account: Account, known: dict[str, Standing]) -> Hands:
    """The service's hands over that platform, and over a store that only remembers standings and one open change."""

    async def intend(change: Change, at: datetime, _: int) -> None:
        account.moment = replace(account.moment, intent=RecordedChange(change, "open", at, None, None, {}))
        if account.death is Death.UNSENT:
            raise KilledError

    async def send(_: Change, at: datetime, __: int) -> None:
        assert account.moment.intent is not None
        account.moment = replace(account.moment, intent=replace(account.moment.intent, sent_at=at))

    async def settle(*_: Any, standings: Mapping[str, Standing] | None = None) -> None:
        account.moment = replace(account.moment, intent=None)
        known.update(standings or {})

    async def opened(_: str) -> tuple[RecordedChange, ...]:
        return () if account.moment.intent is None else (account.moment.intent,)

    async def standings(_: str) -> dict[str, Standing]:
        return dict(known)

    async def holds(*_: Any) -> tuple[Hold, ...]:
        return () if account.moment.hold is None else (account.moment.hold,)

    async def decision(_: str) -> Any:
        return SimpleNamespace(rule="Full")

    intents = SimpleNamespace(intend=intend, send=send, settle=settle, open=opened)
    store: Any = SimpleNamespace(
        intents=intents,
        memory=SimpleNamespace(standings=standings),
        holds=SimpleNamespace(holds=holds),
        decisions=SimpleNamespace(decision=decision),
    )
    there: Any = {Platform.GOOGLE: account}
    return Hands(Outside(there[Platform.GOOGLE], there), RULES, store, lambda: account.moment.now, 1, lambda: False)


# --- all of it ----------------------------------------------------------------------------------------------------------

ACTIONS: dict[str, Callable[[Moment], Moment]] = {
    "pause": pause, "resume": resume, "budget": budget, "hold": hold, "unhold": unhold, "readopt": readopt, "run": run,
}  # fmt: skip
STEPPING_IN: dict[str, Callable[[Moment], Moment]] = {
    f"{name} in a run": lambda moment, act=act: run(moment, act)  # type: ignore[misc] # bound by its default
    for name, act in (("pause", pause), ("resume", resume), ("budget", budget), ("hold", hold))
}
KILLED: dict[str, Callable[[Moment], Moment]] = {
    f"a run killed {death.value}": lambda moment, death=death: run(moment, death=death)  # type: ignore[misc] # bound by its default
    for death in Death
}
BEGINNINGS = {"never seen": ("resume",), "governed": ("run", "run"), "paused by us": ("run",)}


def explore(moment: Moment, actions: Mapping[str, Callable[[Moment], Moment]], depth: int, step: timedelta, path: str) -> int:
    """Every sequence of `depth` actions from here on; how many moments there were."""
    found = 1
    for name, act in actions.items() if depth else ():
        try:
            after = act(moment)
        except OverwrittenError as error:
            raise AssertionError(f"{path} > {name}: {error}") from None
        found += explore(replace(after, now=after.now + step), actions, depth - 1, step, f"{path} > {name}")
    return found


def begun(beginning: str, step: timedelta) -> Moment:
    moment = Moment()
    for name in BEGINNINGS[beginning]:
        moment = ACTIONS[name](moment)
        moment = replace(moment, now=moment.now + step)
    return moment


@pytest.mark.parametrize("minutes", [5, 40])
@pytest.mark.parametrize("beginning", [*BEGINNINGS])
@pytest.mark.parametrize("depth", [4, pytest.param(6, marks=pytest.mark.soak)])
def test_no_interleaving_overwrites_a_person(depth: int, beginning: str, minutes: int) -> None:
    step = timedelta(minutes=minutes)
    assert explore(begun(beginning, step), ACTIONS, depth, step, beginning) == sum(len(ACTIONS) ** n for n in range(depth + 1))


@pytest.mark.parametrize("minutes", [5, 20])
@pytest.mark.parametrize("beginning", [*BEGINNINGS])
@pytest.mark.parametrize("depth", [3, pytest.param(5, marks=pytest.mark.soak)])
def test_nor_does_one_in_which_runs_are_killed_around_their_write(depth: int, beginning: str, minutes: int) -> None:
    step, actions = timedelta(minutes=minutes), ACTIONS | KILLED
    assert explore(begun(beginning, step), actions, depth, step, beginning) == sum(len(actions) ** n for n in range(depth + 1))


@pytest.mark.parametrize("beginning", [*BEGINNINGS])
@pytest.mark.parametrize("depth", [2, pytest.param(5, marks=pytest.mark.soak)])
def test_nor_does_one_in_which_somebody_steps_in_between_look_and_write(depth: int, beginning: str) -> None:
    step, actions = timedelta(minutes=40), ACTIONS | STEPPING_IN
    assert explore(begun(beginning, step), actions, depth, step, beginning) == sum(len(actions) ** n for n in range(depth + 1))


def test_the_governor_does_change_things_here() -> None:
    moment, seen = Moment(), []
    for _ in range(6):
        moment = run(moment)
        moment = replace(moment, now=moment.now + timedelta(hours=1))
        seen.append(moment.state)
    half = Decimal(30)
    assert seen == [State(False, ENTRY.base), BASE, State(True, half), State(False, half), BASE, State(True, half)]
