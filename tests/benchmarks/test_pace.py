"""The booking-pace model against openings staying as they are, and against an oracle that knows all rates.

The short form holds a few clinics to slightly wider limits; the long form holds 200 and more to the stated ones. Both print
their table with `-s`. The model was developed on other seeds.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.kinds import KINDS, worlds
from tests.benchmarks.trial import HEAD, Lived, Tally, trial

SEED = 20_260
THIN = (0, 1, 3, 5, 7, 10, 14, 21)


def tallies(count: int, seed: int) -> dict[str, Tally]:
    """Figures by kind of world, and of all worlds, with eight weeks of history."""
    found = {kind.__name__.replace("_", " "): Tally() for kind in KINDS} | {"all": Tally()}
    for world in worlds(count, seed):
        tally = trial(Lived.of(world))
        found[world.kind] += tally
        found["all"] += tally
    return found


def thin(count: int, seed: int) -> dict[int, Tally]:
    """Figures of all worlds by how many days of looks there are."""
    found = {history: Tally() for history in THIN}
    for world in worlds(count, seed):
        story = Lived.of(world)
        for history in THIN:
            found[history] += trial(story, history, origins=(56, 65, 74))
    return found


def shown(title: str, rows: dict[str, Tally]) -> None:
    print("", title, HEAD, *(tally.row(name) for name, tally in rows.items()), sep="\n")


@pytest.mark.parametrize(
    ("clinics", "gain", "margin", "bands"),
    [
        pytest.param(12, 0.25, 0.20, (0.74, 0.90), id="short"),
        pytest.param(300, 0.25, 0.15, (0.76, 0.88), id="long", marks=pytest.mark.soak),
    ],
)
def test_the_model_beats_openings_as_they_are_and_comes_near_the_oracle(
    clinics: int, gain: float, margin: float, bands: tuple[float, float]
) -> None:
    found = tallies(clinics, SEED)
    shown(f"{clinics} clinics, 8 weeks of history, 3 to 13 days ahead", found)
    assert found["all"].to_naive <= 1 - gain
    assert found["all"].to_oracle <= 1 + margin
    assert bands[0] <= found["all"].coverage <= bands[1]


@pytest.mark.parametrize(
    ("clinics", "margin"),
    [pytest.param(6, 0.03, id="short"), pytest.param(200, 0.02, id="long", marks=pytest.mark.soak)],
)
def test_thin_history_is_never_worse_than_openings_as_they_are(clinics: int, margin: float) -> None:
    found = thin(clinics, SEED + 1)
    shown(f"{clinics} clinics, thin history", {f"{days} days": tally for days, tally in found.items()})
    for tally in found.values():
        assert tally.to_naive <= 1 + margin
