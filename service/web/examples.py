"""Examples for the API's description: what a clinic's day was answered, an answer for each operation.

`examples.json` is written by `make schema` from a story in the sandbox, and a test holds it against the description.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = json.loads(files("service.web").joinpath("examples.json").read_text(encoding="utf-8"))
"""By `operationId`: `answer`, and where there is one the `body` that was asked with."""

SHOWN_AS = "a clinic's day"


def illustrated(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the examples in it; it is the one that was given."""
    for operations in document["paths"].values():
        for operation in operations.values():
            _illustrate(operation, EXAMPLES.get(operation["operationId"], {}))
    return document


def _illustrate(operation: dict[str, Any], example: dict[str, Any]) -> None:
    if "body" in example:
        _add(operation["requestBody"], example["body"])
    for status, answer in operation["responses"].items():
        if status.startswith("2") and "answer" in example:
            _add(answer, example["answer"])


def _add(place: dict[str, Any], value: Any) -> None:
    place["content"]["application/json"]["examples"] = {SHOWN_AS: {"value": value}}
