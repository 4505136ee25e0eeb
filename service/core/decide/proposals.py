"""From rules to one proposal per campaign: the first rule that matches decides.

Where unobserved capacity leaves several outcomes possible, a move is proposed only if every outcome lies on the same side
of what is in force, and then it is the smallest of them; so bad data never moves spend further than, or against, what the
truth could justify. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from service.core.decide.model import Proposal, Reading
from service.core.logic import Bounds, Truth
from service.core.model import Campaign, Reason, State
from service.core.money import round_down
from service.core.rules import wording
from service.core.rules.budgets import budget_of
from service.core.rules.conditions import UNDEFINED, Look, foremost
from service.core.rules.evaluate import Considered
from service.core.rules.language import (
    Action,
    CampaignEntry,
    CostPerBooking,
    Pause,
    Rule,
)

Worth = Callable[[CampaignEntry, CostPerBooking], Reading]
"""What filling the expected unfilled openings is worth per day to one campaign, in money: never below 0."""


@dataclass(slots=True)  # not frozen, for speed: some are made for every campaign
class Option:
    """One outcome that the observed data leave possible: a state, and the rule behind it (None: no rule matches)."""

    target: State
    rule: str | None


def position(state: State) -> tuple[int, Decimal]:
    """Where a state stands on the scale of spending: any pause below any budget."""
    return (1, state.budget or Decimal(0)) if state.running else (0, Decimal(0))


def propose(
    entry: CampaignEntry,
    seen: Campaign,
    in_force: State,
    considered: Sequence[tuple[Rule, Considered]],
    worth: Worth,
) -> Proposal:
    """What the rules want for one campaign; `considered` are its rules in file order, each judged for its service."""
    options, decisive, causes = _options(entry, seen, in_force, considered, worth)
    cause = foremost(causes)
    overruled = _overruled(considered[len(decisive) :])
    chosen = _choose(options, in_force)
    certain = len({position(option.target) for option in options}) == 1
    if chosen is None or (not certain and cause in UNDEFINED):
        return Proposal(entry.name, None, None, overruled, _unsure(options, decisive), cause or Reason.DATA_INCOMPLETE, False)
    sentence = _because(chosen.rule, considered) + _priced(chosen.rule, considered, entry, worth)
    return Proposal(entry.name, chosen.target, chosen.rule, overruled, sentence, None if certain else cause, certain)


def _options(
    entry: CampaignEntry,
    seen: Campaign,
    in_force: State,
    considered: Sequence[tuple[Rule, Considered]],
    worth: Worth,
) -> tuple[list[Option], list[tuple[Rule, Considered]], list[Reason | None]]:
    """Every outcome still possible, the rules that had to be asked for it, and what keeps them from being sure."""
    options: list[Option] = []
    asked, causes = [], []
    for rule, result in considered:
        asked.append((rule, result))
        causes.append(result.cause)
        for action in result.outcomes:
            if action is not None:
                targets, cause = _targets(action, entry, seen, in_force, worth)
                options += [Option(target, rule.name) for target in targets]
                causes.append(cause)
        if None not in result.outcomes:
            return options, asked, causes
    base = State(running=True, budget=round_down(entry.base, seen.unit))
    return [*options, Option(base, None)], asked, causes


def _targets(
    action: Action, entry: CampaignEntry, seen: Campaign, in_force: State, worth: Worth
) -> tuple[list[State], Reason | None]:
    """The state an action asks for; the lowest and the highest, and why, where it depends on what was not observed."""
    if isinstance(action, Pause):
        return [State(running=False, budget=in_force.budget)], None
    if isinstance(action, CostPerBooking):
        value = worth(entry, action)
        ends = dict.fromkeys(min(end, float(entry.ceiling)) for end in (value.bounds.low, value.bounds.high))
        return [State(running=True, budget=round_down(Decimal(repr(end)), seen.unit)) for end in ends], value.cause
    return [State(running=True, budget=round_down(budget_of(action, entry), seen.unit))], None


def _choose(options: Sequence[Option], in_force: State) -> Option | None:
    """The smallest move if all options lie on one side of what is in force, else None."""
    here = position(in_force)
    above = [option for option in options if position(option.target) > here]
    below = [option for option in options if position(option.target) < here]
    if len(above) == len(options):
        return min(above, key=lambda option: position(option.target))
    if len(below) == len(options):
        return max(below, key=lambda option: position(option.target))
    if above or below:
        return None
    return options[0]


def _overruled(rest: Sequence[tuple[Rule, Considered]]) -> tuple[str, ...]:
    return tuple(rule.name for rule, result in rest if None not in result.outcomes)


def share_of(entries: Mapping[str, CampaignEntry], entry: CampaignEntry) -> Decimal:
    """The part of its service's money that is `entry`'s: its base budget over the sum of the service's base budgets."""
    return entry.base / sum((other.base for other in entries.values() if other.service == entry.service), Decimal(0))


def worth_of(slots: Reading, entries: Mapping[str, CampaignEntry], entry: CampaignEntry, action: CostPerBooking) -> Reading:
    """What filling `slots`, the service's expected unfilled openings over the action's days, is worth a day to one campaign."""
    price = float(action.cost * share_of(entries, entry)) / action.within
    found = slots.bounds
    estimate = None if found.estimate is None else found.estimate * price
    return Reading(Bounds(estimate, found.low * price, found.high * price), slots.cause)


# --- sentences ----------------------------------------------------------------------------------------------------------


def _because(name: str | None, considered: Sequence[tuple[Rule, Considered]]) -> str:
    if name is None:
        return "no rule matches, so the base budget holds"
    return because(name, next(result for rule, result in considered if rule.name == name))


def because(name: str, result: Considered) -> str:
    """Why a rule matches, with the numbers it used."""
    if not result.said:
        result.said.append(_said(name, result))
    return result.said[0]


def _said(name: str, result: Considered) -> str:
    if result.latched and result.asleep:
        return f"“{name}” is on, and stays on while it is not looked at (`active`)"
    if result.latched:
        seen = "; ".join(fact(look) for look in result.looks)
        return f"“{name}” stays on until its `until` holds ({seen})"
    facts = [fact(look) for look in result.looks if look.bears is not Truth.FALSE] or [*map(_failing, result.looks[-1:])]
    return f"“{name}”: {', '.join(facts)}" if facts else f"“{name}” applies always"


def _failing(look: Look) -> str:
    """`otherwise` rests on the last step's failing."""
    return fact(replace(look, negated=not look.negated))


def _priced(name: str | None, considered: Sequence[tuple[Rule, Considered]], entry: CampaignEntry, worth: Worth) -> str:
    """`; openings expected to stay unfilled over 14 days are worth 38.57 a day at 45.00 per booking`."""
    actions = (action for rule, result in considered if rule.name == name for action in result.outcomes)
    action = next((action for action in actions if isinstance(action, CostPerBooking)), None)
    if action is None:
        return ""
    value = worth(entry, action).bounds
    amount = f"{value.low:.2f}" if value.exact else f"between {value.low:.2f} and {value.high:.2f}"
    what = f"openings expected to stay unfilled over {action.within} days are worth {amount} a day"
    return f"; {what} to this campaign at {action.cost:f} per booking"


def fact(look: Look) -> str:
    """`utilisation over 14 days is 97% (at least 95%)`: what was read, and what it had to be."""
    value = wording.reading(look.reading.bounds, look.compare, look.margin)
    wanted = wording.threshold(look.compare, negated=look.negated) + wording.margin_of(look.margin, look.compare.measure)
    return f"{wording.measure(look.compare.measure)} is {value} ({wanted})"


def _unsure(options: Sequence[Option], decisive: Sequence[tuple[Rule, Considered]]) -> str:
    unknown = [look for _, result in decisive for look in result.looks if look.truth is Truth.UNKNOWN]
    facts = ", ".join(dict.fromkeys(fact(look) for look in unknown))
    turned = ", ".join(f"“{rule.name}”" for rule, result in decisive if result.state.maybe_off or result.state.maybe_bands)
    if turned and not unknown:
        facts = f"what an earlier hour did not show may have turned {turned}"
    wanted = ", ".join(dict.fromkeys("base budget" if o.rule is None else f"“{o.rule}”" for o in options))
    return f"cannot tell which holds of {wanted}" + (f": {facts}" if facts else "") + "; nothing is changed"
