"""The JSON Schema of test files: only shapes, as with rule files; names and what must be given are the reader's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from service.core.model import Reason, Verdict
from service.core.rules import values
from service.core.rules import vocabulary as words
from service.core.rules.language import Metric
from service.core.rules.limits import DURATIONS, PERCENTAGES
from service.core.rules.schema import parameters, shared, threshold_of
from service.core.rules.schema_blocks import (
    DIALECT,
    Schema,
    lasting,
    listed,
    mapping,
    name,
    named,
    never_both,
    one_of,
    percentage,
    ref,
    text,
    words_of_choice,
)
from service.core.rules.trial import words as own
from service.core.rules.trial.words import Gap, Stage
from service.core.rules.vocabulary import DAYS, Section


def schema_of_tests(*, pack: bool = False) -> Schema:
    """The schema of `rules/<clinic>.test.yaml`, or of `rules/packs/<pack>.test.yaml`."""
    section = own.PACK_FILE if pack else own.FILE
    head = {key: name(values.SLUG) for key in section.keys if key in {"clinic", "pack"}}
    shapes = {key: shape for key, shape in shared().items() if key not in {"budget", "condition", "region", "step"}}
    return {
        "$schema": DIALECT,
        **mapping(section, head | {"given": ref("given"), "tests": listed(_test())}),
        "title": "Tests of a rule file of the ad-spend governor"
        if not pack
        else "Tests of a rule pack of the ad-spend governor",
        "description": "Given metrics, what the rules must want. rules/README.md is the handbook.",
        "$defs": shapes
        | {
            "budget": {"anyOf": [percentage(*PERCENTAGES["budget"]), one_of(words.NAMED), ref("money")]},
            "given": _given(),
            "value_gap": _gaps(own.METRIC_GAPS),
            **{metric.value: _metric(metric) for metric in Metric},
            "expect": _expected(own.EXPECTED, {}),
            "after_guardrails": _expected(own.DONE, {"verdict": {"enum": [*Verdict]}}),
        },
    }


def _test() -> Schema:
    step = _step()
    clock = text(f"({'|'.join(DAYS)}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) ([01][0-9]|2[0-3]):[0-5][0-9]")
    series = listed(mapping(own.STEP, step))
    keys = {"name": words_of_choice(), "at": clock, "campaigns": _starts(), **step, "series": series}
    apart = [never_both("series", key) for key in ("for", *own.STAGES)]
    return mapping(own.TEST, keys) | {"anyOf": [{"required": [key]} for key in ("series", *own.STAGES)], "allOf": apart}


def _step() -> dict[str, Schema]:
    notices = {"type": "array", "items": words_of_choice(), "uniqueItems": True}
    stages = {stage.value: ref(stage.value) for stage in Stage}
    return {"given": ref("given"), "for": lasting(*DURATIONS["a test's for"]), **stages, "notices": notices}


def _starts() -> Schema:
    budget = {"type": "object", "properties": {"budget": ref("budget")}, "required": ["budget"], "additionalProperties": False}
    one = {"anyOf": [one_of(own.STARTS), budget]}
    return {"anyOf": [*one["anyOf"], named(one)]}


# --- given --------------------------------------------------------------------------------------------------------------


def _given() -> Schema:
    metrics = {metric.value: ref(metric.value) for metric in Metric}
    service = {"type": "object", "properties": metrics, "additionalProperties": False}
    services = {"anyOf": [_gaps(own.SERVICE_GAPS), service]}
    everything = {"type": "object", "properties": metrics, "additionalProperties": services}
    return {"anyOf": [_gaps(own.WHOLE_GAPS), everything]}


def _metric(metric: Metric) -> Schema:
    value: Schema = {"anyOf": [ref("value_gap"), threshold_of(metric)]}
    pair: Schema = {"type": "array", "items": threshold_of(metric), "minItems": 2, "maxItems": 2}
    bounds: dict[str, Schema] = {
        "is": value,
        "between": pair,
        "at_least": threshold_of(metric),
        "at_most": threshold_of(metric),
    }
    around = parameters(metric)
    section = Section(metric.value, {key: own.VALUE.keys[key] for key in bounds | around})
    stated = mapping(section, bounds | around) | {"oneOf": [{"required": [bound]} for bound in bounds]}
    one = {"anyOf": [*value["anyOf"], stated]}
    return {"description": words.METRICS[metric], "anyOf": [*one["anyOf"], listed(one)]}


def _gaps(known: Iterable[Gap]) -> Schema:
    return one_of({gap: own.GAPS[gap] for gap in known})


# --- expected -----------------------------------------------------------------------------------------------------------


def _expected(section: Section, more: dict[str, Schema]) -> Schema:
    outcome: Schema = one_of(own.OUTCOMES)
    keys = {"then": outcome, "budget": ref("budget"), "rule": words_of_choice(), "reason": {"enum": [*Reason]}, **more}
    stated = mapping(section, keys) | {"minProperties": 1, **never_both("then", "budget")}
    one = {"anyOf": [outcome, stated]}
    return {"anyOf": [*one["anyOf"], named(one)]}
