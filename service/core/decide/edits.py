"""What an edit of a rule file would do: hold the new file against the last run's readings, beside the file in force.

Both files are judged on the same readings and the same memory, so whatever differs is the edit's doing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from service.core.decide.left import carries, why_left
from service.core.decide.model import Decision, RunInputs, RunOutcome, Standing
from service.core.decide.people import identity
from service.core.engine import clinic_zone, conclude
from service.core.model import Mode, State, Verdict
from service.core.money import shown
from service.core.rules.language import RuleSet

KEPT = {Verdict.KEEP, Verdict.REFUSED}


def effects(inputs: RunInputs, edited: RuleSet) -> tuple[str, ...]:
    """A sentence for everything that `edited` would change, were the run of `inputs` made with it.

    `inputs` are those of the newest run, with the file in force and what is remembered now.
    """
    inputs = replace(inputs, standings={name: _before(each, inputs.now) for name, each in inputs.standings.items()})
    after = replace(inputs, rules=replace(edited, mode=Mode.ENFORCE))
    before = replace(inputs, rules=replace(inputs.rules, mode=Mode.ENFORCE))
    moved = _moved(_by_identity(before), _by_identity(after), edited)
    return (*moved, *_left_behind(inputs, edited), *_forgotten(inputs, edited))


def _before(standing: Standing, now: datetime) -> Standing:
    """What is remembered without what the run itself wanted: the edit is judged in its place."""
    return replace(standing, proposals=tuple(each for each in standing.proposals if each.at < now))


def _by_identity(inputs: RunInputs) -> dict[str, tuple[RunOutcome, Decision]]:
    outcome = conclude(inputs)
    return {identity(each.platform, each.platform_id): (outcome, each) for each in outcome.decisions}


def _moved(
    before: Mapping[str, tuple[RunOutcome, Decision]], after: Mapping[str, tuple[RunOutcome, Decision]], edited: RuleSet
) -> Iterator[str]:
    """What the edit has the rules want, where that differs from what the file in force wants."""
    for me, (outcome, decision) in after.items():
        wanted = outcome.proposals.get(decision.campaign)
        old, was = before.get(me, (None, None))
        known = old.proposals.get(was.campaign) if old and was else None
        if wanted is None or wanted.target is None or decision.before is None:
            continue
        if wanted.target in {decision.before, known.target if known else None}:
            if was and decision.after not in {None, decision.before, was.after}:  # guardrails make something else of it
                yield f"{_verb(decision.before, decision.after, edited.currency)} {decision.campaign}: {decision.sentence}"
            continue
        not_yet = f"; not at once: {decision.sentence}" if decision.verdict in KEPT else ""
        yield f"{_verb(decision.before, wanted.target, edited.currency)} {decision.campaign}: {wanted.sentence}{not_yet}"


def _verb(here: State, target: State, currency: str) -> str:
    """`will resume`, `will pause`, `will set 78.00 AUD (now 60.00 AUD) for`."""
    if here.running != target.running:
        return "will resume" if target.running else "will pause"
    return f"will set {shown(target.budget, currency)} a day (now {shown(here.budget, currency)}) for"


def _left_behind(inputs: RunInputs, edited: RuleSet) -> Iterator[str]:
    """Campaigns that carry our change and would no longer be governed."""
    for name, standing in sorted(inputs.standings.items()):
        why = why_left(standing, edited)
        if why and carries(standing):
            yield f"leaves {name} {_as_it_is(standing, edited.currency)}, because {why}: nobody puts it back by itself"


def _as_it_is(standing: Standing, currency: str) -> str:
    state = standing.expected
    return "paused by the governor" if state is None or not state.running else f"at {shown(state.budget, currency)} a day"


def _forgotten(inputs: RunInputs, edited: RuleSet) -> Iterator[str]:
    """Latches that are on for a service under a name that no latching rule about it has in the edited file."""
    latches = [rule for rule in edited.rules if rule.until is not None]
    latching = {f"{edited.campaigns[name].service}/{rule.name}" for rule in latches for name in rule.campaigns}
    zone = ZoneInfo(clinic_zone((inputs.snapshot, *inputs.baselines)))
    for key, state in sorted(inputs.rule_states.items()):
        service, _, rule = key.partition("/")
        if state.on_since is not None and key not in latching:
            since = f"{state.on_since.astimezone(zone):%a %d %b %H:%M}"
            yield f"forgets that “{rule}” is on for {service} since {since}: what a rule remembers is kept under its name"
