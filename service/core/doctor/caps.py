"""What the account's caps hide, and which thresholds of the rule file that puts out of reach. Pure.

Sources: Cliniko API, "Available Time"; Cliniko help, "Specify the number of available appointments shown online".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from service.core.capacity import capacity
from service.core.doctor.model import Area, Finding, Observed, Severity
from service.core.doctor.names import counted, listed
from service.core.doctor.provable import Proofs, needed, undecided
from service.core.doctor.witnesses import uncapped
from service.core.logic import Bounds, Truth
from service.core.metrics import Seen
from service.core.model import Diaries, OnlineBookings
from service.core.observation import Observation, cap_of
from service.core.offers import sold_offers
from service.core.roster import Roster
from service.core.rules import wording
from service.core.rules.language import Bands, Compare, Op, Rule, RuleSet, Service
from service.core.rules.wording import comparison

CAP_ADVICE = "raise or lift the limit in Cliniko (Settings > Online bookings)"


@dataclass(frozen=True, slots=True)
class Part:
    """A comparison as a rule uses it: `role` says where, as does `path` in the file; `vital`: the rule is dead without it."""

    rule: str
    role: str
    path: tuple[str | int, ...]
    compare: Compare
    wanted: Truth
    vital: bool


@dataclass(frozen=True, slots=True)
class Shut:
    """A part that no reading of a service could ever be seen to satisfy; `capped`: but for the booking limits one could."""

    service: Service
    part: Part
    proofs: Proofs
    capped: bool


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
    for service, concerned in _concerned(rules, diaries, roster):
        for shut in _of_service(service, concerned, diaries, roster):
            yield _unprovable(shut) if shut.capped else _out_of_reach(shut)
        if _limits(diaries.bookings):
            yield from _open_now(service, concerned, diaries, roster)


def shut_by_caps(rules: RuleSet, diaries: Diaries, now: datetime) -> Iterator[Shut]:
    """Every part of a rule that some diary could satisfy, and none could be shown to because of the account's limits."""
    roster = Roster.of(diaries, now)
    for service, concerned in _concerned(rules, diaries, roster) if _limits(diaries.bookings) else ():
        yield from (shut for shut in _of_service(service, concerned, diaries, roster) if shut.capped)


def _concerned(rules: RuleSet, diaries: Diaries, roster: Roster) -> Iterator[tuple[Service, list[Rule]]]:
    """The services that can be judged, with the rules about them."""
    for service in rules.services.values():
        concerned = [rule for rule in rules.rules if _about(rule, service, rules)]
        if concerned and diaries.bookings.enabled and _rostered(diaries, service, roster):
            yield service, concerned


def _rostered(diaries: Diaries, service: Service, roster: Roster) -> bool:
    """Whether anybody works at all; else every threshold is out of reach, and that nobody works is told elsewhere."""
    return any(any(roster.working(offer.location, offer.practitioner)) for offer in sold_offers(diaries, service))


def _about(rule: Rule, service: Service, rules: RuleSet) -> bool:
    return any(rules.campaigns[name].service == service.name for name in rule.campaigns)


def _of_service(service: Service, rules: list[Rule], diaries: Diaries, roster: Roster) -> Iterator[Shut]:
    free = Proofs(uncapped(diaries), service, roster)
    capped = Proofs(diaries, service, roster) if _limits(diaries.bookings) else free
    for part in (part for rule in rules for part in _parts(rule, capped)):
        if not free.could(part.compare, wanted=part.wanted):
            yield Shut(service, part, free, capped=False)
        elif not capped.could(part.compare, wanted=part.wanted):
            yield Shut(service, part, capped, capped=True)


# --- what a rule needs proven -------------------------------------------------------------------------------------------


def _parts(rule: Rule, proofs: Proofs) -> Iterator[Part]:
    for role, condition in (("when", rule.when), ("until", rule.until)):
        vital = not proofs.proves(condition)
        yield from (Part(rule.name, f"`{role}`", (role,), each, wanted, vital) for each, wanted in needed(condition))
    if rule.bands is not None:
        yield from _steps(rule.name, rule.bands)


def _steps(rule: str, bands: Bands) -> Iterator[Part]:
    """A step is reached where it holds and every step before it is seen to fail."""
    compares = [
        Compare(bands.measure, each.op, each.threshold) for each in bands.steps if each.op and each.threshold is not None
    ]
    last = len(bands.steps) - 1
    for n, each in enumerate(compares):
        path = ("bands", "steps", n)
        yield Part(rule, f"step {n + 1}", path, each, Truth.TRUE, vital=False)
        if n < last:
            yield Part(rule, f"the steps after step {n + 1}", path, each, Truth.FALSE, vital=False)


# --- sentences ----------------------------------------------------------------------------------------------------------


def why_shut(shut: Shut) -> str:
    """Why the booking limits put a part out of reach, with the numbers."""
    short = "proven" if shut.part.wanted is Truth.TRUE else "ruled out"
    return f"`{comparison(shut.part.compare)}` can never be {short}, because {_best(shut.part, shut.proofs)}"


def _unprovable(shut: Shut) -> Finding:
    part = shut.part
    sentence = f"{shut.service.name}: the booking limits put {part.role} of rule `{part.rule}` out of reach: {why_shut(shut)}."
    severity = Severity.MUST_FIX if part.vital else Severity.LOOK_AT
    advice = f"Change the threshold, or {CAP_ADVICE}."
    return Finding("unprovable", Area.RULES, severity, sentence, advice)


def _out_of_reach(shut: Shut) -> Finding:
    part, never = shut.part, "hold" if shut.part.wanted is Truth.TRUE else "fail"
    sentence = (
        f"{shut.service.name}: {part.role} of rule `{part.rule}` asks for what the present roster cannot give: "
        f"`{comparison(part.compare)}` can never {never}, because {_best(part, shut.proofs)}."
    )
    severity = Severity.MUST_FIX if part.vital else Severity.LOOK_AT
    return Finding("out_of_reach", Area.RULES, severity, sentence, "Change the threshold.")


def _best(part: Part, proofs: Proofs) -> str:
    """The furthest that could be seen in the direction the comparison asks for."""
    reach = proofs.reach(part.compare.measure)
    least, most = (wording.reading(Bounds.exactly(end), part.compare) for end in (reach.least, reach.most))
    upwards = (part.compare.op in {Op.AT_LEAST, Op.ABOVE}) == (part.wanted is Truth.TRUE)
    if part.compare.op is Op.BETWEEN:
        return f"what can be seen goes from {least} to {most}"
    if upwards:
        return f"no diary is shown as surely more than {most}"
    if math.isinf(reach.least):
        return "no diary shows how small it is at most"
    return f"no diary is shown as surely less than {least}"


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
