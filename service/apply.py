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

from service.core.decide.admission import counted, covers
from service.core.decide.division import Found, aimed, by_id, found, lagging, written
from service.core.decide.histories import CLOCKS
from service.core.decide.model import Change, Decision, Hold, Span, Standing, StoodDown, change_of
from service.core.decide.people import changed, identity, recall, refused_for_spend
from service.core.decide.settling import Conclusion, Ending, concluded, sent, shown
from service.core.decide.sharing import sharers, strangers, why_not
from service.core.errors import AmbiguousWriteError, GovernorError, OutsideError, PartialWriteError, RefusedError, StoppedError
from service.core.model import Campaign, History, Reason, Shares, State, Unreadable, Verdict
from service.core.ports import AdAccount
from service.core.rules.language import CampaignEntry, RuleSet
from service.logs import redacted
from service.monitor import Changed, Monitor
from service.observe import Campaigns, Missing, Outside
from service.shared_budgets import SharedBudgets, followers, moves_budget
from service.store.intents import Outcome
from service.store.store import Store

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
    monitor: Monitor = field(default_factory=Monitor)

    async def settle(
        self, change: Change, ending: Outcome, detail: str, standings: Mapping[str, Standing] | None = None
    ) -> Applied:
        """Record what became of a change, and what is remembered from now on."""
        detail = redacted(detail)  # it is in the ledger for good
        body = {"detail": detail}
        await self.store.intents.settle(change.id, ending, body, self.clock(), self.fence, standings=standings)
        self.monitor.happened(Changed(change.platform, ending))
        return Applied(change, ending, detail)


@dataclass(frozen=True, slots=True)
class Ours:
    """A change that was sent: when, by which rule, and what is remembered of the campaigns."""

    change: Change
    sent_at: datetime
    rule: str | None
    known: Known

    def left(self, seen: Campaign, state: State, shares: Shares, rules: RuleSet, made: Span, at: datetime) -> Known:
        """What to remember, of this campaign and of the others on its budget, where we left it like this.

        The platform may date it anywhere in `made`; it counts as made `at`.
        """
        change = self.change
        mine = written(changed(self._mine(), change, state, self.rule, at, made), change, shares)
        found = {change.campaign: mine} | followers(change, seen, rules.campaigns, self.known, at)
        self.known.update(found)
        return found

    def stood_down(self, left: Known, down: StoodDown) -> Known:
        """`left`, with somebody else's hand on the campaign."""
        found = left | {self.change.campaign: replace(left.get(self.change.campaign) or self._mine(), stood_down=down)}
        self.known.update(found)
        return found

    def _mine(self) -> Standing:
        return recall(self.known, self.change.campaign, identity(self.change.platform, self.change.platform_id))

    def refused(self, seen: Campaign, error: OutsideError, at: datetime) -> Known:
        """What to remember of a write that was refused at `at`: a budget too low for what the day has cost."""
        change = self.change
        if error.code != Reason.SPENT_TODAY:
            return {}
        made = {change.campaign: refused_for_spend(self._mine(), change, seen.zone, at)}
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
    mine = recall(known, change.campaign, identity(change.platform, change.platform_id))
    if meanwhile := _meanwhile(change, seen, due, ours_yet_to_show=lagging(mine, seen, hands.clock())):
        return await hands.settle(change, "superseded", meanwhile)
    made = await _refused(change, seen, known, hands)
    if made is None:
        at = hands.clock()
        await hands.store.intents.send(change, at, hands.fence)
        made = await _write(replace(seen, state=due), Ours(change, at, rule, known), account, hands)
    hands.shared.ended(seen, change, made.ending)
    return made


def _meanwhile(change: Change, seen: Campaign, due: State, *, ours_yet_to_show: bool) -> str:
    """What somebody did since the run looked; our own last write may be no more than slow to appear."""
    if seen.state not in {change.before, due} and ours_yet_to_show:
        return f"our own last change does not show on {seen.platform} yet, which still has it {shown(seen.state)}"
    if seen.state not in {change.before, due}:
        return f"it changed since the run looked: it is {shown(seen.state)} now"
    if by_id(seen.shares) != by_id(change.shares_before):
        return "its budget was divided anew among its ad sets since the run looked"
    return ""


async def _refused(change: Change, seen: Campaign, known: Known, hands: Hands) -> Applied | None:
    """The end of a change that must not be made: by whom its shared budget concerns too, or by a person's word.

    Holds are read last, so that one counts up to the moment of the write.
    """
    if why := _not_to_be_moved(change, seen, known, hands):
        return await hands.settle(change, "failed", why)
    if stuck := hands.shared.stuck(seen, change):
        return Applied(change, "open", stuck.why) if stuck.open else await hands.settle(change, "failed", stuck.why)
    try:
        stop = await _stopped(change, seen, hands)
    except GovernorError as error:
        return await hands.settle(change, "failed", f"not sent, because {error}")
    return await hands.settle(change, "superseded", stop) if stop else None


def _not_to_be_moved(change: Change, seen: Campaign, known: Known, hands: Hands) -> str:
    """Why the amount may not be moved under others on its budget: by the rules, or, without a decision of theirs, as it is."""
    if not moves_budget(change):
        return ""
    return why_not(seen, hands.rules.campaigns) if change.decision else strangers(seen, known)


async def _no_further(change: Change, seen: Campaign, hands: Hands) -> str:
    """Why a write of several requests must not go on; what cannot be read stops it too."""
    try:
        return await _stopped(change, seen, hands)
    except GovernorError as error:
        return str(error)


async def _stopped(change: Change, seen: Campaign, hands: Hands) -> str:
    """Why nothing may be written now, read anew before each write; raises if it cannot be read. Others may share the budget."""
    if (switch := hands.kill_switch()) is None:
        raise GovernorError("the kill switch cannot be read")
    if switch:
        return "the kill switch is on"
    try:
        holds = await hands.store.holds.holds(change.clinic, hands.clock())
    except GovernorError as error:
        raise GovernorError(f"the holds cannot be read: {error}") from error
    entry = hands.rules.campaigns.get(change.campaign)
    others = sharers(seen, hands.rules.campaigns) if moves_budget(change) else ()
    for hold in (counted(each, hands.rules) for each in holds):
        if _covered(hold, change, entry):
            return f"held by {hold.by}: {hold.reason}"
        if any(covers(hold, other) for other in others):
            return f"its budget is shared: held by {hold.by}: {hold.reason}"
    return ""


def _covered(hold: Hold, change: Change, entry: CampaignEntry | None) -> bool:
    """Whether a hold covers the campaign; one that has left the file has no service any more."""
    if entry is not None:
        return covers(hold, entry)
    named = hold.campaign in {None, change.campaign} or hold.of == identity(change.platform, change.platform_id)
    return hold.service is None and named


async def _write(seen: Campaign, ours: Ours, account: AdAccount, hands: Hands) -> Applied:
    change = ours.change
    try:
        now = await account.write(seen, change.after, change.shares_after, partial(_no_further, change, seen, hands))
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
    change, reads, at = ours.change, found(ours.change, now), hands.clock()
    left = ours.left(now, change.after, change.shares_after, hands.rules, Span(ours.sent_at, at), at)
    if reads is Found.FOREIGN:  # a pause of ours is ours all the same
        return await hands.settle(change, "failed", f"written, but it reads back {shown(now.state)}", left)
    detail = "applied" if reads is Found.AFTER else "accepted; the platform still shows the value from before"
    return await hands.settle(change, "applied", detail, left)


async def _read(account: AdAccount, id_: str) -> Campaign:
    seen = (await account.read([id_]))[id_]
    if isinstance(seen, Unreadable):
        raise OutsideError(seen.system, seen.message)
    return seen


# --- when no answer came ------------------------------------------------------------------------------------------------------


async def settle_open(clinic: str, hands: Hands) -> list[Applied]:
    """Close the changes whose outcome nobody recorded, by reading the platform and its change history (`core.decide.settling`).

    One that cannot be read, or may be on its way yet, stays open. Of one that failed or stays open nothing is decided in this
    run.
    """
    done, unsettled = [], await hands.store.intents.open(clinic)
    known = await hands.store.memory.standings(clinic) if unsettled else {}
    for recorded in unsettled:
        change = recorded.change
        account = hands.outside.accounts.get(change.platform)
        if account is None or isinstance(account, Missing):
            why = account.message if account else f"the rule file no longer names a {change.platform} account"
            done.append(Applied(change, "open", f"no answer came, and it cannot be read: {why}"))
            continue
        if recorded.sent_at is None:
            done.append(await hands.settle(change, "superseded", "it was never sent"))
            continue
        rule = (await hands.store.decisions.decision(change.decision)).rule if change.decision else None
        done.append(await _settle(Ours(change, recorded.sent_at, rule, known), account, hands, "no answer came", late=True))
    return done


async def _settle(ours: Ours, account: AdAccount, hands: Hands, why: str, *, over: bool = False, late: bool = False) -> Applied:
    """Let the platform say what became of a change.

    `over`: nothing of it can be on its way any more; `late`: its change history can tell of it by now. What is found was made
    soon after it was sent, which may be long ago.
    """
    change = ours.change
    try:
        seen = await _read(account, change.platform_id)
    except OutsideError as error:
        return Applied(change, "open", f"{why}, and it cannot be read: {error}")
    now = hands.clock()
    made = sent(ours.sent_at, now)
    history = await _history(account, seen, made.first - CLOCKS, now) if late else None
    end = concluded(change, seen, history, made, now, over=over)
    detail = f"{why}; {end.detail}"
    if end.ending == "open":
        return Applied(change, "open", detail)
    return await hands.settle(change, end.ending, detail, _remembered(end, ours, seen, made, hands.rules))


def _remembered(end: Conclusion, ours: Ours, seen: Campaign, made: Span, rules: RuleSet) -> Known:
    """What is known of the campaigns once it is clear what became of a change."""
    found: Known = {}
    if end.ours:
        change, gone_over = ours.change, end.ending == "superseded"  # somebody has changed since what we had left
        left = (change.after, change.shares_after) if gone_over else (seen.state, seen.shares)
        found = ours.left(seen, *left, rules, made, made.first)
    return found if end.down is None else ours.stood_down(found, end.down)


async def _history(account: AdAccount, seen: Campaign, first: datetime, until: datetime) -> History | Unreadable:
    try:
        return (await account.history([seen], first, until))[seen.id]
    except OutsideError as error:
        return Unreadable(seen.platform, str(error))
