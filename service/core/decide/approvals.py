"""Asking people: what they were asked, whether it is still the question, and what an answer allows.

An approval authorises a campaign's move to a target, and the guarded steps towards it; not another target, nor the same one
after the rules, the direction or somebody's hand on the campaign changed, nor what gave a run pause only later. A question that
stays the same keeps its id, so that people are told of it once; after a day without an answer it is asked anew, and so is one
whose yes could not be acted on for a day. A rejection stands while the question would be the same. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from service.core.decide.case import Case
from service.core.decide.model import Answer, Approval, Decision, Restraint
from service.core.decide.people import identity
from service.core.decide.proposals import position
from service.core.model import Reason, State
from service.core.money import percent_of
from service.core.rules.language import CampaignEntry, RuleSet

PATIENCE = timedelta(hours=24)
"""How long a question waits for its answer, and a yes for being carried out."""

ASKED_ABOUT = frozenset({Reason.BLAST_RADIUS, Reason.PLATFORM_UNREADABLE})
"""Restraints that ask a person whatever the mode."""

STANDING = frozenset({Answer.PENDING, Answer.APPROVED, Answer.REJECTED})
"""Answers of a question that is still the question."""


def reviewed(approval: Approval | None, case: Case, rules: RuleSet) -> Approval | None:
    """A question as it stands at this run: ended where it is no longer the question, is settled, or waited too long."""
    if approval is None or approval.answer not in STANDING:
        return None
    if _void(approval, case, rules):
        return replace(approval, answer=Answer.VOID)
    if _reached(approval, case):
        return replace(approval, answer=Answer.DONE if approval.answer is Answer.APPROVED else Answer.VOID)
    return replace(approval, answer=Answer.EXPIRED) if _aged(approval, case) else approval


def _aged(approval: Approval, case: Case) -> bool:
    """Whether a question waited too long for its answer, or a yes for being carried out. A no does not age.

    Steps that are made under a yes keep it fresh: each gives it as long again, from when the next one may follow.
    """
    since = approval.asked_at
    if approval.answer is Answer.APPROVED:
        given = approval.at or approval.asked_at
        steps = [change.at + case.rails.cooldown for change in case.standing.changes if change.at >= given]
        since = max([given, *steps])
    return approval.answer is not Answer.REJECTED and case.clinic.now - since >= PATIENCE


def allows(approval: Approval, case: Case, target: State) -> bool:
    """Whether going to `target` is what was asked about, or a step on the way there."""
    if case.in_force is None:
        return False
    way, step = _direction(case.in_force, approval.target), _direction(case.in_force, target)
    within = _close(target, approval.target, case) or _direction(target, approval.target) == way
    return step == way != 0 and within


def asks_about(restraints: Iterable[Restraint]) -> tuple[Reason, ...]:
    """What of a decision's restraints asks a person whatever the mode, in the order it came up."""
    return tuple(dict.fromkeys(each.reason for each in restraints if each.reason in ASKED_ABOUT))


def _void(approval: Approval, case: Case, rules: RuleSet) -> bool:
    entry = case.entry
    changed = approval.of != identity(entry.platform, entry.id) or approval.rules != rules_of(rules, entry)
    return changed or case.standing.stood_down is not None or _another(approval, case)


def _another(approval: Approval, case: Case) -> bool:
    """Whether the rules want something else now; where they cannot say what they want, the question waits."""
    if case.proposal is None or case.proposal.target is None or case.in_force is None:
        return False
    fresh = case.proposal.target
    meant, wanted = _direction(approval.before, approval.target), _direction(case.in_force, fresh)
    if wanted == -meant:
        return True
    return not (_close(approval.target, fresh, case) or (not case.proposal.certain and allows(approval, case, fresh)))


def _reached(approval: Approval, case: Case) -> bool:
    return case.in_force is not None and _close(approval.target, case.in_force, case)


def _close(one: State, other: State, case: Case) -> bool:
    """Whether two states are the same within the dead band."""
    if not (one.running and other.running) or one.budget is None or other.budget is None:
        return not one.running and not other.running
    return abs(one.budget - other.budget) <= percent_of(case.entry.base, case.rails.dead_band)


def _direction(before: State, after: State) -> int:
    here, there = position(before), position(after)
    return (there > here) - (there < here)


def rules_of(rules: RuleSet, entry: CampaignEntry) -> str:
    """A digest of all in the rule file that bears on one campaign; where it stands in the file does not count."""
    entry = rules.campaigns[entry.name]  # as it is written there, whatever its platform can hold
    bearing = [replace(rule, line=0) for rule in rules.rules if entry.name in rule.campaigns]
    whole = (entry, bearing, rules.services[entry.service], rules.daily_cap, rules.monthly_cap)
    return hashlib.sha256(repr(whole).encode()).hexdigest()


def questions(
    cases: Iterable[Case], decisions: Iterable[Decision], known: Mapping[str, Approval], rules: RuleSet
) -> Iterator[Approval]:
    """The questions as a run leaves them: those it began with, ended or not, and the ones its decisions ask anew."""
    by_name = {case.entry.name: case for case in cases}
    asked = {each.campaign: each for each in decisions if each.asks == each.id}
    for name, approval in known.items():
        now = reviewed(approval, by_name[name], rules) if name in by_name else replace(approval, answer=Answer.VOID)
        if now is not None:
            yield replace(now, answer=Answer.VOID) if name in asked and now.answer in STANDING else now
    yield from (_asked(by_name[name], decision, rules) for name, decision in asked.items())


def _asked(case: Case, decision: Decision, rules: RuleSet) -> Approval:
    """The question that a decision puts: what the rules want, or no more than the decision where that leads elsewhere."""
    before, after = decision.before, decision.after
    if before is None or after is None:
        raise ValueError(f"decision {decision.id} asks to go from {before} to {after}")
    me, now = identity(case.entry.platform, case.entry.id), case.clinic.now
    told = asks_about(decision.restraints)
    digest = rules_of(rules, case.entry)
    found = Approval(decision.id, case.clinic.slug, decision.campaign, me, before, after, digest, now, about=told)
    whole = replace(found, target=decision.desired or after)
    return whole if allows(whole, case, after) else found
