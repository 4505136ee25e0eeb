"""What the JSON Schemas of rule files and of their tests are built from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.core.rules import values
from service.core.rules.vocabulary import Section

Schema = dict[str, Any]

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


def text(pattern: str, **limits: int) -> Schema:
    """Text of a pattern."""
    return {"type": "string", "pattern": f"^{pattern}$"} | limits


def number(pattern: str, **limits: int) -> Schema:
    """Digits, which an editor takes for a number unless they are quoted."""
    kind = "number" if r"\." in pattern else "integer"
    return {"type": [kind, "string"], "pattern": f"^{pattern}$"} | limits


def name() -> Schema:
    """A name that can stand in a web address."""
    return text(values.NAME, maxLength=63)


def words_of_choice() -> Schema:
    """Words of a person's choice."""
    return {"type": ["string", "number"], "minLength": 1, "maxLength": 200}


def listed(schema: Schema) -> Schema:
    """A list with something in it."""
    return {"type": "array", "items": schema, "minItems": 1}


def ref(name: str) -> Schema:
    """Something that is defined once."""
    return {"$ref": f"#/$defs/{name}"}
