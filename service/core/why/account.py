"""What each of a campaign's rules has to do with what was proposed. Pure."""

from __future__ import annotations

from service.core.decide.model import Proposal
from service.core.decide.proposals import because, fact
from service.core.logic import Truth
from service.core.rules import wording
from service.core.rules.evaluate import NO_MATCH, Considered
from service.core.rules.language import Rule
from service.core.why.model import Part, RulePart
from service.core.why.question import Question


def account(asking: Question) -> tuple[RulePart, ...]:
    """Every rule of the campaign, in file order."""
    proposal = asking.proposal()
    return tuple(_part(asking, proposal, rule, result) for rule, result in asking.considered())


def _part(asking: Question, proposal: Proposal, rule: Rule, result: Considered) -> RulePart:
    part, sentence = _told(asking, proposal, rule, result)
    return RulePart(rule.name, part, sentence, result.looks)


def _told(asking: Question, proposal: Proposal, rule: Rule, result: Considered) -> tuple[Part, str]:
    if rule.then is None and rule.bands is None:
        return Part.TELLS, f"tells {rule.notify} and never decides"
    if rule.name == proposal.rule:
        return Part.DECIDES, because(rule.name, result)
    if NO_MATCH in result.outcomes:
        return _not_sure(asking, rule, result)
    return (Part.OVERRULED if rule.name in proposal.overruled else Part.POSSIBLE), because(rule.name, result)


def _not_sure(asking: Question, rule: Rule, result: Considered) -> tuple[Part, str]:
    if len(result.outcomes) > 1:
        return Part.POSSIBLE, f"cannot tell: {_facts(result, Truth.UNKNOWN)}"
    if result.asleep:
        return Part.ASLEEP, "this is not its time (`active`)"
    if rule.until is None or not _ended(asking, rule):
        return _unmatched(asking, rule, result)
    return Part.NO_MATCH, f"its `until` holds: {_facts(result, Truth.TRUE)}"


def _ended(asking: Question, rule: Rule) -> bool:
    known = asking.inputs.rule_states.get(f"{asking.entry.service}/{rule.name}")
    return known is not None and known.on_since is not None


def _unmatched(asking: Question, rule: Rule, result: Considered) -> tuple[Part, str]:
    since = result.state.true_since or result.state.maybe_since
    if rule.hold_for and since is not None:
        held, asked = wording.duration(asking.inputs.now - since), wording.duration(rule.hold_for)
        return Part.WAITS, f"has held for {held} of the {asked} that its `for` asks: {_facts(result, Truth.TRUE)}"
    return Part.NO_MATCH, _facts(result, Truth.FALSE)


def _facts(result: Considered, truth: Truth) -> str:
    """The readings behind comparisons that came out so for their condition, or behind all if none did."""
    looks = [look for look in result.looks if look.bears is truth] or result.looks
    return ", ".join(dict.fromkeys(fact(look) for look in looks)) or "nothing is compared"
