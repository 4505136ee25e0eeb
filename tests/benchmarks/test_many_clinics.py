"""How long and how much memory a pass over many clinics takes from metrics to decisions, on one core, against its limits."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.benchmarks import many_clinics

COUNTS = (250, 500, 1_000)
LIMIT_SECONDS, LIMIT_MEBIBYTES = 6.0, 256
UNEVEN = 1.3
"""How much more one clinic may cost among the most than among the fewest."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass took, and how many decisions it made by their reason."""

    seconds: float
    mebibytes: float
    reasons: dict[str, int]


def passed(count: int) -> Pass:
    """A pass over so many clinics in a process of its own; the quicker of two, because the machine is not ours alone."""
    command = [sys.executable, "-m", many_clinics.__name__, str(count)]
    found = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]  # noqa: S603 - our own
    return min((Pass(**json.loads(each)) for each in found), key=lambda each: each.seconds)


@pytest.mark.bench
def test_a_pass_over_a_thousand_clinics_takes_seconds_and_little_memory_and_grows_with_their_number() -> None:
    passes = {count: passed(count) for count in COUNTS}
    print(f"\n{many_clinics.CAMPAIGNS} campaigns x 8 rules a clinic, in the middle of their lives: propose and decide")
    for count, each in passes.items():
        each_ms = 1000 * each.seconds / count
        print(f"  {count:>5,} clinics{each.seconds:>8.2f} s{each_ms:>8.2f} ms a clinic{each.mebibytes:>8.0f} MiB")
    most, fewest = passes[COUNTS[-1]], passes[COUNTS[0]]
    print(f"  limits{LIMIT_SECONDS:>17.2f} s{LIMIT_MEBIBYTES:>31} MiB")
    print("  decisions:", ", ".join(f"{reason} {n:,}" for reason, n in sorted(most.reasons.items(), key=lambda item: -item[1])))
    assert sum(most.reasons.values()) == COUNTS[-1] * many_clinics.CAMPAIGNS
    assert len(most.reasons) >= 8
    assert most.seconds <= LIMIT_SECONDS
    assert most.mebibytes <= LIMIT_MEBIBYTES
    assert most.seconds / COUNTS[-1] <= UNEVEN * fewest.seconds / COUNTS[0]
