"""Waiting for what comes about by itself, in some other process or task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
NAP = 0.02


async def eventually(asked: Callable[[], Awaitable[T]], seconds: float = 30.0, nap: float = NAP) -> T:
    """The first answer that is true; fails where there is none within so many seconds."""
    end = time.monotonic() + seconds
    while not (answer := await asked()):
        assert time.monotonic() < end, f"this has not come about within {seconds:g} s"
        await asyncio.sleep(nap)
    return answer
