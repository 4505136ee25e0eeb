"""Opening the database for a look, without bringing it up to date or making one where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import make_url

from service.core.rules.language import RuleSet
from service.rehearsing import Rehearsal, rehearse
from service.store.store import Store


def rehearsed(url: str, edited: Iterable[RuleSet]) -> list[Rehearsal]:
    """What each file would change, by the database at `url`; nothing where there is no database yet. Raises `StoreError`."""

    async def work() -> list[Rehearsal]:
        store = Store.open(url)
        try:
            return [await rehearse(store, rules) for rules in edited]
        finally:
            await store.aclose()

    there = make_url(url)
    if there.get_backend_name() == "sqlite" and not Path(there.database or "").is_file():
        return [Rehearsal() for _ in edited]
    return asyncio.run(work())
