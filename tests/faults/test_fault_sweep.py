"""Whatever goes wrong with reading Cliniko, no campaign moves as the true world would not have it move.

Each combination of a fault, a place and a state is run twice from the same past: once faultlessly, once through the real
adapter with the fault. Keeping is always allowed. A move is allowed only as far as the faultless run went, or went before:
each campaign of the faulty line stays within what the faultless line has been through. `python -m tests.faults.reproduce
KIND few|many NUMBER` shows one combination.
"""

from __future__ import annotations

import sys

import pytest

from tests.faults.catalogue import SWEPT, Sweep, drawn, emptied
from tests.faults.lines import compared


@pytest.mark.parametrize("sweep", ["few", pytest.param("many", marks=pytest.mark.soak)])
async def test_a_whole_clinic_that_answers_empty_lists_for_hours_moves_nothing(sweep: Sweep) -> None:
    wrong = [f"{each}: {text}" for each in emptied(sweep) for text in (await compared(each)).wrong]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", SWEPT)
@pytest.mark.parametrize("sweep", ["few", pytest.param("many", marks=pytest.mark.soak)])
async def test_no_fault_moves_a_campaign_further_than_the_truth_does(kind: str, sweep: Sweep) -> None:
    found = [await compared(combination) for combination in drawn(kind, sweep)]
    count = len(found)
    wrong = [f"python -m tests.faults.reproduce {kind} {sweep} {n}: {text}" for n, c in enumerate(found) for text in c.wrong]
    moved, kept, unread = (sum(getattr(c, name) for c in found) for name in ("moved", "kept", "unread"))
    counts = f"moves {moved:>4}, kept instead {kept:>4}, unreadable {unread:>4}, wrong {len(wrong)}"
    sys.stdout.write(f"{kind:<17} {count:>4} combinations, {counts}\n")
    assert not wrong, "\n".join(wrong)
