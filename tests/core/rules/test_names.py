"""Names that Cliniko does not have are told at their own line, with the one that was probably meant."""

from __future__ import annotations

import pytest

from service.core.rules.names import unknown
from service.rulefiles.yaml_tree import parse
from tests.core.made import alone
from tests.rulefiles.mistakes import RULES

TEXT = """services:
  physio:
    appointment_types: [FIRST, Standart]
    locations:
      - City
      - Quai
  yoga:
    appointment_types: [Yoga for backs]
    exclude_practitioners: [Anna, " ben "]
"""


def told(text: str) -> list[str]:
    tree, _ = parse(text, "x.yaml")
    assert tree is not None
    return [str(problem) for problem in unknown(tree, "x.yaml", alone([]), {"practitioner/anna": ("ben",)})]


def test_each_is_told_once_at_its_line() -> None:
    assert told(TEXT) == [
        "x.yaml:3: Cliniko has no appointment type `Standart`; did you mean `Standard`?",
        "x.yaml:6: Cliniko has no business `Quai`; did you mean `Quay`?",
        "x.yaml:8: Cliniko has no appointment type `Yoga for backs`; it counts for nothing until Cliniko has one of that name",
        "x.yaml:9: Cliniko has no practitioner `Anna`; it is called `Ben` by now, and means that as before; write the new name",
    ]


@pytest.mark.parametrize("text", ["services: nonsense", "services: {physio: 5}", "[]", "services: {a: {locations: {b: c}}}"])
def test_a_file_of_another_shape_names_nothing(text: str) -> None:
    assert told(text) == []


def test_a_whole_file_is_walked() -> None:
    assert len(told((RULES / "harbour-physio.yaml").read_text("utf-8"))) == 5
