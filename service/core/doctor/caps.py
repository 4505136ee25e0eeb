"""What the account's caps hide, and which thresholds of the rule file that puts out of reach. Pure.

Sources: Cliniko API, "Available Time"; Cliniko help, "Specify the number of available appointments shown online".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from service.core.capacity import capacity
from service.core.doctor.model import Area, Finding, Observed, Severity
from service.core.doctor.names import counted, listed
from service.core.doctor.provable import Proofs, needed, undecided
from service.core.doctor.witnesses import uncapped
from service.core.logic import Truth
from service.core.metrics import Seen
from service.core.model import Diaries, OnlineBookings
from service.core.observation import Observation, cap_of
from service.core.offers import sold_offers
from service.core.roster import Roster
from service.core.rules.language import UNITS, Bands, Compare, Op, Rule, RuleSet, Service
from service.core.rules.wording import comparison, number

CAP_ADVICE = "raise or lift the limit in Cliniko (Settings > Online bookings)"


@dataclass(frozen=True, slots=True)
class Part:
    """A comparison as a rule uses it: `role` says where, `vital` that the rule is dead without it."""

    rule: str
    role: str
    compare: Compare
    wanted: Truth
    vital: bool


def caps(_: Observed, diaries: Diaries) -> Iterator[Finding]:
    """The limits themselves."""
    bookings = diaries.bookings
    if limits := _limits(bookings):
        sentence = f"Cliniko shows {limits}, so free time beyond that is not seen: an open diary looks fuller than it is."
        advice = f"If the clinic can do without, {CAP_ADVICE}; the governor then sees all of it."
        yield Finding("caps", Area.CLINIKO, Severity.LOOK_AT, sentence, advice)


def _limits(bookings: OnlineBookings) -> str:
    found = []
    if cap := cap_of(bookings):
        starts = counted(cap, "start")
        found.append(f"at most {starts} per morning, afternoon and evening")
    if bookings.daily_limit is not None:
        found.append(f"no start on a day with {counted(bookings.daily_limit, 'online booking')}")
    return " and ".join(found)


def thresholds(rules: RuleSet, diaries: Diaries, seen: Observed) -> Iterator[Finding]:
    """What no diary, however full or empty, could ever be shown to satisfy; and what today's leaves open."""
    roster = Roster.of(diaries, seen.now)
    for service in rules.services.values():
        concerned = [rule for rule in rules.rules if _about(rule, service, rules)]
        if concerned and sold_offers(diaries, service) and diaries.bookings.enabled:
            yield from _of_service(service, concerned, diaries, roster)


def _about(rule: Rule, service: Service, rules: RuleSet) -> bool:
    return any(rules.campaigns[name].service == service.name for name in rule.campaigns)


def _of_service(service: Service, rules: list[Rule], diaries: Diaries, roster: Roster) -> Iterator[Finding]:
    limits = _limits(diaries.bookings)
    free = Proofs(uncapped(diaries), service, roster)
    capped = Proofs(diaries, service, roster) if limits else free
    for part in (part for rule in rules for part in _parts(rule, capped)):
        if not free.could(part.compare, wanted=part.wanted):
            yield _out_of_reach(service, part, free)
        elif not capped.could(part.compare, wanted=part.wanted):
            yield _unprovable(service, part, capped)
    if limits:
        yield from _open_now(service, rules, diaries, roster)


# --- what a rule needs proven -------------------------------------------------------------------------------------------


def _parts(rule: Rule, proofs: Proofs) -> Iterator[Part]:
    for role, condition in (("when", rule.when), ("until", rule.until)):
        vital = not proofs.proves(condition)
        yield from (Part(rule.name, f"`{role}`", each, wanted, vital) for each, wanted in needed(condition))
    if rule.bands is not None:
        yield from _steps(rule.name, rule.bands)


def _steps(rule: str, bands: Bands) -> Iterator[Part]:
    """A step is reached where it holds and every step before it is seen to fail."""
    compares = [
        Compare(bands.measure, each.op, each.threshold) for each in bands.steps if each.op and each.threshold is not None
    ]
    last = len(bands.steps) - 1
    for n, each in enumerate(compares):
        yield Part(rule, f"step {n + 1}", each, Truth.TRUE, vital=False)
        if n < last:
            yield Part(rule, f"the steps after step {n + 1}", each, Truth.FALSE, vital=False)


# --- sentences ----------------------------------------------------------------------------------------------------------


def _unprovable(service: Service, part: Part, proofs: Proofs) -> Finding:
    short = "proven" if part.wanted is Truth.TRUE else "ruled out"
    sentence = (
        f"{service.name}: the booking limits put {part.role} of rule `{part.rule}` out of reach: "
        f"`{comparison(part.compare)}` can never be {short}, because {_best(part, proofs)}."
    )
    severity = Severity.MUST_FIX if part.vital else Severity.LOOK_AT
    advice = f"Change the threshold, or {CAP_ADVICE}."
    return Finding("unprovable", Area.RULES, severity, sentence, advice)


def _out_of_reach(service: Service, part: Part, proofs: Proofs) -> Finding:
    never = "hold" if part.wanted is Truth.TRUE else "fail"
    sentence = (
        f"{service.name}: {part.role} of rule `{part.rule}` asks for what the present roster cannot give: "
        f"`{comparison(part.compare)}` can never {never}, because {_best(part, proofs)}."
    )
    severity = Severity.MUST_FIX if part.vital else Severity.LOOK_AT
    return Finding("out_of_reach", Area.RULES, severity, sentence, "Change the threshold.")


def _best(part: Part, proofs: Proofs) -> str:
    """The furthest that could be seen in the direction the comparison asks for."""
    reach, unit = proofs.reach(part.compare.measure), UNITS[part.compare.measure.metric]
    upwards = (part.compare.op in {Op.AT_LEAST, Op.ABOVE}) == (part.wanted is Truth.TRUE)
    if part.compare.op is Op.BETWEEN:
        return f"what can be seen goes from {number(reach.least, unit)} to {number(reach.most, unit)}"
    if upwards:
        return f"no diary is shown as surely more than {number(reach.most, unit)}"
    if math.isinf(reach.least):
        return "of no diary can be seen how small it is at most"
    return f"no diary is shown as surely less than {number(reach.least, unit)}"


def _open_now(service: Service, rules: list[Rule], diaries: Diaries, roster: Roster) -> Iterator[Finding]:
    """What the caps leave undecided of the diary as it stands, and only the caps."""
    view = Seen(roster.now, capacity(Observation.of(diaries, roster.now), service))
    if not view.capacity.complete:
        return
    conditions = [condition for rule in rules for condition in (rule.when, rule.until)]
    steps = [part.compare for rule in rules if rule.bands for part in _steps(rule.name, rule.bands)]
    found = [each for condition in [*conditions, *steps] for each in undecided(view, condition)]
    if found:
        names = listed(f"`{comparison(each)}`" for each in found)
        sentence = f"{service.name}: as the diary stands, the limit leaves undecided whether {names} holds."
        advice = f"Until it is clear, campaigns stay as they are or make the smallest move. To see more, {CAP_ADVICE}."
        yield Finding("undecided", Area.RULES, Severity.LOOK_AT, sentence, advice)
