"""The JSON Schema of rule files, for completion and squiggles in editors.

It describes the same shapes as the loader, from the same words and patterns, but only shapes: references between parts of
the file, limits and order are the loader's, which has the last word. Editors hand a schema what YAML makes of a value
(`60.00` is a number, `95%` text), hence the types. Pure.
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
from service.core.rules.schema_blocks import (
    DIALECT,
    Schema,
    listed,
    mapping,
    name,
    named,
    never_both,
    number,
    one_of,
    ref,
    text,
    words_of_choice,
)
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
        "duration": text(values.DURATION),
        "hours": text(values.HOURS),
        "money": number(values.MONEY, exclusiveMinimum=0),
        "percent": text(values.PERCENT),
        "within": text(values.WITHIN),
    }


def _file() -> dict[str, Schema]:
    return {
        "version": {"enum": [1, "1"]},
        "clinic": text(values.SLUG, maxLength=63),
        "name": words_of_choice(),
        "currency": {"enum": sorted(DECIMALS)},
        "mode": one_of(words.MODES),
        "notify": listed(name()),
        "packs": listed(text(values.SLUG, maxLength=63)),
        "daily_cap": ref("money"),
        "monthly_cap": ref("money"),
        "google_ads": mapping(words.GOOGLE_ADS, dict.fromkeys(words.GOOGLE_ADS.keys, number(values.CUSTOMER_ID))),
        "meta": mapping(words.META, {"ad_account_id": text(values.AD_ACCOUNT_ID)}),
        "services": named(mapping(words.SERVICE, _service()), minProperties=1),
        "campaigns": named(mapping(words.CAMPAIGN, _campaign())),
        "rules": listed(_rule(words.RULE)),
        "guardrails": ref("guardrails"),
    }


def _service() -> dict[str, Schema]:
    return dict.fromkeys(words.SERVICE.keys, listed(words_of_choice()))


def _pack() -> dict[str, Schema]:
    rules = listed(_rule(words.PACK_RULE))
    return {"version": {"enum": [1, "1"]}, "pack": text(values.SLUG, maxLength=63), "rules": rules}


def _campaign() -> dict[str, Schema]:
    budgets = dict.fromkeys(("base_budget", "floor", "ceiling"), ref("money"))
    own = {"platform": {"enum": [*Platform]}, "id": number(values.CAMPAIGN_ID), "service": name()}
    may: dict[str, Schema] = {"protect": {"type": "boolean"}, "shared_budget": {"enum": [*SharedBudget]}}
    return own | budgets | may | {"guardrails": ref("campaign_guardrails")}


def _rule(section: Section) -> Schema:
    keys = {
        "name": words_of_choice(),
        "service": name(),
        "campaigns": listed(name()),
        "when": ref("condition"),
        "for": ref("duration"),
        "until": ref("condition"),
        "then": {"anyOf": [{"const": "pause"}, mapping(words.THEN, {"budget": ref("budget")})]},
        "bands": _bands(),
        "notify": name(),
        "stabilise": ref("duration"),
        "active": _window(words.ACTIVE),
    }
    return mapping(section, keys) | {
        "anyOf": [{"required": [part]} for part in ("then", "bands", "notify")],
        "allOf": [never_both("then", "bands"), never_both("service", "campaigns")]
        + [never_both(part, "bands") for part in ("when", "for", "until")],
        "dependentRequired": {"for": ["when"], "until": ["when"]},
    }


def _bands() -> Schema:
    """A ladder: what its steps and margin may be depends on its metric."""
    alike: dict[tuple[Unit, bool, bool], list[Metric]] = {}
    for metric in Metric:
        alike.setdefault((UNITS[metric], words.looks_back(metric), words.is_forecast(metric)), []).append(metric)
    ladder = mapping(words.BANDS, {"by": mapping(words.BY, _by()), "steps": listed(_step())})
    return ladder | {"allOf": [_ladder_of(metrics) for metrics in alike.values()]}


def _ladder_of(metrics: Sequence[Metric]) -> Schema:
    threshold, around = threshold_of(metrics[0]), parameters(metrics[0])
    barred: dict[str, Any] = {key: False for key in ("since", "confidence") if key not in around}
    by = {"properties": {"metric": {"enum": [*metrics]}}, "required": ["metric"]}
    steps = {"items": {"properties": {op.value: threshold for op in words.STEP_OPS}}}
    return {
        "if": {"properties": {"by": by}, "required": ["by"]},
        "then": {"properties": {"by": {"properties": {"margin": threshold} | barred}, "steps": steps}},
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
    by_unit = {Unit.PERCENT: ref("percent"), Unit.HOURS: ref("hours"), Unit.COUNT: number(values.WHOLE, minimum=0)}
    return by_unit[UNITS[metric]]


def parameters(metric: Metric) -> dict[str, Schema]:
    """What may be said of a metric besides a threshold."""
    since = {"since": ref("duration")} if words.looks_back(metric) else {}
    confidence = {"confidence": ref("percent")} if words.is_forecast(metric) else {}
    return {"within": ref("within")} | since | confidence


def _by() -> dict[str, Schema]:
    margin = {"anyOf": [ref("percent"), ref("hours"), number(values.WHOLE, minimum=0)]}
    metric = one_of(words.METRICS)
    return {
        "metric": metric,
        "within": ref("within"),
        "since": ref("duration"),
        "confidence": ref("percent"),
        "margin": margin,
    }


def _step() -> Schema:
    threshold = {"anyOf": [ref("percent"), ref("hours"), number(values.WHOLE, minimum=0)]}
    keys = {op.value: threshold for op in words.STEP_OPS} | {"budget": ref("budget"), "otherwise": ref("budget")}
    compared = [{"required": [op.value, "budget"], "maxProperties": 2} for op in words.STEP_OPS]
    return mapping(words.STEP, keys) | {"oneOf": [*compared, {"required": ["otherwise"], "maxProperties": 1}]}


def _budget() -> Schema:
    cost = {"cost_per_booking": ref("money"), "within": ref("within")}
    return {
        "title": "budget",
        "anyOf": [ref("percent"), one_of(words.NAMED), ref("money"), mapping(words.COST_PER_BOOKING, cost)],
    }


def _guardrails() -> dict[str, Schema]:
    return {
        "stabilise": mapping(words.STABILISE, dict.fromkeys(words.STABILISE.keys, ref("duration"))),
        "max_step": mapping(words.MAX_STEP, dict.fromkeys(words.MAX_STEP.keys, ref("percent"))),
        "dead_band": ref("percent"),
        "cooldown": ref("duration"),
        "max_changes_per_day": number(values.WHOLE, minimum=1, maximum=24),
        "edit_budget": mapping(
            words.EDIT_BUDGET, {"edits": number(values.WHOLE, minimum=1, maximum=100), "per": ref("duration")}
        ),
        "drift_expires": ref("duration"),
        "fallback": one_of(words.FALLBACKS),
        "fallback_after": ref("duration"),
        "change_window": _window(words.CHANGE_WINDOW),
        "blast_radius": ref("percent"),
    }


def _window(section: Section) -> Schema:
    days = {"anyOf": [{"enum": [*words.DAY_GROUPS]}, listed({"enum": [*words.DAYS]})]}
    hours = text(f"{values.CLOCK}-{values.CLOCK}")
    return mapping(section, {"days": days, "hours": hours, "public_holidays": text(values.REGION)}) | {"minProperties": 1}
