"""Words of appointment types and campaigns: which say what is sold, and when two of them say the same. Pure."""

from __future__ import annotations

import re
import unicodedata

FIRST_TIME = frozenset({"initial", "new", "first", "intake"})
"""What clinics call the appointment that a new patient books."""

GENERIC = FIRST_TIME | frozenset({
    "a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with",
    "standard", "follow", "up", "followup", "subsequent", "return", "returning", "review", "existing", "regular", "routine",
    "ongoing", "long", "short", "extended", "brief", "double", "single", "express",
    "consultation", "consultations", "consult", "appointment", "appointments", "assessment", "assessments", "session",
    "sessions", "treatment", "treatments", "visit", "visits", "booking", "service", "services",
    "patient", "patients", "client", "clients", "member", "members", "adult", "adults", "child", "children", "kids",
    "concession", "pensioner", "student", "senior",
    "online", "telehealth", "video", "phone", "zoom", "home", "clinic", "onsite", "mobile",
    "min", "mins", "minute", "minutes", "hr", "hrs", "hour", "hours", "half",
    "ndis", "dva", "medicare", "epc", "workcover", "tac", "ctp", "private",
})  # fmt: skip
"""Words that every service uses, so that they tell none apart."""

SHORTEST_STEM = 4
STEM = 7


def words(text: str) -> list[str]:
    """The words of a name, folded, without digits and signs."""
    return re.findall(r"[^\W\d_]+", unicodedata.normalize("NFKC", text).casefold())


def subject(name: str) -> tuple[str, ...]:
    """The words that say what an appointment is about: those of the first part of its name that has any.

    `Initial physiotherapy consultation (NDIS)` is about physiotherapy, `Initial - Speech pathology` about speech pathology.
    """
    parts = re.split(r"\s+[-\u2013\u2014/]\s+|[(|:,;]", name)
    told = (tuple(word for word in words(part) if word not in GENERIC and len(word) > 1) for part in parts)
    return next((found for found in told if found), ())


def alike(left: str, right: str) -> bool:
    """Whether two words mean one thing: `physio` and `physiotherapy`, `podiatry` and `podiatrist`."""
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) < SHORTEST_STEM:
        return left == right
    return longer.startswith(shorter) or shorter[:STEM] == longer[:STEM]


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits joined by single hyphens, at most 50; '' where nothing of that is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-")


def unused(wanted: str, taken: set[str]) -> str:
    """`wanted`, or with the lowest number that makes it new; from then on it is taken."""
    numbered = (f"{wanted}-{n}" for n in range(2, len(taken) + 3))
    found = wanted if wanted not in taken else next(name for name in numbered if name not in taken)
    taken.add(found)
    return found
