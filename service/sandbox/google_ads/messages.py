"""Values of the world as fields of Google's messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

NEWER_THAN_THE_CLIENT = 99
"""The number sent for an enum name that the API version does not have."""


def put(message: Any, name: str, value: Any) -> None:
    """Set a field: enums by name, times as text, lists item by item, messages from dicts."""
    attribute = attribute_of(message.DESCRIPTOR, name)
    field = message.DESCRIPTOR.fields_by_name[attribute]
    if isinstance(value, dict):
        inner = getattr(message, attribute)
        inner.SetInParent()
        for key, one in value.items():
            put(inner, key, one)
    elif isinstance(value, datetime):
        setattr(message, attribute, value.strftime("%Y-%m-%d %H:%M:%S.%f"))
    elif isinstance(value, list):
        getattr(message, attribute).extend(value)
    elif field.enum_type is not None:
        known = field.enum_type.values_by_name.get(value)
        setattr(message, attribute, known.number if known is not None else NEWER_THAN_THE_CLIENT)
    else:
        setattr(message, attribute, value)


def attribute_of(descriptor: Any, name: str) -> str:
    """Python's name of a field: `campaign_budget.type` is the attribute `type_`."""
    return name if name in descriptor.fields_by_name else f"{name}_"
