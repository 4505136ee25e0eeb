"""What several tests need: a world read without sockets, and a run on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from service.core.comparing import compared
from service.core.decide.model import Decision, RunInputs, RunOutcome, Standing, change_of
from service.core.decide.people import changed
from service.core.doubt import bare
from service.core.engine import conclude
from service.core.known_names import recalled
from service.core.model import Campaign, Diaries, Platform, Snapshot, State, Unreadable, Verdict
from service.core.roster import NO_NUMBERS
from service.core.rules.language import RuleSet
from service.core.rules.walk import look_backs
from service.rulefiles.directory import RuleDirectory
from service.sandbox.reading import diaries
from service.sandbox.world import World

RULES = Path(__file__).parent.parent / "rules"
CENT = Decimal("0.01")


def shipped(clinic: str) -> RuleSet:
    """A shipped rule file."""
    return RuleDirectory(RULES).load(clinic).rules


def campaigns(world: World, rules: RuleSet) -> dict[str, Campaign | Unreadable]:
    """The campaigns of a rule file as the world's ad accounts hold them."""
    found: dict[str, Campaign | Unreadable] = {}
    for name, entry in rules.campaigns.items():
        if entry.platform is Platform.GOOGLE and rules.google:
            account = world.google[rules.google.customer_id]
            item = account.campaigns[entry.id]
            budget = Decimal(account.budgets[item.budget].amount_micros) / 1_000_000
            state = State(item.status == "ENABLED", budget.quantize(CENT))
        elif rules.meta:
            one = world.meta[rules.meta.ad_account_id].campaigns[entry.id]
            state = State(one.status == "ACTIVE", (Decimal(one.daily_budget or 0) / 100).quantize(CENT))
        found[name] = Campaign(entry.platform, entry.id, name, state, rules.currency, CENT)
    return found


def snapshot(world: World, rules: RuleSet) -> Snapshot:
    """Everything one run would observe, faultlessly."""
    read = diaries(world.clinics[rules.clinic], tuple(rules.services.values()), world.now)
    return Snapshot(rules.clinic, world.now, read, campaigns(world, rules))


def local(world: World, text: str, zone: str = "Australia/Sydney") -> timedelta:
    """How far the world's present is from a local `YYYY-MM-DD HH:MM`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)) - world.now


def write(world: World, rules: RuleSet, campaign: str, target: State) -> None:
    """Make a campaign of the world be `target`, as an ad adapter would."""
    entry, budget = rules.campaigns[campaign], target.budget or Decimal(0)
    if entry.platform is Platform.GOOGLE and rules.google:
        account = world.google[rules.google.customer_id]
        account.campaigns[entry.id].status = "ENABLED" if target.running else "PAUSED"
        account.budgets[account.campaigns[entry.id].budget].amount_micros = int(budget * 1_000_000)
    elif rules.meta:
        one = world.meta[rules.meta.ad_account_id].campaigns[entry.id]
        one.status = "ACTIVE" if target.running else "PAUSED"
        one.daily_budget = int(budget * 100)


class Governed:
    """A clinic governed in memory: runs are concluded and their decisions are carried out on the world at once."""

    def __init__(self, world: World, rules: RuleSet) -> None:
        self.world, self.rules = world, rules
        self.outcomes: list[tuple[RunInputs, RunOutcome]] = []
        self.standings: dict[str, Standing] = {}
        self.applied: list[Decision] = []
        self.observe: Callable[[World, RuleSet], Snapshot] = snapshot

    def inputs(self) -> RunInputs:
        now, last = self.world.now, self.outcomes[-1][1] if self.outcomes else None
        names = last.names if last else {}
        seen = self.observe(self.world, replace(self.rules, services=recalled(self.rules.services, names)))
        unread = itertools.takewhile(lambda past: isinstance(past[0].snapshot.diaries, Unreadable), reversed(self.outcomes))
        since = [inputs.now for inputs, _ in unread]
        return RunInputs(
            run=f"run{len(self.outcomes)}",
            clinic=self.rules.clinic,
            now=now,
            engine="test",
            rules=self.rules,
            snapshot=seen,
            baselines=tuple(self._baselines(seen)),
            rule_states=last.rule_states if last else {},
            standings=self.standings,
            names=names,
            numbers=last.numbers if last else NO_NUMBERS,
            cliniko_unreadable_since=(since[-1] if since else now) if isinstance(seen.diaries, Unreadable) else None,
        )

    def _baselines(self, present: Snapshot) -> Iterator[Snapshot]:
        """The earlier snapshots that a run compares with, newest first."""
        read = [past.snapshot for past, _ in reversed(self.outcomes) if isinstance(past.snapshot.diaries, Diaries)]
        nothing = {each.taken_at for each in (present, *read) if isinstance(each.diaries, Diaries) and bare(each.diaries)}
        places = compared(present.taken_at, [each.taken_at for each in read], look_backs(self.rules), nothing)
        return (read[n] for n in places)

    def run(self) -> RunOutcome:
        inputs = self.inputs()
        outcome = conclude(inputs)
        self.outcomes.append((inputs, outcome))
        self.standings = dict(outcome.standings)
        for decision in outcome.decisions:
            if decision.verdict is Verdict.APPLY:
                self._apply(decision)
        return outcome

    def _apply(self, decision: Decision) -> None:
        change = change_of(decision)
        write(self.world, self.rules, decision.campaign, change.after)
        known = self.standings[decision.campaign]
        self.standings[decision.campaign] = changed(known, change, change.after, decision.rule, decision.at)
        self.applied.append(decision)
