"""Carrying decisions out: apply once, and people win.

    intent recorded -> campaign read again -> written -> read back -> outcome recorded

Values are absolute. The intent is in the ledger before the first byte goes out, so a run that is killed anywhere leaves
either no intent and no write, or an open intent that the next start settles by reading the platform. Nothing is ever sent
again blindly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from service.core.decide.admission import covers
from service.core.decide.model import Change, Decision, Standing, change_of
from service.core.decide.people import PROPAGATION, changed, identity, recall
from service.core.decide.sharing import sharers, why_not
from service.core.errors import AmbiguousWriteError, GovernorError, OutsideError
from service.core.model import Campaign, State, Unreadable, Verdict
from service.core.ports import AdAccount
from service.core.rules.language import CampaignEntry, RuleSet
from service.observe import Missing, Outside
from service.shared_budgets import SharedBudgets, followers, moves_budget
from service.store.intents import Outcome
from service.store.store import Store

Ending = Literal["applied", "failed", "superseded", "open"]


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


Known = dict[str, Standing]
"""What is remembered of each campaign, kept up to date from change to change."""


async def apply(decisions: tuple[Decision, ...], standings: Mapping[str, Standing], hands: Hands) -> list[Applied]:
    """Carry out what was decided, one campaign after the other; one that is refused never blocks the next.

    What only pauses or resumes comes first: a shared budget that is moved later is then moved under it.
    """
    done, known = [], dict(standings)
    due = [decision for decision in decisions if decision.verdict is Verdict.APPLY]
    for decision in sorted(due, key=lambda decision: moves_budget(change_of(decision))):
        account = hands.outside.accounts.get(decision.platform)
        if account is None or isinstance(account, Missing):
            continue
        change = change_of(decision)
        await hands.store.intents.intend(change, hands.clock(), hands.fence)
        done.append(await _carry_out(change, decision.rule, account, known, hands))
    return done


async def _carry_out(change: Change, rule: str | None, account: AdAccount, known: Known, hands: Hands) -> Applied:
    if stop := await _stopped(change, [hands.rules.campaigns[change.campaign]], hands):
        return await hands.settle(change, "superseded", stop)
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return await hands.settle(change, "failed", f"it could not be read again before the write: {error}")
    due = hands.shared.expected(seen, change.before)
    if seen.state not in {change.before, due}:
        return await hands.settle(change, "superseded", f"it changed since the run looked: it is {shown(seen.state)} now")
    made = await _refused(change, seen, hands) or await _write(change, rule, account, replace(seen, state=due), known, hands)
    hands.shared.ended(seen, change, made.ending)
    return made


async def _write(change: Change, rule: str | None, account: AdAccount, seen: Campaign, known: Known, hands: Hands) -> Applied:
    try:
        written = await account.write(seen, change.after)
    except AmbiguousWriteError:
        return await _settle(change, hands.clock(), account, rule, known, hands)
    except OutsideError as error:
        return await hands.settle(change, "failed", f"{error.code}: {error}" if error.code else str(error))
    return await _read_back(change, rule, replace(seen, state=written.state), known, hands)


async def _refused(change: Change, seen: Campaign, hands: Hands) -> Applied | None:
    """The end of a change that must not be made because of whom its shared budget concerns too."""
    if why := why_not(seen, hands.rules.campaigns):
        return await hands.settle(change, "failed", why)
    if stuck := hands.shared.stuck(seen, change):
        return Applied(change, "open", stuck.why) if stuck.open else await hands.settle(change, "failed", stuck.why)
    others = sharers(seen, hands.rules.campaigns) if moves_budget(change) else ()
    if stop := await _stopped(change, others, hands):
        return await hands.settle(change, "superseded", f"its budget is shared: {stop}")
    return None


async def _stopped(change: Change, entries: Sequence[CampaignEntry], hands: Hands) -> str:
    """Why nothing may be written now, read anew before each write; what cannot be read stops."""
    if not entries:
        return ""
    if hands.kill_switch() is not False:
        return "the kill switch is on or cannot be read"
    try:
        holds = await hands.store.holds.holds(change.clinic, hands.clock())
    except GovernorError as error:
        return f"the holds cannot be read: {error}"
    hold = next((hold for hold in holds if any(covers(hold, entry) for entry in entries)), None)
    return f"held by {hold.by}: {hold.reason}" if hold else ""


async def _read_back(change: Change, rule: str | None, seen: Campaign, known: Known, hands: Hands) -> Applied:
    """The platform said yes; what it shows now decides. Its old value may linger for a while, any other is an alarm."""
    if seen.state not in {change.after, change.before}:
        return await hands.settle(change, "failed", f"written, but it reads back {shown(seen.state)}")
    detail = "applied" if seen.state == change.after else "accepted; the platform still shows the value from before"
    return await hands.settle(change, "applied", detail, _made(change, rule, seen, known, hands))


def _made(change: Change, rule: str | None, seen: Campaign, known: Known, hands: Hands) -> Known:
    """What is remembered once a change is made: of its campaign, and of the others on its budget."""
    now, mine = hands.clock(), recall(known, change.campaign, identity(change.platform, change.platform_id))
    made = {change.campaign: changed(mine, change, change.after, rule, now)}
    made |= followers(change, seen, hands.rules.campaigns, known, now)
    known |= made
    return made


async def _read(account: AdAccount, id_: str) -> Campaign:
    seen = (await account.read([id_]))[id_]
    if isinstance(seen, Unreadable):
        raise OutsideError(seen.system, seen.message)
    return seen


def shown(state: State) -> str:
    """`running at 60.00` or `paused`."""
    return f"running at {state.budget}" if state.running else "paused"


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
        rule = (await hands.store.decisions.decision(change.decision)).rule
        done.append(await _settle(change, recorded.intended_at, account, rule, known, hands))
    return done


async def _settle(
    change: Change, intended_at: datetime, account: AdAccount, rule: str | None, known: Known, hands: Hands
) -> Applied:
    """Let the platform say what became of a change whose answer never came."""
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return Applied(change, "open", f"no answer came, and it cannot be read: {error}")
    if seen.state == change.after:
        return await hands.settle(change, "applied", "no answer came; found applied", _made(change, rule, seen, known, hands))
    if seen.state != change.before:
        return await hands.settle(change, "superseded", f"no answer came; found {shown(seen.state)}")
    if hands.clock() - intended_at < PROPAGATION:
        return Applied(change, "open", "no answer came, and it still reads as before: the write may be on its way")
    detail = "no answer came; it reads as before: not written, or undone by somebody since"
    return await hands.settle(change, "failed", detail)
