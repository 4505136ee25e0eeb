"""Opening the database for a look, without bringing it up to date or making one where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import make_url

from service.core.rules.language import RuleSet
from service.core.rules.lint.model import NOTHING_OBSERVED, Observed
from service.rehearsing import Rehearsal, rehearse
from service.store.store import Store
from service.swings import observed

A = TypeVar("A")
T = TypeVar("T")


def rehearsed(url: str, edited: Iterable[RuleSet]) -> list[Rehearsal]:
    """What each file would change, by the database at `url`; nothing where there is no database yet. Raises `StoreError`."""
    return _asked(url, rehearse, edited, Rehearsal())


def known(url: str, clinics: Iterable[str]) -> list[Observed]:
    """What the database at `url` has seen of each clinic; nothing where there is no database yet. Raises `StoreError`."""
    return _asked(url, observed, clinics, NOTHING_OBSERVED)


def _asked(url: str, ask: Callable[[Store, A], Coroutine[Any, Any, T]], about: Iterable[A], nothing: T) -> list[T]:
    async def work() -> list[T]:
        store = Store.open(url)
        try:
            return [await ask(store, each) for each in about]
        finally:
            await store.aclose()

    there = make_url(url)
    if there.get_backend_name() == "sqlite" and not Path(there.database or "").is_file():
        return [nothing for _ in about]
    return asyncio.run(work())
