"""Carrying decisions out: apply once, and people win.

    intent recorded -> campaign read again -> written -> read back -> outcome recorded

Values are absolute. The intent is in the ledger before the first byte goes out, so a run that is killed anywhere leaves
either no intent and no write, or an open intent that the next start settles by reading the platform. Nothing is ever sent
again blindly. Where a budget is divided among ad sets a write can stop half-way: as long as each of them reads as before or
as wanted, all of it is ours, and the next run goes on from what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Literal

from service.core.decide.admission import covers
from service.core.decide.division import Found, aimed, by_id, found, half_way, written
from service.core.decide.model import Change, Decision, Hold, Standing, change_of
from service.core.decide.people import PROPAGATION, changed, identity, recall, refused_for_spend
from service.core.decide.sharing import sharers, why_not
from service.core.errors import AmbiguousWriteError, GovernorError, OutsideError, PartialWriteError, RefusedError, StoppedError
from service.core.model import Campaign, Reason, Shares, State, Unreadable, Verdict
from service.core.ports import AdAccount
from service.core.rules.language import CampaignEntry, RuleSet
from service.observe import Campaigns, Missing, Outside
from service.shared_budgets import SharedBudgets, followers, moves_budget
from service.store.intents import Outcome
from service.store.store import Store

Ending = Literal["applied", "failed", "superseded", "open"]

Known = dict[str, Standing]
"""What is remembered of each campaign, kept up to date from change to change."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one change; `detail` is a sentence. `open`: unknown, to be settled by the next start."""

    change: Change
    ending: Ending
    detail: str


@dataclass(frozen=True, slots=True)
class Hands:
    """What applying needs: the outside, the rules in force, the store, the clock, and the fence of the clinic's lease.

    `kill_switch` is asked before every write; None means that it cannot be read, which counts as on. `shared` is what this
    run has done to shared budgets.
    """

    outside: Outside
    rules: RuleSet
    store: Store
    clock: Callable[[], datetime]
    fence: int
    kill_switch: Callable[[], bool | None]
    shared: SharedBudgets = field(default_factory=SharedBudgets)

    async def settle(
        self, change: Change, ending: Outcome, detail: str, standings: Mapping[str, Standing] | None = None
    ) -> Applied:
        """Record what became of a change, and what is remembered from now on."""
        body = {"detail": detail}
        await self.store.intents.settle(change.id, ending, body, self.clock(), self.fence, standings=standings)
        return Applied(change, ending, detail)


@dataclass(frozen=True, slots=True)
class Ours:
    """A change that was begun: when, by which rule, and what is remembered of the campaigns."""

    change: Change
    intended_at: datetime
    rule: str | None
    known: Known

    def left(self, seen: Campaign, state: State, shares: Shares, rules: RuleSet, at: datetime) -> Known:
        """What to remember, of this campaign and of the others on its budget, where we left it like this at `at`."""
        change = self.change
        mine = recall(self.known, change.campaign, identity(change.platform, change.platform_id))
        made = {change.campaign: written(changed(mine, change, state, self.rule, at), change, shares)}
        made |= followers(change, seen, rules.campaigns, self.known, at)
        self.known.update(made)
        return made

    def refused(self, seen: Campaign, error: OutsideError, at: datetime) -> Known:
        """What to remember of a write that was refused at `at`: a budget too low for what the day has cost."""
        change = self.change
        if error.code != Reason.SPENT_TODAY:
            return {}
        mine = recall(self.known, change.campaign, identity(change.platform, change.platform_id))
        made = {change.campaign: refused_for_spend(mine, change, seen.zone, at)}
        self.known.update(made)
        return made


async def apply(
    decisions: tuple[Decision, ...], seen: Campaigns, standings: Mapping[str, Standing], hands: Hands
) -> list[Applied]:
    """Carry out what was decided about campaigns as `seen`, one after the other; one that is refused never blocks the next.

    What only pauses or resumes comes first: a shared budget that is moved later is then moved under it.
    """
    done, known = [], dict(standings)
    due = [decision for decision in decisions if decision.verdict is Verdict.APPLY]
    for decision in sorted(due, key=lambda decision: moves_budget(change_of(decision))):
        account = hands.outside.accounts.get(decision.platform)
        if account is None or isinstance(account, Missing):
            continue
        standing = known.get(decision.campaign, Standing())
        change, refusal = _aimed(change_of(decision), seen.get(decision.campaign), standing)
        await hands.store.intents.intend(change, hands.clock(), hands.fence)
        if refusal is not None:
            done.append(await hands.settle(change, "failed", _said(refusal)))
        else:
            done.append(await carry_out(change, decision.rule, account, known, hands))
    return done


def _aimed(change: Change, seen: Campaign | Unreadable | None, standing: Standing) -> tuple[Change, RefusedError | None]:
    """The change with what it makes of every ad set, or why it cannot be divided among them."""
    try:
        return aimed(change, seen, standing) if isinstance(seen, Campaign) else change, None
    except RefusedError as refusal:
        return change, refusal


async def carry_out(change: Change, rule: str | None, account: AdAccount, known: Known, hands: Hands) -> Applied:
    """Make a change that is recorded as intended, on behalf of `rule` (None: of nobody's), and record what became of it."""
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return await hands.settle(change, "failed", f"it could not be read again before the write: {error}")
    due = hands.shared.expected(seen, change.before)
    if meanwhile := _meanwhile(change, seen, due):
        return await hands.settle(change, "superseded", meanwhile)
    made = await _refused(change, seen, hands)
    if made is None:
        made = await _write(replace(seen, state=due), Ours(change, hands.clock(), rule, known), account, hands)
    hands.shared.ended(seen, change, made.ending)
    return made


def _meanwhile(change: Change, seen: Campaign, due: State) -> str:
    """What somebody did since the run looked."""
    if seen.state not in {change.before, due}:
        return f"it changed since the run looked: it is {shown(seen.state)} now"
    if by_id(seen.shares) != by_id(change.shares_before):
        return "its budget was divided anew among its ad sets since the run looked"
    return ""


async def _refused(change: Change, seen: Campaign, hands: Hands) -> Applied | None:
    """The end of a change that must not be made: by whom its shared budget concerns too, or by a person's word.

    Holds are read last, so that one counts up to the moment of the write.
    """
    if why := why_not(seen, hands.rules.campaigns):
        return await hands.settle(change, "failed", why)
    if stuck := hands.shared.stuck(seen, change):
        return Applied(change, "open", stuck.why) if stuck.open else await hands.settle(change, "failed", stuck.why)
    stop = await _stopped(change, seen, hands)
    return await hands.settle(change, "superseded", stop) if stop else None


async def _stopped(change: Change, seen: Campaign, hands: Hands) -> str:
    """Why nothing may be written now, read anew before each write; what cannot be read stops. Others may share the budget."""
    if hands.kill_switch() is not False:
        return "the kill switch is on or cannot be read"
    try:
        holds = await hands.store.holds.holds(change.clinic, hands.clock())
    except GovernorError as error:
        return f"the holds cannot be read: {error}"
    entry = hands.rules.campaigns.get(change.campaign)
    others = sharers(seen, hands.rules.campaigns) if moves_budget(change) else ()
    for hold in holds:
        if _covered(hold, change, entry):
            return f"held by {hold.by}: {hold.reason}"
        if any(covers(hold, other) for other in others):
            return f"its budget is shared: held by {hold.by}: {hold.reason}"
    return ""


def _covered(hold: Hold, change: Change, entry: CampaignEntry | None) -> bool:
    """Whether a hold covers the campaign; one that has left the file has no service any more."""
    return covers(hold, entry) if entry is not None else hold.service is None and hold.campaign in {None, change.campaign}


async def _write(seen: Campaign, ours: Ours, account: AdAccount, hands: Hands) -> Applied:
    change = ours.change
    try:
        now = await account.write(seen, change.after, change.shares_after, partial(_stopped, change, seen, hands))
    except StoppedError as error:
        return await hands.settle(change, "superseded", str(error))
    except AmbiguousWriteError:
        return await _settle(ours, account, hands, "no answer came")
    except PartialWriteError as error:
        ours.refused(seen, error, hands.clock())
        return await _settle(ours, account, hands, _said(error), over=True)
    except OutsideError as error:
        return await hands.settle(change, "failed", _said(error), ours.refused(seen, error, hands.clock()))
    return await _read_back(ours, replace(seen, state=now.state, shares=now.shares), hands)


def _said(error: OutsideError) -> str:
    return f"{error.code}: {error}" if error.code else str(error)


async def _read_back(ours: Ours, now: Campaign, hands: Hands) -> Applied:
    """The platform said yes; what it shows now decides. Its old values may linger for a while, any other is an alarm."""
    change, reads = ours.change, found(ours.change, now)
    if reads is Found.FOREIGN:
        return await hands.settle(change, "failed", f"written, but it reads back {shown(now.state)}")
    detail = "applied" if reads is Found.AFTER else "accepted; the platform still shows the value from before"
    left = ours.left(now, change.after, change.shares_after, hands.rules, hands.clock())
    return await hands.settle(change, "applied", detail, left)


async def _read(account: AdAccount, id_: str) -> Campaign:
    seen = (await account.read([id_]))[id_]
    if isinstance(seen, Unreadable):
        raise OutsideError(seen.system, seen.message)
    return seen


def shown(state: State) -> str:
    """`running at 60.00` or `paused at 60.00`."""
    return f"{'running' if state.running else 'paused'} at {state.budget}"


# --- when no answer came ------------------------------------------------------------------------------------------------------


async def settle_open(clinic: str, standings: Mapping[str, Standing], hands: Hands) -> list[Applied]:
    """Close the changes whose outcome nobody recorded, by reading the platform.

    A campaign that reads as we wanted it: applied. As it was: failed, once a write could no longer be on its way. Anything
    else: superseded. One that cannot be read stays open. Unless it was applied, nothing is decided about it in this run.
    """
    done, known = [], dict(standings)
    for recorded in await hands.store.intents.open(clinic):
        change = recorded.change
        account = hands.outside.accounts.get(change.platform)
        if account is None or isinstance(account, Missing):
            why = account.message if account else f"the rule file no longer names a {change.platform} account"
            done.append(Applied(change, "open", f"no answer came, and it cannot be read: {why}"))
            continue
        rule = (await hands.store.decisions.decision(change.decision)).rule if change.decision else None
        done.append(await _settle(Ours(change, recorded.intended_at, rule, known), account, hands, "no answer came"))
    return done


async def _settle(ours: Ours, account: AdAccount, hands: Hands, why: str, *, over: bool = False) -> Applied:
    """Let the platform say what became of a change; `over`: nothing of it can be on its way any more.

    What is found was made when it was intended, which may be long ago: its change history will tell that time.
    """
    change = ours.change
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return Applied(change, "open", f"{why}, and it cannot be read: {error}")
    reads = found(change, seen)
    if reads is Found.AFTER:
        left = ours.left(seen, seen.state, seen.shares, hands.rules, ours.intended_at)
        return await hands.settle(change, "applied", f"{why}; found applied", left)
    if reads is Found.FOREIGN:
        return await hands.settle(change, "superseded", f"{why}; found {shown(seen.state)}")
    if not over and hands.clock() - ours.intended_at < PROPAGATION:
        how = "it still reads as before" if reads is Found.BEFORE else f"only a part can be seen ({half_way(change, seen)})"
        return Applied(change, "open", f"{why}, and {how}: the write may be on its way")
    if reads is Found.PARTLY:
        left = ours.left(seen, seen.state, seen.shares, hands.rules, ours.intended_at)
        return await hands.settle(change, "failed", f"{why}; {half_way(change, seen)}; the next run goes on from there", left)
    detail = f"{why}; it reads as before: not written, or undone by somebody since"
    return await hands.settle(change, "failed", detail)
