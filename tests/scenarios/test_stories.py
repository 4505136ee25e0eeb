"""Whole stories as data: what happens to a clinic, and everything that is changed because of it.

The world of the sandbox without its sockets, and the shipped rules. A story's chapters are in the YAML files beside this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from service.core.decide.model import Decision
from service.core.model import Mode, Snapshot, State, Unreadable
from service.core.rules.language import RuleSet
from service.sandbox.clinic import Clinic, Span
from service.sandbox.scene import SUNDAY_MORNING, scene
from service.sandbox.world import World
from tests.support import Governed, local, shipped, snapshot, write

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))
HOUR = timedelta(hours=1)
MINUTES = "%Y-%m-%d %H:%M"
SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_a_story(story: Path) -> None:
    told = yaml.load(story.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - BaseLoader makes nothing but text
    clinic = Governed(scene(now=_begins(told)), shipped(told["clinic"]))
    for chapter in told["chapters"]:
        _live(clinic, chapter)
        watched = told.get("campaigns", list(clinic.rules.campaigns))
        assert [_told(d) for d in clinic.applied if d.campaign in watched] == chapter["changes"], chapter["title"]
        clinic.applied.clear()
        latest = {d.campaign: f"{d.verdict} {d.reason}" for d in clinic.outcomes[-1][1].decisions}
        expected = chapter.get("decisions", {})
        assert {name: latest[name] for name in expected} == expected, chapter["title"]


def _begins(told: Mapping[str, Any]) -> datetime:
    """When a story begins, in Sydney; the demonstration's Sunday morning where it does not say."""
    if "begins" not in told:
        return SUNDAY_MORNING
    return datetime.strptime(told["begins"], MINUTES).replace(tzinfo=SYDNEY).astimezone(UTC)


def _live(clinic: Governed, chapter: Mapping[str, Any]) -> None:
    clinic.rules = replace(clinic.rules, mode=Mode(chapter.get("mode", clinic.rules.mode)))
    _happen(clinic, chapter.get("do", {}))
    while local(clinic.world, chapter["until"]) > timedelta(0):
        clinic.run()
        clinic.world.advance(int(chapter.get("every", 1)) * HOUR)


def _happen(clinic: Governed, events: Mapping[str, Any]) -> None:
    world, slug = clinic.world, clinic.rules.clinic
    if "outage" in events:
        clinic.observe = _without_cliniko if events["outage"] == "true" else snapshot
    if "book_out" in events:
        world.book_out(slug, _types(world, slug, events["book_out"]))
    if "cancel" in events:
        assert world.cancel(slug, _types(world, slug, events["cancel"]), int(events["count"])) == int(events["count"])
    for edit in events.get("edits", ()):
        _edit(world.clinics[slug], edit)
    if "everybody_away" in events:
        starts, ends = (world.now + local(world, at) for at in events["everybody_away"])
        world.clinics[slug].unavailable += [Span(person, starts, ends) for person in world.clinics[slug].people]
    if "person_sets" in events:
        write(world, clinic.rules, events["person_sets"], State(events["running"] == "true", Decimal(events["budget"])))


def _edit(clinic: Clinic, edit: Mapping[str, Any]) -> None:
    """`{of: settings | types | people | clinic, named: a word of the name, field: value}`; values are YAML's."""
    single: dict[str, list[Any]] = {"settings": [clinic.settings], "clinic": [clinic]}
    edited = single.get(edit["of"]) or getattr(clinic, edit["of"]).values()
    chosen = [each for each in edited if edit.get("named", "") in getattr(each, "name", "")]
    assert chosen, edit
    for each, (name, value) in product(chosen, edit.items() - {("of", edit["of"]), ("named", edit.get("named"))}):
        assert hasattr(each, name), edit
        setattr(each, name, yaml.safe_load(value))


def _types(world: World, clinic: str, word: str) -> list[str]:
    return [type_.id for type_ in world.clinics[clinic].types.values() if word in type_.name]


def _without_cliniko(world: World, rules: RuleSet) -> Snapshot:
    return replace(snapshot(world, rules), diaries=Unreadable("cliniko", "it did not answer"))


def _told(decision: Decision) -> str:
    assert decision.after is not None
    done = str(decision.after.budget) if decision.after.running else "paused"
    return f"{decision.at.astimezone(SYDNEY):%a %H:%M} {decision.campaign} {done} {decision.rule or 'no rule'}"
