"""A campaign that leaves the file, or its mode, while it carries our change is remembered and listed until it is back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.decide.left import left_changed
from service.core.decide.model import Standing
from service.core.model import Mode, State
from service.core.rules.language import EditBudget, RuleSet
from service.sandbox.scene import HARBOUR, scene, types_named
from tests.support import Governed, shipped

HOUR = timedelta(hours=1)
NAME = "physio-search"


def roomy(rules: RuleSet) -> RuleSet:
    """With room for a pause after another edit in the same week."""
    more = EditBudget(edits=4)
    entries = {n: replace(e, guardrails=replace(e.guardrails, edit_budget=more)) for n, e in rules.campaigns.items()}
    return replace(rules, campaigns=entries)


RULES = roomy(shipped(HARBOUR))
REST = {name: entry for name, entry in RULES.campaigns.items() if name != NAME}
WITHOUT = replace(
    RULES, campaigns=REST, rules=tuple(replace(r, campaigns=tuple(c for c in r.campaigns if c in REST)) for r in RULES.rules)
)
WATCHING = replace(RULES, mode=Mode.WATCH)
PROTECTED = replace(RULES, campaigns=RULES.campaigns | {NAME: replace(RULES.campaigns[NAME], protect=True)})
PROPOSING = replace(RULES, mode=Mode.PROPOSE)


def paused() -> Governed:
    """Harbour's physiotherapy is sold out, and both its campaigns are paused; podiatry sold out an hour later."""
    clinic = Governed(scene(), RULES)
    clinic.run()
    for sold in ("Initial physio", "", ""):
        clinic.world.book_out(HARBOUR, types_named(clinic.world.clinics[HARBOUR], sold))
        clinic.world.advance(HOUR)
        clinic.run()
    assert clinic.standings[NAME].paused_by_us
    return clinic


def then(clinic: Governed, rules: RuleSet) -> Governed:
    clinic.rules = rules
    clinic.world.advance(HOUR)
    clinic.run()
    return clinic


@pytest.mark.parametrize(
    ("rules", "why"),
    [(WITHOUT, "it is no longer in the rule file"), (WATCHING, "the mode is watch"), (PROTECTED, "it is protected")],
    ids=["the file", "the mode", "to be protected"],
)
def test_a_campaign_we_paused_that_leaves_is_listed_as_we_left_it(rules: RuleSet, why: str) -> None:
    clinic = then(paused(), rules)
    left_at = clinic.world.now
    (found,) = [each for each in left_changed(then(clinic, rules).standings, rules) if each.campaign == NAME]
    assert (found.of, found.state, found.base) == (f"google/{RULES.campaigns[NAME].id}", State(False, Decimal(60)), Decimal(60))
    assert (found.since, found.why) == (left_at, why)


def test_in_propose_the_rules_go_on_asking_for_what_they_want_so_nothing_is_left() -> None:
    assert left_changed(then(paused(), PROPOSING).standings, PROPOSING) == ()


@pytest.mark.parametrize("rules", [WITHOUT, WATCHING], ids=["the file", "the mode"])
def test_a_campaign_that_comes_back_is_still_ours_to_resume(rules: RuleSet) -> None:
    clinic = then(then(paused(), rules), RULES)
    assert left_changed(clinic.standings, RULES) == ()
    assert clinic.standings[NAME].paused_by_us
    assert clinic.standings[NAME].stood_down is None


def test_one_that_comes_back_under_another_name_is_still_ours() -> None:
    renamed = replace(WITHOUT, campaigns=REST | {"brand": replace(RULES.campaigns[NAME], name="brand")})
    clinic = then(then(paused(), WITHOUT), renamed)
    assert clinic.standings["brand"].paused_by_us
    assert NAME not in clinic.standings
    assert left_changed(clinic.standings, renamed) == ()


def test_a_campaign_as_the_file_wants_it_leaves_without_a_trace() -> None:
    clinic = Governed(scene(), RULES)
    clinic.run()
    assert left_changed(then(clinic, WITHOUT).standings, WITHOUT) == ()


def changed(update: Callable[[Standing], Standing]) -> tuple[str, ...]:
    """The names left after a standing of a campaign we paused was changed and it left."""
    clinic = paused()
    clinic.standings[NAME] = update(clinic.standings[NAME])
    return tuple(each.campaign for each in left_changed(then(clinic, WITHOUT).standings, WITHOUT))


def test_a_budget_of_ours_counts_and_one_at_base_does_not() -> None:
    cut = replace(paused().standings[NAME], paused_by_us=False, expected=State(True, Decimal(36)))
    assert changed(lambda _: cut) == (NAME,)
    assert changed(lambda _: replace(cut, expected=State(True, Decimal(60)))) == ()
