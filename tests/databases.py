"""Empty databases of this version, made once in each process and copied: that takes a hundredth of migrating every one."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from service.store.store import Store


def lay(directory: Path) -> Path:
    """See to it that a folder holds a migrated `governor.db`; one that is there is left as it is."""
    file = directory / "governor.db"
    if not file.exists():
        file.write_bytes(_empty())
    return file


@cache
def _empty() -> bytes:
    """Migrating has an event loop to itself: the caller may be in one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _migrated()).result()


async def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        store = Store.open(f"sqlite+aiosqlite:///{folder}/governor.db")
        await store.migrate()
        await store.aclose()
        return await asyncio.to_thread(Path(folder, "governor.db").read_bytes)
