"""What the diaries themselves show: nothing where there should be something, and something where there should be nothing.

Sources: Cliniko API issues 133, 173, 245, 303 and 380 (404 answers), 99 and 199 (starts outside rostered time). Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from service.core import intervals
from service.core.doctor.model import Area, Finding, Observed, Severity
from service.core.doctor.names import counted, listed, verb
from service.core.model import Diaries, Offer, Probe, Unseen
from service.core.offers import sold_offers
from service.core.roster import Roster
from service.core.rules.language import RuleSet

DOUBTFUL = 0.2
"""So large a share of starts outside rostered time is no accident of a few appointments."""


def diaries(rules: RuleSet, found: Diaries, seen: Observed) -> Iterator[Finding]:
    """Every check of what was shown for the services of `rules`."""
    sold = {name: sold_offers(found, service) for name, service in rules.services.items()}
    yield from _without_hours(sold, found)
    yield from _unseen(sold, found)
    yield from _silent(sold, found)
    yield from _outside(found, Roster.of(found, seen.now))


def _finding(check: str, severity: Severity, sentence: str, advice: str) -> Finding:
    return Finding(check, Area.SERVICES, severity, sentence, advice)


def _without_hours(sold: dict[str, tuple[Offer, ...]], found: Diaries) -> Iterator[Finding]:
    """Somebody sold online with no weekly hours and no extra ones is never free."""
    people, places = _names(found)
    rostered = {(hours.location, hours.practitioner) for hours in found.hours}
    rostered |= {(block.location, block.practitioner) for block in found.extra if block.location}
    for service, offers in sold.items():
        idle = {(o.practitioner, o.location) for o in offers if (o.location, o.practitioner) not in rostered}
        if not idle:
            continue
        everybody = idle == {(offer.practitioner, offer.location) for offer in offers}
        names = sorted(f"{people[person]} ({places[place]})" for person, place in idle)
        sentence = f"{service}: {listed(names)} {verb(names, 'has', 'have')} no working hours in Cliniko."
        advice = "Enter the hours in Cliniko, or take the practitioner off online bookings there."
        yield _finding("no_hours", Severity.MUST_FIX if everybody else Severity.LOOK_AT, sentence, advice)


def _unseen(sold: dict[str, tuple[Offer, ...]], found: Diaries) -> Iterator[Finding]:
    """Diaries that answered 404 although every switch is on, and diaries that could not be read."""
    dark: dict[Offer, Unseen] = {probe.offer: probe.unseen for probe in found.probes if probe.unseen is not None}
    for service, offers in sold.items():
        for why, check, words, advice in (
            (Unseen.NOT_FOUND, "not_found", "Cliniko answers 404 although all switches are on", _NOT_FOUND),
            (Unseen.FAILED, "unread_diary", "could not be read", "Run the doctor again; if it lasts, ask Cliniko's support."),
        ):
            missing = [offer for offer in offers if dark.get(offer) is why]
            if missing:
                severity = Severity.MUST_FIX if len(missing) == len(offers) else Severity.LOOK_AT
                sentence = f"{service}: {words}: {listed(_described(missing, found))}. This time is unknown, not full."
                yield _finding(check, severity, sentence, advice)


def _silent(sold: dict[str, tuple[Offer, ...]], found: Diaries) -> Iterator[Finding]:
    """A service without a single start is sold out, or was answered wrongly; nobody can tell which from one reading."""
    rostered = {(hours.location, hours.practitioner) for hours in found.hours}
    for service, offers in sold.items():
        probes = [probe for probe in found.probes if probe.offer in set(offers)]
        works = any((offer.location, offer.practitioner) in rostered for offer in offers)
        if works and probes and all(probe.starts == () for probe in probes):
            people = counted(len({offer.practitioner for offer in offers}), "practitioner")
            sentence = f"{service}: no start is shown in the next 14 days, for any of {people}. Is it really booked out?"
            yield _finding("no_starts", Severity.LOOK_AT, sentence, "Compare with the booking page that patients see.")


_NOT_FOUND = (
    "Usually there are no working hours at that location, or the type is not ticked for it: look at both in Cliniko, or "
    "name `locations` in the service."
)


def _outside(found: Diaries, roster: Roster) -> Iterator[Finding]:
    """Starts that nobody is rostered for: a stale roster, or weekdays numbered in a way we do not know."""
    people, _ = _names(found)
    shown = sum(len(probe.starts or ()) for probe in found.probes)
    strays = Counter(person for probe in found.probes for person in _strays(probe, roster))
    if not strays:
        return
    worst = [f"{people[person]} ({count})" for person, count in strays.most_common()]
    if strays.total() > shown * DOUBTFUL:
        sentence = (
            f"{counted(strays.total(), 'start')} of {shown:,} shown fall outside rostered hours: {listed(worst)}. The roster, "
            "a location's time zone or the numbering of weekdays is not what it is taken for."
        )
        advice = "Compare `working h` in `governor forecast` with the real week, and the zone of each location in Cliniko."
        yield _finding("weekdays", Severity.MUST_FIX, sentence, advice)
    else:
        sentence = f"{counted(strays.total(), 'start')} of {shown:,} shown fall outside rostered hours: {listed(worst)}."
        advice = "They count as openings. Bring the practitioner's hours in Cliniko up to date."
        yield _finding("outside_hours", Severity.LOOK_AT, sentence, advice)


def _strays(probe: Probe, roster: Roster) -> Iterator[str]:
    """The practitioner, once for each start outside rostered time within the horizon."""
    offer = probe.offer
    working = intervals.union(span for day in roster.working(offer.location, offer.practitioner) for span in day)
    days = roster.days(offer.location)
    for start in probe.starts or ():
        at = int(start.timestamp())
        if days[0].span[0] <= at < days[-1].span[1] and not intervals.covers(working, at):
            yield offer.practitioner


def _names(found: Diaries) -> tuple[dict[str, str], dict[str, str]]:
    return {each.id: each.name for each in found.practitioners}, {each.id: each.name for each in found.locations}


def _described(offers: Iterable[Offer], found: Diaries) -> list[str]:
    people, places = _names(found)
    return [f"{people[offer.practitioner]} at {places[offer.location]}" for offer in offers]
