"""Whole stories as data: what happens to a clinic, and everything that is changed because of it.

The world of the sandbox without its sockets, and the shipped rules. A story's chapters are in the YAML files beside this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from service.core.decide.model import Decision
from service.core.model import Mode, Snapshot, State, Unreadable
from service.core.rules.language import RuleSet
from service.sandbox.scene import scene
from service.sandbox.world import World
from tests.support import Governed, local, shipped, snapshot, write

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))
HOUR = timedelta(hours=1)
SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_a_story(story: Path) -> None:
    told = yaml.load(story.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - BaseLoader makes nothing but text
    clinic = Governed(scene(), shipped(told["clinic"]))
    for chapter in told["chapters"]:
        _live(clinic, chapter)
        watched = told.get("campaigns", list(clinic.rules.campaigns))
        assert [_told(d) for d in clinic.applied if d.campaign in watched] == chapter["changes"], chapter["title"]
        clinic.applied.clear()
        latest = {d.campaign: f"{d.verdict} {d.reason}" for d in clinic.outcomes[-1][1].decisions}
        expected = chapter.get("decisions", {})
        assert {name: latest[name] for name in expected} == expected, chapter["title"]


def _live(clinic: Governed, chapter: Mapping[str, Any]) -> None:
    clinic.rules = replace(clinic.rules, mode=Mode(chapter.get("mode", clinic.rules.mode)))
    _happen(clinic, chapter.get("do", {}))
    while local(clinic.world, chapter["until"]) > timedelta(0):
        clinic.run()
        clinic.world.advance(int(chapter.get("every", 1)) * HOUR)


def _happen(clinic: Governed, events: Mapping[str, str]) -> None:
    world, slug = clinic.world, clinic.rules.clinic
    if "outage" in events:
        clinic.observe = _without_cliniko if events["outage"] == "true" else snapshot
    if "book_out" in events:
        world.book_out(slug, _types(world, slug, events["book_out"]))
    if "cancel" in events:
        assert world.cancel(slug, _types(world, slug, events["cancel"]), int(events["count"])) == int(events["count"])
    if "person_sets" in events:
        write(world, clinic.rules, events["person_sets"], State(events["running"] == "true", Decimal(events["budget"])))


def _types(world: World, clinic: str, word: str) -> list[str]:
    return [type_.id for type_ in world.clinics[clinic].types.values() if word in type_.name]


def _without_cliniko(world: World, rules: RuleSet) -> Snapshot:
    return replace(snapshot(world, rules), diaries=Unreadable("cliniko", "it did not answer"))


def _told(decision: Decision) -> str:
    assert decision.after is not None
    done = str(decision.after.budget) if decision.after.running else "paused"
    return f"{decision.at.astimezone(SYDNEY):%a %H:%M} {decision.campaign} {done} {decision.rule or 'no rule'}"
