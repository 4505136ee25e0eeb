"""What a forecast cannot see, or doubts, a sentence each: the facts behind its bounds, in words people can act on. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from service.core.capacity import Capacity
from service.core.decide.model import Blind, Caveat
from service.core.diary_day import DiaryDay
from service.core.known_names import lost
from service.core.model import NameOf, Offer, Unseen
from service.core.observation import Observation
from service.core.offers import fold, switched_off
from service.core.rules.language import Service

WHY = {
    Unseen.NOT_FOUND: "Cliniko answers 404 although everything is switched on, so the diary is unknown, neither full nor empty",
    Unseen.FAILED: "could not be read in this run, so that part of the diary is unknown",
    Unseen.DOUBTED: "all starts are gone of a sudden; unknown, and believed once the next reading agrees, or, if the whole "
    "clinic's went together, once it has been so for six hours",
}

NAMED = 3
"""So many names are listed; the others are counted."""


def caveats(seen: Observation, service: Service, found: Capacity) -> tuple[Caveat, ...]:
    """Everything that hides free time of a service from this reading, or makes it doubtful."""
    if not seen.bookings.enabled:
        text = "online bookings are switched off for the whole account: nothing can be booked, and nothing is known"
        return (Caveat(Blind.BOOKINGS_OFF, text),)
    return *_names(seen, service), *(
        Caveat(kind, sentence)
        for kind, sentences in (
            (Blind.SWITCHED_OFF, _switches(seen, service)),
            (Blind.NOT_FOUND, _unseen(seen, found.offers, Unseen.NOT_FOUND)),
            (Blind.FAILED, _unseen(seen, found.offers, Unseen.FAILED)),
            (Blind.DOUBTED, _unseen(seen, found.offers, Unseen.DOUBTED)),
            (Blind.DOUBTED, _kept(seen)),
            (Blind.CONTRADICTED, _contradicted(seen, found)),
            (Blind.LEAD_TIME, _lead_time(seen, found)),
            (Blind.SEGMENT_CAP, _cap(seen, found)),
            (Blind.DAILY_LIMIT, _limit(seen, found)),
            (Blind.OUTSIDE_HOURS, _outside(seen, found)),
            (Blind.COARSE_STARTS, _coarse(seen, found)),
            (Blind.DAY_NUMBERS, _numbers(seen)),
        )
        for sentence in sentences
    )


def _names(seen: Observation, service: Service) -> Iterator[Caveat]:
    excluded = {fold(name) for name in service.exclude_practitioners}
    for what, name, now in lost(service, seen.diaries):
        out = what is NameOf.PRACTITIONER and fold(name) in excluded
        if now:
            effect = "is left out as before" if out else "counts as before"
            text = f"“{name}” is called “{listed(now)}” in Cliniko by now, and {effect}: write that into the rule file"
            yield Caveat(Blind.RENAMED, text)
        else:
            effect = "nobody is left out for it" if out else "nothing is counted for it"
            text = f"Cliniko has no {what} “{name}”, so {effect}: correct the name, or take it out of the rule file"
            yield Caveat(Blind.UNKNOWN_NAME, text)


def _switches(seen: Observation, service: Service) -> Iterator[str]:
    if names := tuple(switched_off(seen.diaries, service)):
        yield f"{listed(names)}: switched off in Cliniko's online bookings, and not counted"


def _unseen(seen: Observation, offers: Sequence[Offer], why: Unseen) -> Iterator[str]:
    gone = [offer for offer in offers if offer in seen.unseen[why]] if seen.unseen[why] else []
    if not gone:
        return
    who = listed(sorted({name_of(seen, offer.practitioner) for offer in gone}))
    yield f"{who}: {WHY[why]}"


def _kept(seen: Observation) -> Iterator[str]:
    for what in seen.kept:
        yield f"{what}: something that Cliniko listed before is gone or another; it is kept until the next reading agrees"


def _contradicted(seen: Observation, found: Capacity) -> Iterator[str]:
    if names := [name_of(seen, each.practitioner) for each in found.diaries if each.contradicted]:
        yield (
            f"{listed(names)}: most starts of a week lie outside rostered hours, so either the roster, a time zone or the "
            "starts are wrong, and that part of the diary is unknown"
        )


def _lead_time(seen: Observation, found: Capacity) -> Iterator[str]:
    total = found.sums[-1]
    if masked := total.working - total.sellable:
        lead = min((seen.lead(offer.type) for offer in found.offers), default=timedelta(0))
        why = f"start within the lead time of {hours(lead)} and cannot be booked any more" if lead else "are over"
        yield f"{_hours(masked)} of {_hours(total.working)} rostered {why}: they are left out"
    if hidden := total.sellable - total.first_sellable:
        firsts = {offer.practitioner: offer.type for offer in reversed(found.offers)}
        lead = max(map(seen.lead, firsts.values()))
        names = listed(sorted({seen.types[type_].name for type_ in firsts.values() if seen.lead(type_) == lead}))
        yield (
            f"{names}, which openings are counted in, can be booked no later than {hours(lead)} ahead, other types of the "
            f"service later: the {_hours(hidden)} rostered in between can have no opening"
        )


def _cap(seen: Observation, found: Capacity) -> Iterator[str]:
    if seen.cap is None:
        return
    days = [day for each in found.diaries for day in each.days if day.capped]
    if days:
        yield (
            f"Cliniko shows at most {_count(seen.cap, 'start')} per part of a day; {_count(len(days), 'diary day')} reach "
            "that, and free time after the last start shown may be hidden there"
        )


def _limit(seen: Observation, found: Capacity) -> Iterator[str]:
    days = [day for each in found.diaries for day in each.days if day.limited and day.sellable]
    if days:
        limit = seen.bookings.daily_limit
        yield (
            f"Cliniko takes at most {limit} online bookings a day; {_count(len(days), 'diary day')} without a start may be "
            "full, or only at that limit"
        )


def _outside(seen: Observation, found: Capacity) -> Iterator[str]:
    late = {each.practitioner: sum(day.outside for day in each.days) for each in found.diaries if not each.contradicted}
    if any(late.values()):
        who = listed([name_of(seen, id_) for id_, count in late.items() if count])
        yield (
            f"{_count(sum(late.values()), 'start')} of {who} reach outside rostered hours: bookable, so counted as openings, "
            "but not as open hours; is the roster in Cliniko right?"
        )


def _coarse(seen: Observation, found: Capacity) -> Iterator[str]:
    blurred = [each for each in found.diaries if any(day.near != day.open_low for day in each.days)]
    if blurred:
        hidden = sum(_covered(day) for each in blurred for day in each.days)
        who = listed([name_of(seen, each.practitioner) for each in blurred])
        widest = max(each.step for each in blurred) // 60
        yield (
            f"{who}: starts are up to {widest} minutes apart, the length of the default appointment type, so up to "
            f"{_hours(hidden)} between shorter appointments may be free without showing"
        )


def _numbers(seen: Observation) -> Iterator[str]:
    if seen.roster.numbers.monday_is_zero:
        yield "the starts shown fit the weekly hours only if Cliniko numbers Monday as 0, so that reading is used"


def _covered(day: DiaryDay) -> int:
    return sum(end - start for start, end in day.near) - day.tally.open_low


# --- words --------------------------------------------------------------------------------------------------------------


def name_of(seen: Observation, practitioner: str) -> str:
    """A practitioner's name."""
    return next((each.name for each in seen.diaries.practitioners if each.id == practitioner), practitioner)


def listed(names: Sequence[str]) -> str:
    """`Ana Silva, Ben Okafor and 3 more`."""
    shown, rest = names[:NAMED], len(names) - NAMED
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def hours(duration: timedelta) -> str:
    """`2 h`, `3 days`."""
    count = duration.total_seconds() / 3600
    return f"{count / 24:g} days" if count >= 48 and count % 24 == 0 else f"{count:g} h"


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:.1f} h".replace(".0 h", " h")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
