"""One campaign's rules, asked again with other readings, or later: by the judging that a run does, never by a formula. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from service.core.decide.model import Proposal, Reading, RuleState, RunInputs
from service.core.decide.proposals import Worth, propose
from service.core.engine import judge, state_in_force
from service.core.metrics import Ask
from service.core.model import Campaign, State
from service.core.outlook import Outlook
from service.core.rules.evaluate import Considered
from service.core.rules.language import CampaignEntry, Measure, Rule

HOUR = timedelta(hours=1)
"""How far apart runs are thought to be."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the rules want of one campaign. `inputs` are the run's, with nothing but this campaign and its rules in the file."""

    inputs: RunInputs
    entry: CampaignEntry
    seen: Campaign
    in_force: State
    ask: Ask
    worth: Worth

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The campaign's rules, in file order."""
        return self.inputs.rules.rules

    def considered(self) -> list[tuple[Rule, Considered]]:
        """What each rule comes to."""
        judged = judge(self.inputs, {self.entry.service: self.ask})[self.entry.service]
        return [(rule, judged[rule.name]) for rule in self.rules]

    def proposal(self) -> Proposal:
        """What the rules want."""
        return self._proposed(self.considered())

    def wish(self) -> State:
        """The state that the rules want, which is the one in force where they cannot tell."""
        return self.proposal().target or self.in_force

    def reading(self, measure: Measure, value: Reading) -> Question:
        """The same with one metric reading otherwise."""
        known = self.ask
        return replace(self, ask=lambda asked: value if asked == measure else known(asked))

    def lasting(self) -> Question:
        """The same as if every condition had been, for as long as its `for` asks, what it is now."""
        states = dict(self.inputs.rule_states)
        for rule in self.rules:
            key, since = f"{self.entry.service}/{rule.name}", self.inputs.now - rule.hold_for
            known = states.get(key, RuleState())
            began = [min(start or since, since) for start in (known.true_since, known.maybe_since)]
            states[key] = replace(known, true_since=began[0], maybe_since=began[1], seen_at=self.inputs.now)
        return replace(self, inputs=replace(self.inputs, rule_states=states))

    def hourly(self, hours: int) -> Iterator[Proposal]:
        """What the rules want now and at each of the next hourly runs, if no reading changes."""
        asked = self
        for _ in range(hours + 1):
            considered = asked.considered()
            yield self._proposed(considered)
            states = {f"{self.entry.service}/{rule.name}": result.state for rule, result in considered}
            asked = replace(asked, inputs=replace(asked.inputs, now=asked.inputs.now + HOUR, rule_states=states))

    def _proposed(self, considered: list[tuple[Rule, Considered]]) -> Proposal:
        return propose(self.entry, self.seen, self.in_force, considered, self.worth)


def question(inputs: RunInputs, view: Outlook, campaign: str) -> Question | None:
    """What a run asked about a campaign; None where its platform did not show the campaign, so that there is no proposal."""
    entry, seen = inputs.rules.campaigns[campaign], inputs.snapshot.campaigns.get(campaign)
    in_force = state_in_force(inputs, campaign)
    if not isinstance(seen, Campaign) or in_force is None:
        return None
    alone = replace(
        inputs.rules,
        services={entry.service: inputs.rules.services[entry.service]},
        campaigns={campaign: entry},
        rules=tuple(replace(rule, campaigns=(campaign,)) for rule in inputs.rules.rules if campaign in rule.campaigns),
    )
    return Question(replace(inputs, rules=alone), entry, seen, in_force, view.asks[entry.service], view.worth)
