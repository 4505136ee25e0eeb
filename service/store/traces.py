"""The conditions of a service as a run evaluated them, kept beside its decisions so that the reason is read with them.

A document a service and run, the same conditions of several runs once. It is the JSON of an answer: a line is `{"rule", "text",
"reading": {"estimate", "low", "high", "cause"}, "truth"}`, and a bound that does not exist (infinite) is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import Reading, TraceLine
from service.store.documents import Document
from service.store.tables import trace

Traces = Mapping[str, Sequence[TraceLine]]


def documents_of(traces: Traces) -> dict[str, Document]:
    """A document for each service."""
    return {service: Document.of(told(lines)) for service, lines in traces.items()}


def told(lines: Sequence[TraceLine]) -> bytes:
    """Conditions as they are answered."""
    return json.dumps([_line(line) for line in lines], ensure_ascii=False, separators=(",", ":")).encode()


async def put(conn: AsyncConnection, run: str, documents: Mapping[str, Document]) -> None:
    """Say which documents, stored already, are a run's."""
    rows = [{"run": run, "service": service, "document": each.digest} for service, each in documents.items()]
    if rows:
        await conn.execute(insert(trace), rows)


def _line(line: TraceLine) -> dict[str, Any]:
    return {"rule": line.rule, "text": line.text, "reading": _reading(line.reading), "truth": line.truth}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _reading(reading: Reading) -> dict[str, Any]:
    bounds = reading.bounds
    numbers = {"estimate": bounds.estimate, "low": bounds.low, "high": bounds.high}
    return {name: _finite(value) for name, value in numbers.items()} | {"cause": reading.cause}
