"""From what Cliniko sells online to services: appointment types about the same thing, the first one a new patient's. Pure."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from service.core.doctor.equipment import suspects
from service.core.model import Diaries, Offer
from service.core.offers import fold, sold_offers
from service.core.onboarding.vocabulary import FIRST_TIME, alike, slug, subject, unused, words
from service.core.rules.language import Service

LONGEST_NAME = 200
NAMELESS = "appointments"
"""What a service is called whose types say nothing of what they are about."""


@dataclass(frozen=True, slots=True)
class DraftService:
    """A service to be: its types in order of preference, and who is left out with the reason why.

    `offers` is how many (practitioner, location, type) combinations sell it; `doubtful` are suspects who stay, because
    without them nothing would be left.
    """

    name: str
    types: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...] = ()
    doubtful: tuple[str, ...] = ()
    offers: int = 0
    subjects: tuple[str, ...] = ()


def writable(name: str) -> bool:
    """Whether a name can stand in a rule file: 1 to 200 characters, none of them a control character."""
    bare = name.strip()
    return bool(bare) and len(bare) <= LONGEST_NAME and not any(unicodedata.category(c) in {"Cc", "Cs"} for c in bare)


def draft_services(diaries: Diaries) -> tuple[DraftService, ...]:
    """The services that the account sells online, the biggest first."""
    everything = Service("everything", tuple(type_.name for type_ in diaries.types))
    names = {type_.id: type_.name for type_ in diaries.types}
    by_name: dict[str, list[Offer]] = {}
    for offer in sold_offers(diaries, everything):
        if writable(names[offer.type]):
            by_name.setdefault(fold(names[offer.type]), []).append(offer)
    shown = {fold(name): name.strip() for name in reversed(names.values())}
    taken: set[str] = set()
    groups = sorted(_grouped(by_name), key=lambda group: (-sum(len(by_name[name]) for name in group), group))
    return tuple(_service([shown[name] for name in group], by_name, diaries, taken) for group in groups)


def _grouped(names: dict[str, list[Offer]]) -> list[list[str]]:
    """Names whose last telling words are alike: the noun of `remedial massage` is the one of `massage`."""
    groups: list[list[str]] = []
    for name in sorted(names):
        head = _head(name)
        home = next((group for group in groups if alike(head, _head(group[0]))), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    return groups


def _head(name: str) -> str:
    about = subject(name)
    return about[-1] if about else ""


def _service(names: list[str], by_name: dict[str, list[Offer]], diaries: Diaries, taken: set[str]) -> DraftService:
    counts = {name: len(by_name[fold(name)]) for name in names}
    ordered = sorted(names, key=lambda name: (not FIRST_TIME & set(words(name)), -counts[name], name))
    excluded, doubtful = _equipment({offer.practitioner for name in names for offer in by_name[fold(name)]}, diaries)
    about = [subject(name) for name in names]
    return DraftService(
        name=unused(_title(about) or NAMELESS, taken),
        types=tuple(ordered),
        excluded=excluded,
        doubtful=doubtful,
        offers=sum(counts.values()),
        subjects=tuple(dict.fromkeys(word for each in about for word in each)),
    )


def _title(about: Sequence[tuple[str, ...]]) -> str:
    """The words that all types share, else the longest of their nouns."""
    counts = Counter(word for each in about for word in set(each))
    shared = [word for word in about[0] if counts[word] == len(about)]
    nouns = [each[-1] for each in about if each]
    return slug(" ".join(shared)) or slug(max(nouns, key=len, default=""))


def _equipment(people: set[str], diaries: Diaries) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    reasons = suspects(diaries)
    found = {each.name.strip(): reasons[each.id] for each in diaries.practitioners if each.id in people & reasons.keys()}
    found = {name: why for name, why in found.items() if writable(name)}
    if people <= reasons.keys():
        return (), tuple(found)
    distinct = {fold(name): (name, why) for name, why in found.items()}
    return tuple(distinct.values()), ()
