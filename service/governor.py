"""One run for one clinic, as named steps. Order only; the arithmetic is in `service.core`.

rules in force -> lease -> settle what a crash left open -> observe -> conclude -> record -> apply -> finish
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from service.apply import Applied, Hands, apply, settle_open
from service.core.comparing import further, merged, stretches
from service.core.decide import histories
from service.core.decide.model import Decision, RunInputs, RunOutcome
from service.core.doubt import bare
from service.core.engine import decide
from service.core.errors import GovernorError, LeaseLostError, NotFoundError
from service.core.known_names import Names, recalled
from service.core.model import Campaign, Diaries, Mode, Snapshot, Unreadable
from service.core.outlook import Outlook, outlook
from service.core.reports.seen import Kept, kept
from service.core.rules.language import RuleSet
from service.core.rules.walk import look_backs
from service.core.rules.windows import regions
from service.learning import booking_pace
from service.logs import redacted
from service.monitor import Decided, Monitor, Run, Step
from service.observe import Outside, observe, read_histories
from service.revisions import in_force
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.public_holidays import around
from service.spending import with_spend_of_today
from service.store.leases import TERM
from service.store.store import Store

RENEWAL_SECONDS = 60.0
"""How often a living worker says that it still has the clinic."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to. `status` is `finished`, `incomplete` (something could not be read or written) or `dry_run`."""

    run: str
    clinic: str
    status: str
    decisions: tuple[Decision, ...]
    changes: tuple[Applied, ...]
    outcome: RunOutcome
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Governor:
    """Everything a run needs, put together by `service.app`. `holder` names this process in leases."""

    store: Store
    directory: RuleDirectory
    outside: Callable[[RuleSet], Outside]
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    kill_switch: Callable[[], bool | None]
    engine: str
    holder: str
    monitor: Monitor = field(default_factory=Monitor)

    async def run(self, clinic: str, *, dry_run: bool = False, by: str | None = None) -> Report:
        """Evaluate one clinic once; a dry run observes and decides, and neither records nor changes anything.

        `by` is recorded: the person who asked for the run, None for the hourly loop.
        Raises `GovernorError`: no good rule file was ever seen, another worker has the clinic, the database is down.
        """
        run = self.new_id()
        with bound_contextvars(run=run, clinic=clinic), self.monitor.during(Run()) as ending:
            report = await self._run(run, clinic, dry_run=dry_run, by=by)
            ending.outcome = report.status
        return report

    async def _run(self, run: str, clinic: str, *, dry_run: bool, by: str | None) -> Report:
        revision = await in_force(self.store, self.directory, clinic, self.clock(), record=not dry_run)
        outside = self.outside(revision.rules)
        problems = (revision.problem,) if revision.problem else ()
        if dry_run:
            return await self._rehearse(run, revision.rules, outside, problems)
        async with self.lease(clinic) as fence:
            return await self._govern(run, self.hands(outside, revision.rules, fence), problems, by)

    def hands(self, outside: Outside, rules: RuleSet, fence: int) -> Hands:
        """What it takes to write to this outside, for whoever has the clinic's lease."""
        return Hands(outside, rules, self.store, self.clock, fence, self.kill_switch, monitor=self.monitor)

    async def _rehearse(self, run: str, rules: RuleSet, outside: Outside, problems: tuple[str, ...]) -> Report:
        names = await self.store.memory.names(rules.clinic)
        snapshot = await self._observe(outside, rules, names)
        inputs = await self._gather(run, replace(rules, mode=Mode.WATCH), snapshot, names, record=False)
        inputs, outcome, _ = await self._decide(outside, inputs)
        problems += _problems(snapshot, [])
        return Report(inputs.run, rules.clinic, "dry_run", outcome.decisions, (), outcome, problems)

    async def _govern(self, run: str, hands: Hands, problems: tuple[str, ...], by: str | None) -> Report:
        clinic = hands.rules.clinic
        await self._close_interrupted(clinic)
        await self.store.runs.begin(run, clinic, self.clock(), by)
        try:
            settled = await self._settle(hands)
            names = await self.store.memory.names(clinic)
            snapshot = without_open(await self._observe(hands.outside, hands.rules, names), settled)
            inputs = await self._gather(run, hands.rules, snapshot, names)
            inputs, outcome, view = await self._decide(hands.outside, inputs)
            await self._record(inputs, outcome, hands.fence, kept(inputs, outcome, view))
            applied = await self._apply(outcome, snapshot, hands)
        except Exception as error:
            with suppress(NotFoundError):  # a worker that has taken the clinic over has closed the run
                await self.store.runs.fail(run, said(error), self.clock())
            log.warning("run_failed", exc_info=not isinstance(error, GovernorError))
            raise
        problems += _problems(snapshot, [*settled, *applied])
        problems += ("the kill switch cannot be read, so nothing was changed",) if inputs.kill_switch is None else ()
        status = "incomplete" if problems else "finished"
        await self.store.runs.finish(run, status, {"problems": problems, "changes": len(applied)}, self.clock())
        log.info("run_finished", status=status, changes=len(applied))
        return Report(run, clinic, status, outcome.decisions, (*settled, *applied), outcome, problems)

    async def _close_interrupted(self, clinic: str) -> None:
        """A run that was killed never said how it ended; holding the lease, we know that it did."""
        for run in await self.store.runs.unfinished(clinic):
            await self.store.runs.fail(run.id, "interrupted", self.clock())

    async def _settle(self, hands: Hands) -> list[Applied]:
        with self.monitor.during(Step("settle")):
            return await settle_open(hands.rules.clinic, hands)

    async def _observe(self, outside: Outside, rules: RuleSet, names: Names) -> Snapshot:
        """What `rules` need, found by what their names last meant where nothing bears them any more."""
        with self.monitor.during(Step("observe")):
            snapshot = await observe(outside, replace(rules, services=recalled(rules.services, names)), self.clock())
            return await with_spend_of_today(self.store, snapshot)

    async def _gather(self, run: str, rules: RuleSet, snapshot: Snapshot, names: Names, *, record: bool = True) -> RunInputs:
        """Everything the run depends on besides what it observed."""
        with self.monitor.during(Step("gather")):
            return await self._gathered(run, rules, snapshot, names, record=record)

    async def _gathered(self, run: str, rules: RuleSet, snapshot: Snapshot, names: Names, *, record: bool) -> RunInputs:
        now, clinic = snapshot.taken_at, rules.clinic
        unreadable = isinstance(snapshot.diaries, Unreadable)
        known = await self.store.remembered(clinic, now)
        return RunInputs(
            run=run,
            clinic=clinic,
            now=now,
            engine=self.engine,
            rules=rules,
            snapshot=snapshot,
            baselines=await self._baselines(rules, snapshot),
            rule_states=known.rule_states,
            standings=known.standings,
            holds=known.holds,
            kill_switch=self.kill_switch(),
            cliniko_unreadable_since=await self.store.snapshots.cliniko_unreadable_since(clinic) if unreadable else None,
            pace=await booking_pace(self.store, clinic, known, now, self.engine, record=record),
            looked=known.looked,
            holidays=around(now, regions(rules)),
            names=names,
            numbers=known.numbers,
            approvals=known.approvals,
        )

    async def _decide(self, outside: Outside, inputs: RunInputs) -> tuple[RunInputs, RunOutcome, Outlook]:
        """What the run comes to, and what it had to know for it: a history is read only where something hangs on it."""
        with self.monitor.during(Step("decide")):
            view = outlook(inputs)
            outcome = decide(inputs, view)
            while wanted := histories.wanted(inputs, outcome):
                read = await read_histories(outside, inputs.snapshot, outcome.standings, wanted)
                inputs = replace(inputs, histories=inputs.histories | read)
                outcome = decide(inputs, view)
            return inputs, outcome, view

    async def _record(self, inputs: RunInputs, outcome: RunOutcome, fence: int, seen: Kept) -> None:
        with self.monitor.during(Step("record")):
            await self.store.runs.record(inputs, outcome, fence, seen)
        for decision in outcome.decisions:
            self.monitor.happened(Decided(decision.verdict, decision.reason))

    async def _apply(self, outcome: RunOutcome, snapshot: Snapshot, hands: Hands) -> list[Applied]:
        with self.monitor.during(Step("apply")):
            return await apply(outcome.decisions, snapshot.campaigns, outcome.standings, hands)

    async def _baselines(self, rules: RuleSet, present: Snapshot) -> tuple[Snapshot, ...]:
        """Older snapshots to compare with, and what tells of each, and of this run, what went of a sudden; newest first."""
        read = self.store.snapshots.baselines
        found = await read(rules.clinic, merged(stretches(present.taken_at, look_backs(rules))))
        empty = [each for each in (present, *found) if isinstance(each.diaries, Diaries) and bare(each.diaries)]
        more = await read(rules.clinic, merged(further(each.taken_at) for each in empty))
        found += tuple(each for each in more if each not in found)
        return tuple(sorted(found, key=lambda snapshot: snapshot.taken_at, reverse=True))

    @asynccontextmanager
    async def lease(self, clinic: str) -> AsyncIterator[int]:
        """Have a clinic to oneself while the block lasts; gives its fencing token. Raises LeaseLostError."""
        fence = await self.store.leases.acquire(clinic, self.holder, TERM, self.clock())
        if fence is None:
            raise LeaseLostError(f"another run of {clinic} is under way; try again when it is done")
        renewal = asyncio.create_task(self._renew(clinic, fence))
        try:
            yield fence
        finally:
            renewal.cancel()
            await self.store.leases.release(clinic, fence)

    async def _renew(self, clinic: str, fence: int) -> None:
        """Keep the lease; a worker that lost it finds out at its next write, which the fence refuses."""
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            with suppress(GovernorError):
                await self.store.leases.renew(clinic, fence, TERM, self.clock())


def without_open(snapshot: Snapshot, settled: list[Applied]) -> Snapshot:
    """A campaign whose last change was interrupted, and is not known to have been made or to be somebody's, is left alone."""
    unknown: dict[str, Campaign | Unreadable] = {
        each.change.campaign: Unreadable(each.change.platform, f"an earlier change was interrupted: {each.detail}")
        for each in settled
        if each.ending in {"failed", "open"}
    }
    return replace(snapshot, campaigns=snapshot.campaigns | unknown)


def _problems(snapshot: Snapshot, applied: list[Applied]) -> tuple[str, ...]:
    """What could not be read or done, a sentence each."""
    unread = [snapshot.diaries, *snapshot.campaigns.values()]
    found = [f"{each.system} could not be read: {each.message}" for each in unread if isinstance(each, Unreadable)]
    found += [f"{each.change.campaign}: {each.detail}" for each in applied if each.ending in {"failed", "open"}]
    return tuple(dict.fromkeys(found))


def said(error: Exception) -> str:
    """What may be shown of an error: of one that nobody foresaw no more than its name, for it quotes whatever it was about."""
    return redacted(str(error)) if isinstance(error, GovernorError) else f"{type(error).__name__}: see the log"
