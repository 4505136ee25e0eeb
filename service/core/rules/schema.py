"""The JSON Schema of rule files, for completion and squiggles in editors.

It describes the same shapes as the loader, from the same words, patterns and limits: what it leaves to the loader, which has
the last word, is one part of the file against another, and order, but for a ladder that begins with `otherwise`. Editors hand
a schema what YAML makes of a value (`60.00` is a number, `true` a truth, `95%` text), hence the types. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.core.model import Platform
from service.core.rules import values
from service.core.rules import vocabulary as words
from service.core.rules.currencies import DECIMALS
from service.core.rules.language import UNITS, Metric, Op, SharedBudget, Unit
from service.core.rules.limits import COUNTS, DURATIONS, PERCENTAGES
from service.core.rules.regions import PATTERN
from service.core.rules.schema_blocks import (
    DIALECT,
    Schema,
    count,
    lasting,
    listed,
    mapping,
    name,
    named,
    names_of,
    never_both,
    number,
    one_of,
    percentage,
    ref,
    text,
    words_of_choice,
)
from service.core.rules.shape_conditions import DAY_COUNTS
from service.core.rules.vocabulary import Section

OF_A_CAMPAIGN = replace(
    words.GUARDRAILS, keys={key: meaning for key, meaning in words.GUARDRAILS.keys.items() if key != "blast_radius"}
)
"""The guardrails that one campaign may change: the blast radius is about the whole clinic."""


def json_schema() -> Schema:
    """The schema of `rules/<clinic>.yaml`, JSON Schema 2020-12."""
    return {
        "$schema": DIALECT,
        **mapping(words.FILE, _file()),
        "title": "Rule file of the ad-spend governor",
        "description": "What the governor may do with one clinic's ads, and when. rules/README.md is the handbook.",
        "$defs": shared()
        | {
            "campaign_guardrails": mapping(OF_A_CAMPAIGN, _guardrails()),
            "guardrails": mapping(words.GUARDRAILS, _guardrails()),
        },
    }


def pack_schema() -> Schema:
    """The schema of `rules/packs/<pack>.yaml`."""
    return {
        "$schema": DIALECT,
        **mapping(words.PACK, _pack()),
        "title": "Rule pack of the ad-spend governor",
        "description": "Rules that several clinics share. rules/README.md is the handbook.",
        "$defs": shared(),
    }


def schema_text(schema: Schema) -> str:
    """A schema as `rules/` holds it, to the byte."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def shared() -> dict[str, Schema]:
    """What several places refer to."""
    return {
        "budget": _budget(),
        "condition": _condition(),
        "hours": text(values.HOURS),
        "money": number(values.POSITIVE, exclusiveMinimum=0, exclusiveMaximum=1_000_000_000),
        "percent": percentage(*PERCENTAGES["threshold"]),
        "region": text(PATTERN),
        "step": _step(),
        "within": text(values.WITHIN),
    }


def _file() -> dict[str, Schema]:
    return {
        "version": {"enum": [1, "1"]},
        "clinic": name(values.SLUG),
        "name": words_of_choice(),
        "currency": {"enum": sorted(DECIMALS)},
        "mode": one_of(words.MODES),
        "notify": names_of(name()),
        "packs": names_of(name(values.SLUG)),
        "daily_cap": ref("money"),
        "monthly_cap": ref("money"),
        "google_ads": mapping(
            words.GOOGLE_ADS, dict.fromkeys(words.GOOGLE_ADS.keys, number(values.CUSTOMER_ID, minimum=0, maximum=9_999_999_999))
        ),
        "meta": mapping(words.META, {"ad_account_id": text(values.AD_ACCOUNT_ID)}),
        "services": named(
            mapping(words.SERVICE, _service()) | never_both("practitioners", "exclude_practitioners"), minProperties=1
        ),
        "campaigns": named(mapping(words.CAMPAIGN, _campaign())),
        "rules": listed(_rule(words.RULE)),
        "guardrails": ref("guardrails"),
    }


def _service() -> dict[str, Schema]:
    return dict.fromkeys(words.SERVICE.keys, names_of(words_of_choice()))


def _pack() -> dict[str, Schema]:
    rules = listed(_rule(words.PACK_RULE))
    return {"version": {"enum": [1, "1"]}, "pack": name(values.SLUG), "rules": rules}


def _campaign() -> dict[str, Schema]:
    budgets = dict.fromkeys(("base_budget", "floor", "ceiling"), ref("money"))
    own = {
        "platform": {"enum": [*Platform]},
        "id": number(values.CAMPAIGN_ID, minimum=0, exclusiveMaximum=10**20),
        "service": name(),
    }
    may: dict[str, Schema] = {
        "protect": {"type": ["boolean", "string"], "pattern": f"^{values.FLAG}$"},
        "shared_budget": {"enum": [*SharedBudget]},
    }
    return own | budgets | may | {"guardrails": ref("campaign_guardrails")}


def _rule(section: Section) -> Schema:
    keys = {
        "name": words_of_choice(),
        "service": name(),
        "campaigns": names_of(name()),
        "when": ref("condition"),
        "for": lasting(*DURATIONS["for"]),
        "until": ref("condition"),
        "then": {"anyOf": [{"const": "pause"}, mapping(words.THEN, {"budget": ref("budget")})]},
        "bands": _bands(),
        "notify": name(),
        "stabilise": lasting(*DURATIONS["stabilise"]),
        "active": _window(words.ACTIVE),
    }
    return mapping(section, keys) | {
        "anyOf": [{"required": ["then"]}, {"required": ["bands"]}, {"required": ["notify", "when"]}],
        "allOf": [never_both("then", "bands"), never_both("service", "campaigns")]
        + [never_both(part, "bands") for part in ("when", "for", "until")],
        "dependentRequired": {"for": ["when"], "until": ["when"]},
        "dependentSchemas": {"stabilise": {"anyOf": [{"required": ["then"]}, {"required": ["bands"]}]}},
    }


def _bands() -> Schema:
    """A ladder: what its steps and margin may be depends on its metric."""
    alike: dict[tuple[object, ...], list[Metric]] = {}
    for metric in Metric:
        kind = (UNITS[metric], metric in DAY_COUNTS, words.looks_back(metric), words.is_forecast(metric))
        alike.setdefault(kind, []).append(metric)
    compared = {"not": {"required": ["otherwise"]}}
    steps = listed(ref("step")) | {"prefixItems": [{"allOf": [ref("step"), compared]}], "contains": compared}
    ladder = mapping(words.BANDS, {"by": mapping(words.BY, _by()), "steps": steps})
    return ladder | {"allOf": [_ladder_of(metrics) for metrics in alike.values()]}


def _ladder_of(metrics: Sequence[Metric]) -> Schema:
    threshold, around = threshold_of(metrics[0]), parameters(metrics[0])
    barred: dict[str, Any] = {key: False for key in ("since", "confidence") if key not in around}
    by = {"properties": {"metric": {"enum": [*metrics]}}, "required": ["metric"]}
    steps = {"items": {"properties": {op.value: threshold for op in words.STEP_OPS}}}
    return {
        "if": {"properties": {"by": by}, "required": ["by"]},
        "then": {"properties": {"by": {"properties": {"margin": of_unit(UNITS[metrics[0]])} | barred}, "steps": steps}},
    }


def _condition() -> Schema:
    several = listed(ref("condition"))
    joined = {"any": several, "all": several, "not": ref("condition")}
    joined = {key: joined[key] | {"description": meaning} for key, meaning in words.JUNCTIONS.items()}
    return {
        "type": "object",
        "title": "condition",
        "properties": joined | {metric.value: _comparison(metric) for metric in Metric},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _comparison(metric: Metric) -> Schema:
    threshold = threshold_of(metric)
    pair = {"type": "array", "items": threshold, "minItems": 2, "maxItems": 2}
    ops = {op.value: pair if op is Op.BETWEEN else threshold for op in Op}
    around = parameters(metric)
    meanings = {key: words.COMPARISON.keys[key] for key in ops | around}
    section = Section(metric.value, meanings)
    return mapping(section, ops | around) | {
        "description": words.METRICS[metric],
        "anyOf": [{"required": [op.value]} for op in Op],
    }


def threshold_of(metric: Metric) -> Schema:
    """A value of a metric, in its unit."""
    return count(*COUNTS["days"]) if metric in DAY_COUNTS else of_unit(UNITS[metric])


def of_unit(unit: Unit) -> Schema:
    """A value in a unit."""
    return {Unit.PERCENT: ref("percent"), Unit.HOURS: ref("hours"), Unit.COUNT: count(*COUNTS["threshold"])}[unit]


def parameters(metric: Metric) -> dict[str, Schema]:
    """What may be said of a metric besides a threshold."""
    since = {"since": lasting(*DURATIONS["since"])} if words.looks_back(metric) else {}
    confidence = {"confidence": percentage(*PERCENTAGES["confidence"])} if words.is_forecast(metric) else {}
    return {"within": ref("within")} | since | confidence


def _by() -> dict[str, Schema]:
    margin = {"anyOf": [*map(of_unit, Unit)]}
    metric = one_of(words.METRICS)
    return {
        "metric": metric,
        "within": ref("within"),
        "since": lasting(*DURATIONS["since"]),
        "confidence": percentage(*PERCENTAGES["confidence"]),
        "margin": margin,
    }


def _step() -> Schema:
    threshold = {"anyOf": [*map(of_unit, Unit)]}
    keys = {op.value: threshold for op in words.STEP_OPS} | {"budget": ref("budget"), "otherwise": ref("budget")}
    compared = [{"required": [op.value, "budget"], "maxProperties": 2} for op in words.STEP_OPS]
    return mapping(words.STEP, keys) | {"oneOf": [*compared, {"required": ["otherwise"], "maxProperties": 1}]}


def _budget() -> Schema:
    cost = {"cost_per_booking": ref("money"), "within": ref("within")}
    return {
        "title": "budget",
        "anyOf": [percentage(*PERCENTAGES["budget"]), one_of(words.NAMED), ref("money"), mapping(words.COST_PER_BOOKING, cost)],
    }


def _guardrails() -> dict[str, Schema]:
    return {
        "stabilise": mapping(words.STABILISE, dict.fromkeys(words.STABILISE.keys, lasting(*DURATIONS["stabilise"]))),
        "max_step": mapping(words.MAX_STEP, {key: percentage(*PERCENTAGES[key]) for key in words.MAX_STEP.keys}),
        "dead_band": percentage(*PERCENTAGES["dead_band"]),
        "cooldown": lasting(*DURATIONS["cooldown"]),
        "max_changes_per_day": count(*COUNTS["max_changes_per_day"]),
        "edit_budget": mapping(words.EDIT_BUDGET, {"edits": count(*COUNTS["edits"]), "per": lasting(*DURATIONS["per"])}),
        "drift_expires": lasting(*DURATIONS["drift_expires"]),
        "fallback": one_of(words.FALLBACKS),
        "fallback_after": lasting(*DURATIONS["fallback_after"]),
        "change_window": _window(words.CHANGE_WINDOW),
        "blast_radius": percentage(*PERCENTAGES["blast_radius"]),
    }


def _window(section: Section) -> Schema:
    days = {"anyOf": [{"enum": [*words.DAY_GROUPS]}, listed({"enum": [*words.DAYS]})]}
    hours = text(f"{values.CLOCK}-{values.CLOCK}")
    return mapping(section, {"days": days, "hours": hours, "public_holidays": ref("region")}) | {"minProperties": 1}
