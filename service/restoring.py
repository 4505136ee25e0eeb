"""Putting a clinic's campaigns back as they would be without us: base budgets, and an end to our own pauses.

Only where our last write is still in force; a campaign that somebody has touched since is theirs, and is told about instead,
whether or not something of ours is still part of it: what is not listed carries nothing of ours.
This is what an operator runs before the service is taken away, and for campaigns that were left changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from structlog.contextvars import bound_contextvars

from service.apply import Applied, Hands, Known, carry_out, settle_open
from service.core.decide import histories
from service.core.decide.admission import counted
from service.core.decide.division import aimed, divided, lagging
from service.core.decide.left import as_it_is, base_of, carries, moved_by_us, ours
from service.core.decide.model import Change, Standing, StoodDown
from service.core.decide.settling import shown
from service.core.decide.sharing import strangers
from service.core.errors import OutsideError, RefusedError
from service.core.ledger import Kind
from service.core.model import Campaign, Mode, Platform, State, Unreadable
from service.core.money import round_down
from service.core.ports import AdAccount
from service.governor import Governor
from service.observe import Missing
from service.revisions import in_force

AGAIN = "run `governor restore` again in 15 minutes"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore: the changes made or tried, and by campaign a sentence on each that is left as it is."""

    id: str
    clinic: str
    changes: tuple[Applied, ...]
    left_alone: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Carrying:
    """A campaign that carries our change, and where it is reached."""

    name: str
    standing: Standing
    account: AdAccount
    seen: Campaign


@dataclass(frozen=True, slots=True)
class _Work:
    """A restore under way: what is remembered of the campaigns, and a sentence on each that is left as it is."""

    id: str
    hands: Hands
    known: Known
    alone: dict[str, str]
    unlogged: bool


async def restore(governor: Governor, clinic: str, by: str, *, unlogged: bool = False) -> Restored:
    """Restore every campaign of a clinic that is as we left it.

    `unlogged`: end our pauses also where the platform does not tell who changed the campaign since. Raises as `Governor.run`.
    """
    id_ = governor.new_id()
    with bound_contextvars(restore=id_, clinic=clinic):
        return await _restore(governor, clinic, by, id_, unlogged=unlogged)


async def _restore(governor: Governor, clinic: str, by: str, id_: str, *, unlogged: bool) -> Restored:
    revision = await in_force(governor.store, governor.directory, clinic, governor.clock())
    outside = governor.outside(revision.rules)
    async with governor.lease(clinic) as fence:
        hands = governor.hands(outside, revision.rules, fence)
        alone = _unsettled(await settle_open(clinic, hands))
        known = await governor.store.memory.standings(clinic)
        work = _Work(id_, hands, known, alone, unlogged)
        todo = [each async for each in _carrying(work)]
        moves = [(each, change) for each in todo if (change := await _change(each, work))]
        body = {"id": id_, "by": by, "changes": [change for _, change in moves], "left_alone": alone}
        await governor.store.ledger.append(clinic, Kind.RESTORE, body, governor.clock())
        done = []
        for each, change in moves:
            await governor.store.intents.intend(change, governor.clock(), fence)
            done.append(await carry_out(change, None, each.account, known, hands))
    return Restored(id_, clinic, tuple(done), alone)


def _unsettled(settled: list[Applied]) -> dict[str, str]:
    """By campaign, what an interrupted change has to wait for: as in a run, nothing else is done about it meanwhile."""
    return {
        each.change.campaign: f"an earlier change of it was interrupted: {each.detail}; {AGAIN}"
        for each in settled
        if each.ending == "open"
    }


async def _carrying(work: _Work) -> AsyncIterator[_Carrying]:
    """The campaigns that carry a change of ours and read as we left them; of the others it is said why they are left."""
    for name, standing in sorted(work.known.items()):
        if name in work.alone or not moved_by_us(standing) or not _off_base(as_it_is(standing), standing):
            continue
        found = await _found(name, standing, work)
        if isinstance(found, _Carrying):
            yield found
        elif found:
            work.alone[name] = found


async def _found(name: str, standing: Standing, work: _Work) -> _Carrying | str:
    """A campaign that is to be put back; or why it is not, '' where nothing is left to put back."""
    platform, _, id_ = standing.of.partition("/")
    account = work.hands.outside.accounts.get(Platform(platform))
    if account is None or isinstance(account, Missing):
        return account.message if account else f"the rule file no longer names a {platform} account"
    seen, now = await _read(account, id_), work.hands.clock()
    if isinstance(seen, str):
        return seen
    mine = work.known[name] = _in_units(standing, seen)
    why = _why_not_ours(mine, seen, now)
    if why or mine.stood_down is not None or mine.expected != seen.state:
        return why
    return _Carrying(name, divided(mine, seen, now), account, seen)


def _in_units(standing: Standing, seen: Campaign) -> Standing:
    """With a base that its platform can hold: a file's may be finer."""
    base = base_of(standing)
    return standing if base is None else replace(standing, base=round_down(base, seen.unit))


def _off_base(state: State | None, standing: Standing) -> bool:
    """Whether a campaign in this state is otherwise than it would be without anybody's hand on it."""
    return state is not None and (not state.running or state.budget != base_of(standing))


def _why_not_ours(standing: Standing, seen: Campaign, now: datetime) -> str:
    """Whose it is where it is not as our last write left it; '' where it is, or where it is at base whoever made it so."""
    expected, reads = standing.expected, seen.state
    if standing.stood_down is not None:
        return _theirs(standing, standing.stood_down, seen) if _off_base(reads, standing) else ""
    left = f"we had left it {shown(expected)}" if expected else "we had left it alone"
    if lagging(standing, seen, now):
        return f"our own change does not show yet: it is {shown(reads)} on {seen.platform}, and {left}; {AGAIN}"
    if reads != expected:
        return f"somebody has changed it since: it is {shown(reads)} now, {left}" if _off_base(reads, standing) else ""
    if not ours(standing):
        return (
            f"it is {shown(reads)} because somebody made it so before the rules took it on ({_when(standing.since)}); "
            f"set it right on {seen.platform}"
        )
    return ""


def _theirs(standing: Standing, down: StoodDown, seen: Campaign) -> str:
    """What somebody did to a campaign, and what of ours they left."""
    part = f"; part of that is our doing, so set it right on {seen.platform}" if carries(standing) else ""
    left = f", we had left it {shown(standing.expected)}" if standing.expected else ""
    who = f"{down.by or 'somebody'} changed it ({_when(down.logged_at or down.since)})"
    return f"{who}: it is {shown(seen.state)} now{left}{part}"


def _when(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "at an unknown time"


async def _read(account: AdAccount, id_: str) -> Campaign | str:
    try:
        seen = (await account.read([id_]))[id_]
    except OutsideError as error:
        return f"it cannot be read: {error}"
    if isinstance(seen, Unreadable):
        return f"it cannot be read: {seen.message}"
    return seen.ineligible or seen


async def _change(each: _Carrying, work: _Work) -> Change | None:
    """The write that takes a campaign back, unless it is somebody else's by now, or there is nothing to write."""
    after = State(running=True, budget=_amount(each, work))
    if not each.seen.state.running and not work.unlogged and (why := await _somebody(each, work.hands)):
        work.alone[each.name] = why
        return None
    if after == each.seen.state:
        return None
    change = Change(
        id=f"{work.id}-{each.name}",
        decision="",
        run=work.id,
        clinic=work.hands.rules.clinic,
        campaign=each.name,
        platform=each.seen.platform,
        platform_id=each.seen.id,
        before=each.seen.state,
        after=after,
    )
    try:
        return aimed(change, each.seen, each.standing)
    except RefusedError as refusal:
        work.alone[each.name] = str(refusal)
        return None


def _amount(each: _Carrying, work: _Work) -> Decimal | None:
    """The budget to put back: base, or the one there is where others spend from it that are none of ours."""
    base, here = base_of(each.standing), each.seen.state.budget
    if base == here or not (why := strangers(each.seen, work.known)):
        return base
    work.alone[each.name] = f"its budget stays at {here}: {why}; set it right on {each.seen.platform}"
    return here


async def _somebody(each: _Carrying, hands: Hands) -> str:
    """Why a pause may not be ours any more, as far as the platform's change history tells; '' if it is."""
    now = hands.clock()
    try:
        logged = await each.account.history([each.seen], histories.since(each.standing, now), now)
    except OutsideError as error:
        return (
            f"who changed it since we paused it cannot be read ({error}); to end the pause all the same, say so (`--unlogged`)"
        )
    learnt = histories.learnt(each.standing, logged[each.seen.id], each.seen.state, now)
    down = learnt.stood_down
    return f"{down.by} paused or resumed it since" if down is not None else ""


async def acts_again(governor: Governor, clinic: str) -> bool:
    """Whether the next run may undo a restore: the rules still act on the clinic, and nobody holds all of it."""
    now = governor.clock()
    rules = (await in_force(governor.store, governor.directory, clinic, now, record=False)).rules
    holds = [counted(hold, rules) for hold in await governor.store.holds.holds(clinic, now)]
    held = any(hold.campaign is None and hold.service is None for hold in holds)
    return rules.mode is Mode.ENFORCE and not held and governor.kill_switch() is False
