"""What the store knows of a clinic that its rule file can be held against: the swing of its metrics, and its newest reading.

Read-only. Swings come from the forecasts of the fortnight before the newest run.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from service.core.model import Diaries
from service.core.rules.language import Metric
from service.core.rules.lint.measured import swing
from service.core.rules.lint.model import NOTHING_OBSERVED, Observed
from service.store.store import Store

FORTNIGHT = timedelta(days=14)

Key = tuple[str, Metric]


async def observed(store: Store, clinic: str) -> Observed:
    """What is known of a clinic; nothing of one that never had a run. Raises StoreError where the database cannot be read."""
    latest = await store.snapshots.latest_readable(clinic)
    if latest is None:
        return NOTHING_OBSERVED
    now = latest.taken_at
    readings: dict[Key, list[tuple[datetime, float]]] = defaultdict(list)
    async for at, text in store.history.outcomes(clinic, now - FORTNIGHT, now):
        for key, value in _estimates(text):
            readings[key].append((at, value))
    swings = {key: found for key, values in readings.items() if (found := swing(values)) is not None}
    return Observed(swings, latest.diaries if isinstance(latest.diaries, Diaries) else None, now)


def _estimates(text: str) -> Iterator[tuple[Key, float]]:
    """Every metric of every service that a run was sure of."""
    forecasts: dict[str, Any] = json.loads(text)["forecasts"]
    for service, forecast in forecasts.items():
        for metric, reading in forecast["metrics"].items():
            bounds = reading["bounds"]
            if bounds["low"] is not None and bounds["low"] == bounds["high"]:
                yield (service, Metric(metric)), float(bounds["low"])
