"""Do the services of the rule file match what Cliniko sells: types, places, people, lead times? Pure.

Source: Cliniko API, "Available Time" (lead times), "Appointment Type".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import timedelta

from service.core.days import HORIZON
from service.core.doctor.equipment import suspects
from service.core.doctor.model import Area, Finding, Severity
from service.core.doctor.names import counted, listed, near, verb
from service.core.model import AppointmentType, Diaries
from service.core.offers import fold, sold_offers
from service.core.rules.language import RuleSet, Service

DAY = timedelta(days=1)
BLIND = HORIZON * DAY
"""A lead time from here on hides the whole window."""

SHADY = 2 * DAY
"""A lead time that hides enough of the window to be told."""

Check = Callable[[Service, Diaries], Iterator[Finding]]


def services(rules: RuleSet, diaries: Diaries) -> Iterator[Finding]:
    """Every check of every service."""
    for service in rules.services.values():
        found = [finding for check in CHECKS for finding in check(service, diaries)]
        yield from found
        if not any(finding.severity is Severity.MUST_FIX for finding in found):
            yield _sold(service, diaries)


def _sold(service: Service, diaries: Diaries) -> Finding:
    offers = sold_offers(diaries, service)
    people, places = ({getattr(offer, part) for offer in offers} for part in ("practitioner", "location"))
    sentence = f"{service.name}: sold online by {counted(len(people), 'practitioner')} at {counted(len(places), 'location')}."
    return Finding("service", Area.SERVICES, Severity.FINE, sentence)


def _must(check: str, service: Service, sentence: str, advice: str) -> Finding:
    return Finding(check, Area.SERVICES, Severity.MUST_FIX, f"{service.name}: {sentence}", advice)


def _look(check: str, service: Service, sentence: str, advice: str) -> Finding:
    return Finding(check, Area.SERVICES, Severity.LOOK_AT, f"{service.name}: {sentence}", advice)


def unknown_names(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """Names in the file that Cliniko does not have: a renamed type sells nothing."""
    kinds: tuple[tuple[str, str, Collection[str], Iterable[str]], ...] = (
        ("type", "appointment type", service.appointment_types, (each.name for each in diaries.types)),
        ("location", "location", service.locations or (), (each.name for each in diaries.locations)),
        ("practitioner", "practitioner", _people(service), (each.name for each in diaries.practitioners)),
    )
    for check, kind, named, there in kinds:
        known = tuple(there)
        folded = {fold(name) for name in known}
        taken = {fold(name) for name in named}
        for name in (each for each in named if fold(each) not in folded):
            guess = near(name, (each for each in known if fold(each) not in taken))
            shown = f"did you mean `{guess}`?" if guess else f"Cliniko has {listed(known) or 'none'}."
            advice = f"Correct the name in the rule file; {shown}"
            yield _must(f"unknown_{check}", service, f"Cliniko has no {kind} `{name}`.", advice)


def _people(service: Service) -> tuple[str, ...]:
    return (*(service.practitioners or ()), *service.exclude_practitioners)


def named_types(service: Service, diaries: Diaries) -> list[AppointmentType]:
    """The appointment types a service names, as it orders them."""
    by_name = {fold(each.name): each for each in reversed(diaries.types)}
    return [by_name[fold(name)] for name in service.appointment_types if fold(name) in by_name]


def group_types(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """Named by the file, but never counted."""
    names = [each.name for each in named_types(service, diaries) if each.group]
    if names:
        sentence = (
            f"{listed(names)} {verb(names, 'takes', 'take')} several people at once and {verb(names, 'is', 'are')} not counted."
        )
        yield _look(
            "group_types",
            service,
            sentence,
            "Take it out of `appointment_types`: its starts depend on classes, not on free time.",
        )


def hidden_types(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """Named by the file, but not bookable online."""
    names = [each.name for each in named_types(service, diaries) if not each.online and not each.group]
    if names:
        sentence = f"{listed(names)} {verb(names, 'is', 'are')} not shown in online bookings, so not counted."
        advice = "Tick `Show in online bookings` on the appointment type in Cliniko, or take it out of `appointment_types`."
        yield _look("hidden_types", service, sentence, advice)


def unoffered_types(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """Shown online, but given to nobody."""
    given = {offer.type for offer in diaries.offers}
    names = [each.name for each in named_types(service, diaries) if each.online and not each.group and each.id not in given]
    if names:
        advice = "In Cliniko give the type to the practitioners who do it, and to the location."
        yield _look("unoffered_types", service, f"nobody offers {listed(names)}.", advice)


def nothing_sold(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """What the decisions would call `not_sold_online`."""
    named = named_types(service, diaries)
    if not named or not diaries.bookings.enabled or sold_offers(diaries, service):
        return
    online = [each for each in named if each.online and not each.group]
    places = {each.id for each in diaries.locations if each.online}
    reason = (
        "none of its appointment types can be booked online" if not online
        else "no location is shown in online bookings" if not places
        else "nobody whom the file lets count offers its types online at a location that counts"
    )  # fmt: skip
    advice = "Its campaigns would never be moved. Correct the service in the rule file, or the online switches in Cliniko."
    yield _must("nothing_sold", service, f"nothing of it is sold online: {reason}.", advice)


def lead_times(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """A lead time hides the days before it; two weeks hide everything the forecast covers."""
    sold = {offer.type for offer in sold_offers(diaries, service)}
    types = [each for each in named_types(service, diaries) if each.id in sold]
    leads = {each.name: each.lead if each.lead is not None else diaries.bookings.lead for each in types}
    blind = [name for name, lead in leads.items() if lead >= BLIND]
    advice = "Shorten the lead time in Cliniko (on the appointment type, or in Settings > Online bookings)."
    if blind and len(blind) == len(leads):
        hours = max(int(lead.total_seconds()) // 3600 for lead in leads.values())
        sentence = f"a lead time of {hours} h hides all of the next {HORIZON} days: {listed(blind)}."
        yield _must("lead_time", service, sentence, advice)
    elif blind:
        sentence = f"{listed(blind)} {verb(blind, 'shows', 'show')} nothing inside {HORIZON} days, because of the lead time."
        yield _look("lead_time", service, sentence, f"{advice} Or take it out of `appointment_types`.")
    for lead in sorted({lead for lead in leads.values() if SHADY <= lead < BLIND}):
        names = [name for name, each in leads.items() if each == lead]
        days = f"{lead / DAY:.1f}".removesuffix(".0")
        sentence = f"a lead time of {days} days hides as much of the {HORIZON} days ahead: {listed(names)}."
        yield _look("lead_time", service, sentence, "Rules over a few days (`within: 3d`) will see little or nothing.")


def equipment(service: Service, diaries: Diaries) -> Iterator[Finding]:
    """Rooms and machines that count as people."""
    counted_in = {offer.practitioner for offer in sold_offers(diaries, service)}
    reasons = suspects(diaries)
    for person in diaries.practitioners:
        if person.id in counted_in and person.id in reasons:
            sentence = f"{person.name} may be a room or a machine ({reasons[person.id]}) and counts as a practitioner."
            yield _look("equipment", service, sentence, "If so, list it under `exclude_practitioners` of the service.")


CHECKS: tuple[Check, ...] = (
    unknown_names, group_types, hidden_types, unoffered_types, nothing_sold, lead_times, equipment,
)  # fmt: skip


def without_rule(rules: RuleSet) -> Iterator[Finding]:
    """Campaigns that stay at base whatever happens."""
    covered = {campaign for rule in rules.rules for campaign in rule.campaigns if rule.then or rule.bands}
    names = [name for name in rules.campaigns if name not in covered]
    if names:
        sentence = (
            f"No rule is about {listed(names)}: {verb(names, 'it runs', 'they run')} at the base budget whatever happens."
        )
        yield Finding("no_rule", Area.RULES, Severity.LOOK_AT, sentence, "Write a rule, or take the campaign out of the file.")
    idle = [name for name in rules.services if name not in {entry.service for entry in rules.campaigns.values()}]
    if idle:
        sentence = f"No campaign sells {listed(idle)}."
        yield Finding("no_campaign", Area.RULES, Severity.LOOK_AT, sentence, "Give it a campaign, or take the service out.")
