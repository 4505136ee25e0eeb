"""The day's cost of a snapshot's campaigns, found out from what earlier runs read."""

from __future__ import annotations

from dataclasses import replace

from service.core.model import Snapshot
from service.core.spending import NEAR_MIDNIGHT, days_began, with_today
from service.store.store import Store


async def with_spend_of_today(store: Store, snapshot: Snapshot) -> Snapshot:
    """The snapshot with `spent_today` where its platform only told the month. Raises StoreError."""
    begun = days_began(snapshot.campaigns, snapshot.taken_at)
    earlier = {at: await store.snapshots.campaigns(snapshot.clinic, at - NEAR_MIDNIGHT, at) for at in begun}
    return replace(snapshot, campaigns=with_today(snapshot.campaigns, snapshot.taken_at, earlier))
