"""Carrying decisions out: apply once, and people win.

    intent recorded -> campaign read again -> written -> read back -> outcome recorded

Values are absolute. The intent is in the ledger before the first byte goes out, so a run that is killed anywhere leaves
either no intent and no write, or an open intent that the next start settles by reading the platform. Nothing is ever sent
again blindly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.core.decide.admission import covers
from service.core.decide.model import Change, Decision, Hold, Standing, change_of
from service.core.decide.people import PROPAGATION, changed, identity, recall
from service.core.errors import AmbiguousWriteError, GovernorError, OutsideError
from service.core.model import Campaign, State, Unreadable, Verdict
from service.core.ports import AdAccount
from service.core.rules.language import RuleSet
from service.observe import Missing, Outside
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

    `kill_switch` is asked before every write; None means that it cannot be read, which counts as on.
    """

    outside: Outside
    rules: RuleSet
    store: Store
    clock: Callable[[], datetime]
    fence: int
    kill_switch: Callable[[], bool | None]

    async def settle(self, change: Change, ending: Outcome, detail: str, standing: Standing | None = None) -> Applied:
        """Record what became of a change."""
        body = {"detail": detail}
        await self.store.intents.settle(change.id, ending, body, self.clock(), self.fence, standing=standing)
        return Applied(change, ending, detail)


async def apply(decisions: tuple[Decision, ...], standings: Mapping[str, Standing], hands: Hands) -> list[Applied]:
    """Carry out what was decided, one campaign after the other; one that is refused never blocks the next."""
    done = []
    for decision in decisions:
        account = hands.outside.accounts.get(decision.platform)
        if decision.verdict is not Verdict.APPLY or account is None or isinstance(account, Missing):
            continue
        change = change_of(decision)
        await hands.store.intents.intend(change, hands.clock(), hands.fence)
        standing = standings.get(decision.campaign, Standing())
        done.append(await carry_out(change, decision.rule, account, standing, hands))
    return done


async def carry_out(change: Change, rule: str | None, account: AdAccount, standing: Standing, hands: Hands) -> Applied:
    """Make a change that is recorded as intended, on behalf of `rule` (None: of nobody's), and record what became of it."""
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return await hands.settle(change, "failed", f"it could not be read again before the write: {error}")
    if seen.state != change.before:
        return await hands.settle(change, "superseded", f"it changed since the run looked: it is {shown(seen.state)} now")
    if stop := await _stopped(change, hands):  # last, so that a hold counts up to the moment of the write
        return await hands.settle(change, "superseded", stop)
    try:
        written = await account.write(seen, change.after)
    except AmbiguousWriteError:
        return await _settle(change, hands.clock(), account, rule, standing, hands)
    except OutsideError as error:
        return await hands.settle(change, "failed", f"{error.code}: {error}" if error.code else str(error))
    return await _read_back(change, rule, written.state, standing, hands)


async def _stopped(change: Change, hands: Hands) -> str:
    """Why nothing may be written now, read anew before each write; what cannot be read stops."""
    if hands.kill_switch() is not False:
        return "the kill switch is on or cannot be read"
    try:
        holds = await hands.store.holds.holds(change.clinic, hands.clock())
    except GovernorError as error:
        return f"the holds cannot be read: {error}"
    hold = next((hold for hold in holds if _covered(hold, change, hands.rules)), None)
    return f"held by {hold.by}: {hold.reason}" if hold else ""


def _covered(hold: Hold, change: Change, rules: RuleSet) -> bool:
    entry = rules.campaigns.get(change.campaign)  # one that has left the file has no service any more
    return covers(hold, entry) if entry is not None else hold.service is None and hold.campaign in {None, change.campaign}


async def _read_back(change: Change, rule: str | None, readback: State, standing: Standing, hands: Hands) -> Applied:
    """The platform said yes; what it shows now decides. Its old value may linger for a while, any other is an alarm."""
    if readback not in {change.after, change.before}:
        return await hands.settle(change, "failed", f"written, but it reads back {shown(readback)}")
    detail = "applied" if readback == change.after else "accepted; the platform still shows the value from before"
    return await hands.settle(change, "applied", detail, changed(standing, change, change.after, rule, hands.clock()))


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
    done = []
    for recorded in await hands.store.intents.open(clinic):
        change = recorded.change
        account = hands.outside.accounts.get(change.platform)
        if account is None or isinstance(account, Missing):
            why = account.message if account else f"the rule file no longer names a {change.platform} account"
            done.append(Applied(change, "open", f"no answer came, and it cannot be read: {why}"))
            continue
        standing = recall(standings, change.campaign, identity(change.platform, change.platform_id))
        rule = (await hands.store.decisions.decision(change.decision)).rule if change.decision else None
        done.append(await _settle(change, recorded.intended_at, account, rule, standing, hands))
    return done


async def _settle(
    change: Change, intended_at: datetime, account: AdAccount, rule: str | None, standing: Standing, hands: Hands
) -> Applied:
    """Let the platform say what became of a change whose answer never came."""
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return Applied(change, "open", f"no answer came, and it cannot be read: {error}")
    if seen.state == change.after:
        now_standing = changed(standing, change, seen.state, rule, hands.clock())
        return await hands.settle(change, "applied", "no answer came; found applied", now_standing)
    if seen.state != change.before:
        return await hands.settle(change, "superseded", f"no answer came; found {shown(seen.state)}")
    if hands.clock() - intended_at < PROPAGATION:
        return Applied(change, "open", "no answer came, and it still reads as before: the write may be on its way")
    detail = "no answer came; it reads as before: not written, or undone by somebody since"
    return await hands.settle(change, "failed", detail)
