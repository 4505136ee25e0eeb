"""Rule files as a marketing manager who knows what they want would write them: sensible by the way they are put together.

Each service of a file gets, from the top: perhaps a closure, perhaps one way to stop, perhaps one for cancellations, and one
way to share out the budget, each with numbers from a range that somebody would choose. That is the handbook's advice, no more:
what stops stands first, what is on is left at another number than it is entered, raises and cuts leave room between them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from tests.core.worlds import seeded

Data = dict[str, Any]
Rules = list[Data]

SERVICES = ("physio", "podiatry", "speech")
CLUSTER = "Cancellations"


def sensible(seed: int) -> Data:
    """A whole file of a clinic called quay, as plain data with text for every value."""
    chance = seeded(seed)
    services = SERVICES[: chance.randint(1, 3)]
    return {
        "version": "1", "clinic": "quay", "name": "The Quay", "currency": "AUD",
        "mode": chance.choice(["watch", "propose", "enforce"]),
        "google_ads": {"customer_id": "123-456-7890"}, "notify": ["marketing"],
        "services": {name: {"appointment_types": [f"{name} visit"]} for name in services},
        "campaigns": _campaigns(chance, services),
        **_rules(chance, services),
        **_guardrails(chance),
    }  # fmt: skip


# --- around the rules ---------------------------------------------------------------------------------------------------


def _campaigns(chance: Random, services: tuple[str, ...]) -> Data:
    found: Data = {}
    for service in services:
        for channel in ("search", "social", "video")[: chance.randint(1, 3)]:
            base = chance.choice([15, 25, 40, 60, 120])
            limits = {
                "base_budget": f"{base}.00",
                "floor": f"{base // chance.choice([2, 4, 5])}.00",
                "ceiling": f"{base * 2}.00",
            }
            found[f"{service}-{channel}"] = {"platform": "google", "id": f'"{len(found) + 1}"', "service": service, **limits}
    if chance.random() < 0.2:
        kept = {"platform": "google", "id": '"99"', "service": services[0], "protect": True}
        found["brand"] = kept | dict.fromkeys(("base_budget", "floor", "ceiling"), "9.00")
    return found


def _guardrails(chance: Random) -> Data:
    kinds: list[Data] = [
        {"edit_budget": {"edits": f"{chance.randint(3, 6)}", "per": "7d"}},
        {"cooldown": f"{chance.randint(2, 12)}h"},
        {"change_window": {"days": "weekdays", "hours": chance.choice(["07:00-20:00", "08:00-18:00"])}},
        {"max_step": {"raise": "30%"}},
    ]
    chosen = chance.sample(kinds, chance.randint(0, 3))
    return {"guardrails": {key: value for each in chosen for key, value in each.items()}} if chosen else {}


def _rules(chance: Random, services: tuple[str, ...]) -> Data:
    """For every campaign alike, or service by service; or the pack that is shipped, with a rule of the clinic's own."""
    kind = chance.random()
    if kind < 0.1:
        return {"packs": ["full-diary"], "rules": [_room(chance)]}
    if kind < 0.35:
        return {"rules": _named(_plan(chance), "")}
    return {"rules": [rule for service in services for rule in _named(_plan(chance), service)]}


def _named(rules: Rules, service: str) -> Rules:
    if not service:
        return rules
    return [
        {"name": f"{rule['name']} ({service})", "service": service} | {k: v for k, v in rule.items() if k != "name"}
        for rule in rules
    ]


def _plan(chance: Random) -> Rules:
    full = chance.randint(92, 99)
    plan: Rules = []
    if chance.random() < 0.15:
        plan.append(_closed(chance))
    if chance.random() < 0.7:
        plan.append(chance.choice(STOPS)(chance, full))
    if chance.random() < 0.4:
        plan.append(_cluster(chance))
    plan += chance.choice(SHARES)(chance, full)
    if chance.random() < 0.15:
        plan.append({"name": "Tell", "when": {"utilisation": {"at_least": f"{full}%"}}, "notify": "marketing"})
    return plan


# --- ways to stop -------------------------------------------------------------------------------------------------------


def _closed(chance: Random) -> Data:
    days = chance.randint(4, 7)
    ends = {"working_hours": {"above": "0h", "within": f"{days - 2}d"}}
    return {
        "name": "Closed",
        "when": {"working_hours": {"at_most": "0h", "within": f"{days}d"}},
        "until": ends,
        "then": "pause",
    }


def _pause(chance: Random, when: Data, *ends: Data, among: Data | None = None) -> Data:
    """A pause until any of these; `among`: an end that somebody may as well leave out."""
    alternatives = [*ends, *([among] if among and chance.random() < 0.7 else [])]
    until = {"any": alternatives} if len(alternatives) > 1 else alternatives[0]
    waits = {"for": f"{chance.randint(1, 4)}h"} if chance.random() < 0.4 else {}
    return {"name": "Booked solid", "when": when, **waits, "until": until, "then": "pause"}


def _opened(chance: Random) -> Data:
    return {"slots_opened": {"at_least": f"{chance.randint(3, 8)}"}}


def _full_and_far(chance: Random, full: int) -> Data:
    when = {"utilisation": {"at_least": f"{full}%"}, "days_to_next_opening": {"at_least": f"{chance.randint(3, 5)}"}}
    emptier = {"utilisation": {"below": f"{full - chance.randint(6, 12)}%"}}
    return _pause(chance, when, emptier, {"days_to_next_opening": {"at_most": "1"}}, among=_opened(chance))


def _full(chance: Random, full: int) -> Data:
    emptier = {"utilisation": {"below": f"{full - chance.randint(6, 15)}%"}}
    return _pause(chance, {"utilisation": {"at_least": f"{full}%"}}, emptier, _opened(chance))


def _expected_full(chance: Random, full: int) -> Data:
    emptier = {"expected_utilisation": {"below": f"{full - chance.randint(6, 15)}%"}}
    return _pause(chance, {"expected_utilisation": {"at_least": f"{full}%"}}, emptier, _opened(chance))


def _few_slots(chance: Random, _: int) -> Data:
    few, within = chance.randint(0, 3), {"within": chance.choice(["5d", "7d", "10d"])}
    again = {"open_slots": {"at_least": f"{few + chance.randint(3, 6)}"} | within}
    return _pause(chance, {"open_slots": {"at_most": f"{few}"} | within}, again, among=_opened(chance))


def _few_hours(chance: Random, _: int) -> Data:
    within = {"within": chance.choice(["7d", "14d"])}
    again = {"open_hours": {"at_least": f"{chance.randint(5, 10)}h"} | within}
    return _pause(chance, {"open_hours": {"at_most": f"{chance.randint(0, 2)}h"} | within}, again, among=_opened(chance))


def _far(chance: Random, _: int) -> Data:
    days = chance.randint(4, 8)
    soon = {"days_to_next_opening": {"at_most": f"{chance.randint(1, days - 2)}"}}
    return _pause(chance, {"days_to_next_opening": {"at_least": f"{days}"}}, soon)


def _full_days(chance: Random, _: int) -> Data:
    days = chance.randint(7, 9)
    fewer = {"full_days": {"at_most": f"{days - chance.randint(3, 5)}"}}
    return _pause(chance, {"full_days": {"at_least": f"{days}"}}, fewer, _opened(chance))


def _without_a_latch(chance: Random, _: int) -> Data:
    return {
        "name": "Booked solid",
        "when": {"days_to_next_opening": {"at_least": f"{chance.randint(4, 8)}"}},
        "for": f"{chance.randint(2, 6)}h",
        "then": "pause",
    }


def _floor_instead(chance: Random, full: int) -> Data:
    stopped = _full(chance, full)
    return stopped | {"then": {"budget": "floor"}}


STOPS: list[Callable[[Random, int], Data]] = [
    _full_and_far, _full_and_far, _full, _expected_full, _few_slots, _few_hours, _far, _full_days, _without_a_latch,
    _floor_instead,
]  # fmt: skip

# --- ways to share out --------------------------------------------------------------------------------------------------


def _more(chance: Random) -> Data:
    return {"budget": chance.choice(["110%", "120%", "130%", "140%", "ceiling"])}


def _less(chance: Random) -> Data:
    return {"budget": chance.choice(["floor", "50%", "60%", "70%", "80%"])}


def _cluster(chance: Random) -> Data:
    many, days = f"{chance.randint(3, 8)}", f"{chance.choice([3, 5, 7])}d"
    when = {
        "slots_opened": {"at_least": many, "since": f"{chance.choice([12, 24, 48])}h"},
        "open_slots": {"at_least": many, "within": days},
    }
    return {"name": CLUSTER, "when": when, "stabilise": f"{chance.randint(1, 4)}h", "then": _more(chance)}


def _room(chance: Random) -> Data:
    return {"name": "Room", "when": {"utilisation": {"below": f"{chance.randint(45, 65)}%"}}, "then": _more(chance)}


def _ladder(chance: Random, full: int) -> Rules:
    marks = sorted(chance.sample(range(50, full - 5, 7), chance.randint(1, 3)), reverse=True)
    budgets = [*("floor", "60%", "85%")[: len(marks) - 1], "base"]
    op = chance.choice(["at_least", "above"])
    steps: list[Data] = [{op: f"{mark}%", "budget": budget} for mark, budget in zip(marks, budgets, strict=True)]
    by = {"metric": chance.choice(["utilisation", "expected_utilisation"]), "margin": f"{chance.randint(5, 10)}%"}
    return [{"name": "Ladder", "bands": {"by": by, "steps": [*steps, {"otherwise": chance.choice(["115%", "130%"])}]}}]


def _openings(chance: Random, _: int) -> Rules:
    days, few = chance.choice([7, 10, 14]), chance.randint(4, 6)
    steps: list[Data] = [
        {"at_most": f"{few}", "budget": "50%"},
        {"at_most": f"{few * 3}", "budget": "base"},
        {"otherwise": "125%"},
    ]
    metric = chance.choice(["open_slots", "expected_open_slots"])
    return [
        {
            "name": "Ladder",
            "bands": {"by": {"metric": metric, "within": f"{days}d", "margin": f"{chance.randint(2, 3)}"}, "steps": steps},
        }
    ]


def _room_and_not(chance: Random, full: int) -> Rules:
    nearly = {"utilisation": {chance.choice(["above", "at_least"]): f"{chance.randint(75, full - 5)}%"}}
    pair = [_room(chance), {"name": "Nearly full", "when": nearly, "then": _less(chance)}]
    return chance.sample(pair, 2)


def _pushed(chance: Random, _: int) -> Rules:
    when = {"open_slots": {"at_least": f"{chance.randint(8, 20)}", "within": "7d"}}
    hours = {"active": {"days": "weekdays", "hours": "07:00-20:00"}} if chance.random() < 0.5 else {}
    return [{"name": "Push", **hours, "when": when, "then": _more(chance)}]


def _surely_left(chance: Random, _: int) -> Rules:
    when = {"expected_open_slots": {"at_least": f"{chance.randint(5, 15)}", "confidence": f"{chance.choice([70, 80, 90])}%"}}
    return [{"name": "Left over", "when": when, "then": _more(chance)}]


def _kept_up(chance: Random, _: int) -> Rules:
    low = chance.randint(45, 60)
    ends = {"utilisation": {"at_least": f"{low + chance.randint(6, 15)}%"}}
    return [{"name": "Room", "when": {"utilisation": {"below": f"{low}%"}}, "until": ends, "then": _more(chance)}]


def _worth(chance: Random, _: int) -> Rules:
    return [{"name": "Worth", "then": {"budget": {"cost_per_booking": f"{chance.randint(20, 80)}.00"}}}]


def _held_back_then_worth(chance: Random, full: int) -> Rules:
    nearly = {"utilisation": {"at_least": f"{full - chance.randint(4, 10)}%"}}
    return [{"name": "Nearly full", "when": nearly, "then": _less(chance)}, *_worth(chance, full)]


SHARES: list[Callable[[Random, int], Rules]] = [
    _ladder, _ladder, _ladder, _openings, _room_and_not, _room_and_not, _pushed, _surely_left, _kept_up, _worth,
    _held_back_then_worth,
]  # fmt: skip
