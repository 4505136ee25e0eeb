"""What the JSON Schemas of rule files and of their tests are built from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from service.core.rules import values
from service.core.rules.limits import DAY, HOUR
from service.core.rules.vocabulary import Section

Schema = dict[str, Any]

PRINTABLE = r"^\s*(?=\S)[^\u0000-\u001f\u007f-\u009f]{0,199}[^\u0000-\u001f\u007f-\u009f\s]\s*$"
"""1 to 200 printable characters, blanks around them."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def mapping(section: Section, properties: Mapping[str, Schema]) -> Schema:
    """The keys of a section, each with its meaning and nothing else."""
    described = {key: properties[key] | {"description": meaning} for key, meaning in section.keys.items()}
    required = {"required": [*section.required]} if section.required else {}
    title = section.title.replace("`", "")
    return {"type": "object", "title": title, "properties": described, "additionalProperties": False} | required


def named(schema: Schema, **limits: int) -> Schema:
    """A mapping whose keys are names of the file's own choice."""
    names = text(values.NAME, maxLength=63)
    return {"type": "object", "propertyNames": names, "additionalProperties": schema} | limits


def never_both(one: str, other: str) -> Schema:
    """Not two keys at once."""
    return {"not": {"required": [one, other]}}


def one_of(meanings: Mapping[Any, str]) -> Schema:
    """One of some words, each with its meaning."""
    return {"oneOf": [{"const": word.value, "description": meaning} for word, meaning in meanings.items()]}


def whole_numbers(lowest: int, highest: int) -> str:
    """A pattern of the whole numbers between two limits, both included, after any zeros."""
    parts: list[str] = []
    while lowest <= highest:
        top = min(highest, 10 ** len(str(lowest)) - 1)
        parts += _same_length(str(lowest), str(top))
        lowest = top + 1
    return f"0*({'|'.join(parts)})"


def _same_length(low: str, high: str) -> list[str]:
    """The numbers between two of as many digits: by the first digit, and by the rest where an end cuts it short."""
    rest = len(low) - 1
    if low[0] == high[0] and rest:
        return [low[0] + each for each in _same_length(low[1:], high[1:])]
    first, last = int(low[0]), int(high[0])
    below = [low[0] + each for each in _same_length(low[1:], "9" * rest)] if low[1:] != "0" * rest else []
    above = [high[0] + each for each in _same_length("0" * rest, high[1:])] if high[1:] != "9" * rest else []
    first, last = first + bool(below), last - bool(above)
    digits = f"[{first}-{last}]" if first < last else str(first)
    return [*below, *([digits + "[0-9]" * min(rest, 1) + f"{{{rest}}}" * (rest > 1)] if first <= last else []), *above]


def percentage(lowest: int, highest: int) -> Schema:
    """A percentage between two limits, with decimals or not."""
    return text(rf"({whole_numbers(lowest, highest - 1)}(\.[0-9]{{1,4}})?|0*{highest}(\.0{{1,4}})?)%")


def lasting(shortest: timedelta, longest: timedelta) -> Schema:
    """A duration between two limits, in whole hours or days."""
    hours = whole_numbers(shortest // HOUR, longest // HOUR)
    return text(f"({hours}h|{whole_numbers(-(-shortest // DAY), longest // DAY)}d)")


def count(lowest: int, highest: int) -> Schema:
    """A whole number between two limits."""
    return number(whole_numbers(lowest, highest), minimum=lowest, maximum=highest)


def text(pattern: str, **limits: int) -> Schema:
    """Text of a pattern."""
    return {"type": "string", "pattern": f"^{pattern}$"} | limits


def number(pattern: str, **limits: int) -> Schema:
    """Digits, which an editor takes for a number unless they are quoted."""
    kind = "number" if r"\." in pattern else "integer"
    return {"type": [kind, "string"], "pattern": f"^{pattern}$"} | limits


def name(pattern: str = values.NAME) -> Schema:
    """A name that can stand in a web address; an editor takes `2024` for a number and `true` for a truth."""
    return {"type": ["string", "integer", "boolean"], "pattern": f"^{pattern}$", "maxLength": 63, "minimum": 0}


def words_of_choice() -> Schema:
    """Words of a person's choice, which an editor may take for a number or a truth; blanks around them do not count."""
    return {"type": ["string", "number", "boolean"], "pattern": PRINTABLE}


def listed(schema: Schema) -> Schema:
    """A list with something in it."""
    return {"type": "array", "items": schema, "minItems": 1}


def names_of(schema: Schema) -> Schema:
    """A list with something in it, and nothing twice."""
    return listed(schema) | {"uniqueItems": True}


def ref(name: str) -> Schema:
    """Something that is defined once."""
    return {"$ref": f"#/$defs/{name}"}
