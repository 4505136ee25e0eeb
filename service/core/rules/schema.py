"""The JSON Schema of rule files, for completion and squiggles in editors.

It describes the same shapes as the loader, from the same words and patterns, but only shapes: references between parts of
the file, limits and order are the loader's, which has the last word. Editors hand a schema what YAML makes of a value
(`60.00` is a number, `95%` text), hence the types. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from service.core.model import Platform
from service.core.rules import values
from service.core.rules import vocabulary as words
from service.core.rules.currencies import DECIMALS
from service.core.rules.language import UNITS, Metric, Op, Unit
from service.core.rules.vocabulary import Section

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OF_A_CAMPAIGN = replace(
    words.GUARDRAILS, keys={key: meaning for key, meaning in words.GUARDRAILS.keys.items() if key != "blast_radius"}
)
"""The guardrails that one campaign may change: the blast radius is about the whole clinic."""


def json_schema() -> Schema:
    """The schema of `rules/<clinic>.yaml`, JSON Schema 2020-12."""
    return {
        "$schema": DIALECT,
        **_object(words.FILE, _file()),
        "title": "Rule file of the ad-spend governor",
        "description": "What the governor may do with one clinic's ads, and when. rules/README.md is the handbook.",
        "$defs": _shared()
        | {
            "campaign_guardrails": _object(OF_A_CAMPAIGN, _guardrails()),
            "guardrails": _object(words.GUARDRAILS, _guardrails()),
        },
    }


def pack_schema() -> Schema:
    """The schema of `rules/packs/<pack>.yaml`."""
    return {
        "$schema": DIALECT,
        **_object(words.PACK, _pack()),
        "title": "Rule pack of the ad-spend governor",
        "description": "Rules that several clinics share. rules/README.md is the handbook.",
        "$defs": _shared(),
    }


def schema_text(schema: Schema) -> str:
    """A schema as `rules/` holds it, to the byte."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _shared() -> dict[str, Schema]:
    return {
        "budget": _budget(),
        "condition": _condition(),
        "duration": _text(values.DURATION),
        "hours": _text(values.HOURS),
        "money": _number(values.MONEY, exclusiveMinimum=0),
        "percent": _text(values.PERCENT),
        "within": _text(values.WITHIN),
    }


def _file() -> dict[str, Schema]:
    return {
        "version": {"enum": [1, "1"]},
        "clinic": _text(values.SLUG, maxLength=63),
        "name": _words(),
        "currency": {"enum": sorted(DECIMALS)},
        "mode": _one_of(words.MODES),
        "notify": _list(_name()),
        "packs": _list(_text(values.SLUG, maxLength=63)),
        "daily_cap": _ref("money"),
        "monthly_cap": _ref("money"),
        "google_ads": _object(words.GOOGLE_ADS, dict.fromkeys(words.GOOGLE_ADS.keys, _number(values.CUSTOMER_ID))),
        "meta": _object(words.META, {"ad_account_id": _text(values.AD_ACCOUNT_ID)}),
        "services": _named(_object(words.SERVICE, dict.fromkeys(words.SERVICE.keys, _list(_words()))), minProperties=1),
        "campaigns": _named(_object(words.CAMPAIGN, _campaign())),
        "rules": _list(_rule(words.RULE)),
        "guardrails": _ref("guardrails"),
    }


def _pack() -> dict[str, Schema]:
    rules = _list(_rule(words.PACK_RULE))
    return {"version": {"enum": [1, "1"]}, "pack": _text(values.SLUG, maxLength=63), "rules": rules}


def _campaign() -> dict[str, Schema]:
    budgets = dict.fromkeys(("base_budget", "floor", "ceiling"), _ref("money"))
    own = {"platform": {"enum": [*Platform]}, "id": _number(values.CAMPAIGN_ID), "service": _name()}
    return own | budgets | {"protect": {"type": "boolean"}, "guardrails": _ref("campaign_guardrails")}


def _rule(section: Section) -> Schema:
    keys = {
        "name": _words(),
        "service": _name(),
        "campaigns": _list(_name()),
        "when": _ref("condition"),
        "for": _ref("duration"),
        "until": _ref("condition"),
        "then": {"anyOf": [{"const": "pause"}, _object(words.THEN, {"budget": _ref("budget")})]},
        "bands": _object(words.BANDS, {"by": _object(words.BY, _by()), "steps": _list(_step())}),
        "notify": _name(),
        "stabilise": _ref("duration"),
        "active": _window(words.ACTIVE),
    }
    return _object(section, keys) | {
        "anyOf": [{"required": [part]} for part in ("then", "bands", "notify")],
        "allOf": [_never_both("then", "bands"), _never_both("service", "campaigns")]
        + [_never_both(part, "bands") for part in ("when", "for", "until")],
        "dependentRequired": {"for": ["when"], "until": ["when"]},
    }


def _condition() -> Schema:
    several = _list(_ref("condition"))
    joined = {"any": several, "all": several, "not": _ref("condition")}
    joined = {key: joined[key] | {"description": meaning} for key, meaning in words.JUNCTIONS.items()}
    return {
        "type": "object",
        "title": "condition",
        "properties": joined | {metric.value: _comparison(metric) for metric in Metric},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _comparison(metric: Metric) -> Schema:
    threshold = _threshold(metric)
    pair = {"type": "array", "items": threshold, "minItems": 2, "maxItems": 2}
    ops = {op.value: pair if op is Op.BETWEEN else threshold for op in Op}
    parameters = _parameters(metric)
    meanings = {key: words.COMPARISON.keys[key] for key in ops | parameters}
    section = Section(metric.value, meanings)
    return _object(section, ops | parameters) | {
        "description": words.METRICS[metric],
        "anyOf": [{"required": [op.value]} for op in Op],
    }


def _threshold(metric: Metric) -> Schema:
    by_unit = {Unit.PERCENT: _ref("percent"), Unit.HOURS: _ref("hours"), Unit.COUNT: _number(values.WHOLE, minimum=0)}
    return by_unit[UNITS[metric]]


def _parameters(metric: Metric) -> dict[str, Schema]:
    since = {"since": _ref("duration")} if words.looks_back(metric) else {}
    confidence = {"confidence": _ref("percent")} if words.is_forecast(metric) else {}
    return {"within": _ref("within")} | since | confidence


def _by() -> dict[str, Schema]:
    margin = {"anyOf": [_ref("percent"), _ref("hours"), _number(values.WHOLE, minimum=0)]}
    metric = _one_of(words.METRICS)
    return {
        "metric": metric,
        "within": _ref("within"),
        "since": _ref("duration"),
        "confidence": _ref("percent"),
        "margin": margin,
    }


def _step() -> Schema:
    threshold = {"anyOf": [_ref("percent"), _ref("hours"), _number(values.WHOLE, minimum=0)]}
    keys = {op.value: threshold for op in words.STEP_OPS} | {"budget": _ref("budget"), "otherwise": _ref("budget")}
    compared = [{"required": [op.value, "budget"], "maxProperties": 2} for op in words.STEP_OPS]
    return _object(words.STEP, keys) | {"oneOf": [*compared, {"required": ["otherwise"], "maxProperties": 1}]}


def _budget() -> Schema:
    cost = {"cost_per_booking": _ref("money"), "within": _ref("within")}
    return {
        "title": "budget",
        "anyOf": [_ref("percent"), _one_of(words.NAMED), _ref("money"), _object(words.COST_PER_BOOKING, cost)],
    }


def _guardrails() -> dict[str, Schema]:
    return {
        "stabilise": _object(words.STABILISE, dict.fromkeys(words.STABILISE.keys, _ref("duration"))),
        "max_step": _object(words.MAX_STEP, dict.fromkeys(words.MAX_STEP.keys, _ref("percent"))),
        "dead_band": _ref("percent"),
        "cooldown": _ref("duration"),
        "max_changes_per_day": _number(values.WHOLE, minimum=1, maximum=24),
        "edit_budget": _object(
            words.EDIT_BUDGET, {"edits": _number(values.WHOLE, minimum=1, maximum=100), "per": _ref("duration")}
        ),
        "drift_expires": _ref("duration"),
        "fallback": _one_of(words.FALLBACKS),
        "fallback_after": _ref("duration"),
        "change_window": _window(words.CHANGE_WINDOW),
        "blast_radius": _ref("percent"),
    }


def _window(section: Section) -> Schema:
    days = {"anyOf": [{"enum": [*words.DAY_GROUPS]}, _list({"enum": [*words.DAYS]})]}
    hours = _text(f"{values.CLOCK}-{values.CLOCK}")
    return _object(section, {"days": days, "hours": hours, "public_holidays": _text(values.REGION)}) | {"minProperties": 1}


# --- building blocks ----------------------------------------------------------------------------------------------------


def _object(section: Section, properties: Mapping[str, Schema]) -> Schema:
    described = {key: properties[key] | {"description": meaning} for key, meaning in section.keys.items()}
    required = {"required": [*section.required]} if section.required else {}
    title = section.title.replace("`", "")
    return {"type": "object", "title": title, "properties": described, "additionalProperties": False} | required


def _named(schema: Schema, **limits: int) -> Schema:
    names = _text(values.NAME, maxLength=63)
    return {"type": "object", "propertyNames": names, "additionalProperties": schema} | limits


def _never_both(one: str, other: str) -> Schema:
    return {"not": {"required": [one, other]}}


def _one_of(meanings: Mapping[Any, str]) -> Schema:
    return {"oneOf": [{"const": word.value, "description": meaning} for word, meaning in meanings.items()]}


def _text(pattern: str, **limits: int) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"} | limits


def _number(pattern: str, **limits: int) -> Schema:
    """Digits, which an editor takes for a number unless they are quoted."""
    kind = "number" if r"\." in pattern else "integer"
    return {"type": [kind, "string"], "pattern": f"^{pattern}$"} | limits


def _name() -> Schema:
    return _text(values.NAME, maxLength=63)


def _words() -> Schema:
    return {"type": ["string", "number"], "minLength": 1, "maxLength": 200}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "minItems": 1}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
