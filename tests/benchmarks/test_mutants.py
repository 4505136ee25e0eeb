"""How many small changes to the shipped rule files their own tests notice: `make bench` prints which not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rulefiles.test_mutants import SHIPPED, scored

pytestmark = pytest.mark.bench


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_changes_to_a_shipped_file_that_its_tests_notice(file: Path) -> None:
    score = scored([file])
    print(f"\n{file.stem}: {score}")
    assert score.noticed >= 0.95
