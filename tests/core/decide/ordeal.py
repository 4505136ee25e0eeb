"""A clinic in the hands of an adversary: metrics that hop, people who meddle, files that are edited, hours that are missed.

Every hour goes through the real rules and guardrails, what they decide is carried out at once and remembered as the governor
would, and each change is entered in the books of its campaign (`books`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.decide.model import Decision, Hold, RuleState, RunInputs, RunOutcome, Standing, change_of
from service.core.decide.people import adopt, changed, identity, recall
from service.core.engine import decide
from service.core.model import Campaign, Diaries, Location, Snapshot, State, Unreadable, Verdict
from service.core.outlook import Outlook
from service.core.rules.language import CampaignEntry, RuleSet
from service.core.rules.trial.run import NOTHING_READ
from tests.core.decide.books import Books, Line, Made
from tests.core.decide.hops import Hour

CENT = Decimal("0.01")
AT_ONCE = timedelta(minutes=15)
DONE = {Verdict.APPLY, Verdict.AWAIT_APPROVAL}
DOWN = Unreadable("cliniko", "it did not answer")


def read_in(zone: str) -> Diaries:
    """A reading that says no more than where the clinic is: metrics are given."""
    return replace(NOTHING_READ, locations=(Location("1", "Here", zone, online=True),))


@dataclass(slots=True)
class Ordeal:
    """One clinic; `campaigns` and `books` by `<platform>/<id>`, because names in the file come and go."""

    rules: RuleSet
    now: datetime
    zone: str
    campaigns: dict[str, State] = field(default_factory=dict)
    books: dict[str, Books] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    states: dict[str, RuleState] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    down_since: datetime | None = None
    lagging: dict[str, tuple[datetime, State]] = field(default_factory=dict)
    ticks: int = 0
    _earlier: tuple[Snapshot, ...] = ()

    # --- what time and people do --------------------------------------------------------------------------------------------

    def meddle(self, name: str, state: State) -> None:
        """A person edits a campaign."""
        self.campaigns[me(self.rules.campaigns[name])] = state
        self.lagging.pop(me(self.rules.campaigns[name]), None)

    def readopt(self, name: str) -> None:
        """Somebody hands a campaign back as it stands."""
        entry = self.rules.campaigns[name]
        self.lagging.pop(me(entry), None)
        self.standings[name] = adopt(recall(self.standings, name, me(entry)), self.campaigns[me(entry)], self.now)

    def hold(self, campaign: str | None, until: datetime | None) -> None:
        """A person's word to leave it alone."""
        self.holds = (*self.holds, Hold("h", self.rules.clinic, until, "why not", "ana", self.now, campaign))

    def unhold(self) -> None:
        """All holds are ended."""
        self.holds = ()

    # --- a run ----------------------------------------------------------------------------------------------------------------

    def foresee(self, seen: Hour) -> list[Decision]:
        """What would be carried out in this hour."""
        return [each for each in self._concluded(seen, down=False).decisions if each.verdict in DONE]

    def run(self, seen: Hour, *, down: bool = False, blind: Iterable[str] = (), lag: bool = False) -> list[Line]:
        """One run; `down`: Cliniko cannot be read; `blind`: campaigns that cannot; `lag`: platforms show writes later."""
        self.ticks += len(self.rules.campaigns)
        self.holds = tuple(each for each in self.holds if each.until is None or each.until > self.now)
        self.down_since = (self.down_since or self.now) if down else None
        seen = seen.dark() if down else seen
        outcome = self._concluded(seen, down=down, blind=frozenset(blind))
        self.states, self.standings = outcome.rule_states, dict(outcome.standings)
        if not down:
            self._earlier = (Snapshot(self.rules.clinic, self.now, read_in(self.zone), {}),)
        assert [each.campaign for each in outcome.decisions] == list(self.rules.campaigns)
        return [self._carry_out(each, seen, lag=lag) for each in outcome.decisions if each.verdict in DONE]

    def _concluded(self, seen: Hour, *, down: bool, blind: frozenset[str] = frozenset()) -> RunOutcome:
        found = {name: self._shown(entry, blind) for name, entry in self.rules.campaigns.items()}
        diaries = DOWN if down else read_in(self.zone)
        inputs = RunInputs(
            run=self.now.isoformat(), clinic=self.rules.clinic, now=self.now, engine="test", rules=self.rules,
            snapshot=Snapshot(self.rules.clinic, self.now, diaries, found), baselines=self._earlier,
            rule_states=self.states, standings=self.standings, holds=self.holds, cliniko_unreadable_since=self.down_since,
        )  # fmt: skip
        return decide(inputs, Outlook(seen.asks(), seen.worth_of, {}))

    def _shown(self, entry: CampaignEntry, blind: frozenset[str]) -> Campaign | Unreadable:
        if entry.name in blind:
            return Unreadable(entry.platform, "it did not answer")
        state = self.campaigns.setdefault(me(entry), State(running=True, budget=entry.base))
        at, before = self.lagging.get(me(entry), (self.now, state))
        shown = before if self.now - at <= AT_ONCE else state
        return Campaign(entry.platform, entry.id, entry.name, shown, self.rules.currency, CENT, spent_month=Decimal(50))

    def _carry_out(self, decision: Decision, seen: Hour, *, lag: bool) -> Line:
        entry, change = self.rules.campaigns[decision.campaign], change_of(decision)
        assert change.before == self.campaigns[me(entry)], "a run goes by how a campaign is"
        assert self.standings[entry.name].stood_down is None, "people win"
        if lag:
            self.lagging[me(entry)] = (self.now, change.before)
        self.campaigns[me(entry)] = change.after
        self.standings[entry.name] = changed(self.standings[entry.name], change, change.after, decision.rule, self.now)
        made = Made(
            at=self.now, before=change.before, after=change.after, desired=decision.desired, rule=decision.rule,
            entry=entry, zone=self.zone, empty=seen.empty(entry.service),
        )  # fmt: skip
        return self.books.setdefault(me(entry), Books()).enter(made)


def me(entry: CampaignEntry) -> str:
    """What a campaign is, whatever the file calls it."""
    return identity(entry.platform, entry.id)
