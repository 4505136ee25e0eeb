"""Rule files of every shape the language has, made up by hypothesis as plain data, and ways to break their shape."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from service.core.model import Mode
from service.core.rules import vocabulary as words
from service.core.rules.language import UNITS, Fallback, Metric, Named, Op, SharedBudget, Unit

Data = dict[str, Any]

NAMES = ("physio", "podiatry", "speech")
CAMPAIGNS = ("one", "two-search", "three_social")
CHANNELS = ("marketing", "front-desk")

percents = st.integers(1, 100).map(lambda n: f"{n}%")
clocks = st.sampled_from(["07:00-20:00", "00:00-24:00", "09:30-17:45"])
withins = st.integers(1, 14).map(lambda n: f"{n}d")
hours = st.integers(1, 72).map(lambda n: f"{n}h")
days = st.sampled_from(["weekdays", "weekends", ["mon"], ["sat", "sun"]])
budgets = st.one_of(
    percents, st.sampled_from([*Named]).map(str), st.just("35.00"),
    st.fixed_dictionaries({"cost_per_booking": st.just("45.00")}, optional={"within": withins}),
)  # fmt: skip


def threshold(metric: Metric) -> st.SearchStrategy[str]:
    """Days are counted within `within`, which may be a single one."""
    if metric in {Metric.DAYS_TO_NEXT_OPENING, Metric.FULL_DAYS}:
        return st.sampled_from(["0", "1"])
    return {Unit.PERCENT: percents, Unit.HOURS: hours, Unit.COUNT: st.integers(0, 99).map(str)}[UNITS[metric]]


@st.composite
def comparisons(draw: st.DrawFn) -> Data:
    metric = draw(st.sampled_from(Metric))
    op = draw(st.sampled_from(Op))
    value: Any = draw(threshold(metric))
    if op is Op.BETWEEN:
        value = sorted([value, draw(threshold(metric))], key=lambda text: float(text.rstrip("%h")))
    said: Data = {op.value: value} | draw(st.fixed_dictionaries({}, optional={"within": withins}))
    if words.looks_back(metric):
        said |= draw(st.fixed_dictionaries({}, optional={"since": hours}))
    if words.is_forecast(metric):
        said |= draw(st.fixed_dictionaries({}, optional={"confidence": st.just("80%")}))
    return {metric.value: said}


conditions = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: {"any": terms}),
        st.lists(inner, min_size=1, max_size=3).map(lambda terms: {"all": terms}),
        inner.map(lambda term: {"not": term}),
    ),
    max_leaves=5,
)
regions = st.sampled_from(["AU", "AU-NSW"])
windows = st.fixed_dictionaries({"days": days}, optional={"hours": clocks, "public_holidays": regions})
ladders = st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True).map(
    lambda marks: {
        "by": {"metric": "utilisation", "margin": "3%"},
        "steps": [{"at_least": f"{mark}%", "budget": "60%"} for mark in sorted(marks, reverse=True)] + [{"otherwise": "base"}],
    }
)


@st.composite
def rules(draw: st.DrawFn, name: str) -> Data:
    about: Data = draw(st.sampled_from([{}, {"service": NAMES[0]}, {"campaigns": [CAMPAIGNS[0]]}]))
    more = draw(st.fixed_dictionaries({}, optional={"notify": st.sampled_from(CHANNELS), "active": windows}))
    if draw(st.booleans()):
        return {"name": name, **about, "bands": draw(ladders), **more}
    then = draw(st.one_of(st.just("pause"), budgets.map(lambda budget: {"budget": budget})))
    told = draw(st.fixed_dictionaries({}, optional={"for": hours, "until": conditions, "stabilise": hours}))
    return {"name": name, **about, "when": draw(conditions), "then": then, **told, **more}


guardrails = st.fixed_dictionaries(
    {},
    optional={
        "stabilise": st.fixed_dictionaries({}, optional={"raise": hours, "cut": hours}),
        "max_step": st.fixed_dictionaries({}, optional={"raise": percents, "cut": percents}),
        "dead_band": st.just("4%"), "cooldown": hours, "max_changes_per_day": st.integers(1, 24).map(str),
        "edit_budget": st.just({"edits": "4", "per": "7d"}), "drift_expires": st.just("3d"),
        "fallback": st.sampled_from([*Fallback]).map(str), "fallback_after": hours, "change_window": windows,
        "blast_radius": percents,
    },
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> Data:
    """A whole rule file that the loader accepts, as plain data with text for every value."""
    campaign = {"platform": "google", "service": NAMES[0], "base_budget": "60.00", "floor": "1.00", "ceiling": "120"}
    may = {"protect": st.just(value=True), "shared_budget": st.sampled_from([*SharedBudget]).map(str)}
    own = draw(st.fixed_dictionaries({}, optional={**may, "guardrails": st.just({"cooldown": "2h"})}))
    names = [f"Rule {n}" for n in range(draw(st.integers(0, 4)))]
    return {
        "version": "1", "clinic": "quay", "name": "The Quay", "currency": "AUD",
        "google_ads": {"customer_id": '"123-456-7890"'},
        "notify": [*CHANNELS],
        "services": {name: {"appointment_types": [f"{name} visit"]} for name in NAMES},
        "campaigns": {name: campaign | {"id": f'"{n + 1}"'} | own for n, name in enumerate(CAMPAIGNS)},
        **({"rules": [draw(rules(name)) for name in names]} if names else {}),
        **draw(st.fixed_dictionaries({}, optional={
            "mode": st.sampled_from([*Mode]).map(str), "daily_cap": st.just("500"), "monthly_cap": st.just("4000.00"),
            "guardrails": guardrails,
        })),
    }  # fmt: skip


def written(value: Any) -> str:
    """Plain data as YAML in flow style, each text as a person would write it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return "true" if value is True else value if value and ":" not in value else json.dumps(value)


# --- breaking them ------------------------------------------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in the data."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in places(each, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The data with something else at a path."""
    if not path:
        return new
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(value[key], tuple(rest), new)
    return copy


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
