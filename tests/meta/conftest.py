from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.meta.stage import Stage, staged


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged() as found:
        yield found
