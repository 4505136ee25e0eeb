"""From a tree to a rule set, without YAML: what each part of a file comes to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from service.core.errors import Problem, RuleFileError
from service.core.model import Mode, Platform
from service.core.rules.language import (
    All,
    Amount,
    Compare,
    CostPerBooking,
    EditBudget,
    Fallback,
    GoogleAccount,
    Guardrails,
    MaxStep,
    Measure,
    Metric,
    Named,
    NamedBudget,
    Not,
    Op,
    Pause,
    Percent,
    RaiseAndCut,
    Rule,
    RuleSet,
    Service,
    SharedBudget,
    Window,
)
from service.core.rules.language import Any as AnyOf
from service.core.rules.shape import read
from service.core.rules.tree import Entry, Mapping, Node, Scalar, Sequence

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def tree(value: Any, line: int = 1) -> Node:
    """Plain Python as a positioned tree; every key of the outermost mapping is on a line of its own."""
    if isinstance(value, dict):
        return Mapping(tuple(Entry(key, line + n, tree(item, line + n)) for n, (key, item) in enumerate(value.items())), line)
    if isinstance(value, list):
        return Sequence(tuple(tree(item, line) for item in value), line)
    return Scalar(str(value), line)


def file(**changes: Any) -> dict[str, Any]:
    """A small whole file; None takes a key out."""
    campaign = {"platform": "google", "id": "123", "base_budget": "60.00", "floor": "10", "ceiling": "120.5"}
    whole = {
        "version": "1",
        "clinic": "quay",
        "name": "The Quay",
        "currency": "AUD",
        "google_ads": {"customer_id": "1234567890"},
        "services": {"physio": {"appointment_types": ["First visit"]}, "podiatry": {"appointment_types": ["Feet"]}},
        "campaigns": {"a": campaign | {"service": "physio"}, "b": campaign | {"service": "podiatry", "id": "124"}},
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def loaded(**changes: Any) -> RuleSet:
    return read(tree(file(**changes)), file="rules/quay.yaml")


def rule(**keys: Any) -> Rule:
    return loaded(rules=[{"name": "One", **keys}]).rules[0]


def refused(**changes: Any) -> list[str]:
    with pytest.raises(RuleFileError) as error:
        loaded(**changes)
    return [str(problem) for problem in error.value.problems]


def test_what_is_not_said_is_safe() -> None:
    rules = loaded()
    assert rules.mode is Mode.WATCH
    assert rules.guardrails == Guardrails()
    assert (rules.rules, rules.notify, rules.meta, rules.daily_cap, rules.monthly_cap) == ((), (), None, None, None)
    assert rules.services["physio"] == Service("physio", ("First visit",))
    assert not rules.campaigns["a"].protect


def test_a_campaign_is_read_with_its_money_exact() -> None:
    entry = loaded().campaigns["a"]
    assert (entry.name, entry.platform, entry.id, entry.service) == ("a", Platform.GOOGLE, "123", "physio")
    assert (entry.base, entry.floor, entry.ceiling) == (Decimal("60.00"), Decimal(10), Decimal("120.5"))


def test_a_customer_id_may_have_dashes() -> None:
    ids = {"customer_id": "123-456-7890", "login_customer_id": "111-222-3333"}
    assert loaded(google_ads=ids).google == GoogleAccount("1234567890", "1112223333")


def test_money_in_yen_has_no_decimals() -> None:
    assert "`base_budget` has more than 0 decimals; write 60" in "\n".join(refused(currency="JPY"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("¥6,000", "write 6000"), ("60,50", "like 6000"), ("¥60.00", "like 6000"), ("6.000", "write an amount like 6000")],
)
def test_advice_on_yen_never_puts_the_decimals_elsewhere(written: str, meant: str) -> None:
    assert any(problem.endswith(meant) for problem in refused(currency="JPY", daily_cap=written))


def test_limits_in_hours_are_named_in_hours_and_longer_ones_in_days() -> None:
    rules = [{"name": "One", "then": "pause", "when": {"slots_opened": {"at_least": "5", "since": "4d"}}}]
    assert refused(rules=rules)[0].endswith("`since` cannot be 4d; write 1h to 72h")
    assert refused(guardrails={"cooldown": "15d"})[0].endswith("write 0h to 14d")
    assert refused(guardrails={"edit_budget": {"per": "1h"}})[0].endswith("write 1d to 60d")


def test_several_metrics_and_several_comparators_must_all_hold() -> None:
    when = rule(then="pause", when={"utilisation": {"at_least": "80%", "below": "95%"}, "open_slots": {"above": "3"}}).when
    utilisation = Measure(Metric.UTILISATION)
    assert when == All((
        All((Compare(utilisation, Op.AT_LEAST, Decimal(80)), Compare(utilisation, Op.BELOW, Decimal(95)))),
        Compare(Measure(Metric.OPEN_SLOTS), Op.ABOVE, Decimal(3)),
    ))  # fmt: skip


def test_any_all_and_not_nest() -> None:
    full, one = {"utilisation": {"at_least": "95%"}}, Compare(Measure(Metric.UTILISATION), Op.AT_LEAST, Decimal(95))
    assert rule(then="pause", when={"any": [full, {"not": {"all": [full, full]}}]}).when == AnyOf((one, Not(All((one, one)))))


def test_parameters_belong_to_their_metric() -> None:
    cluster = {"slots_opened": {"at_least": "5", "since": "2d", "within": "7d"}}
    assert rule(then="pause", when=cluster).when == Compare(Measure(Metric.SLOTS_OPENED, 7, 2 * DAY), Op.AT_LEAST, Decimal(5))
    unfilled = {"expected_open_slots": {"between": ["2", "4"], "confidence": "80%"}}
    measure = Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(80))
    assert rule(then="pause", when=unfilled).when == Compare(measure, Op.BETWEEN, Decimal(2), Decimal(4))


@pytest.mark.parametrize(
    ("then", "action"),
    [("pause", Pause()), ({"budget": "77.5%"}, Percent(Decimal("77.5"))), ({"budget": "floor"}, NamedBudget(Named.FLOOR)),
     ({"budget": "35.00"}, Amount(Decimal("35.00"))),
     ({"budget": {"cost_per_booking": "45", "within": "7d"}}, CostPerBooking(Decimal(45), 7))],
    ids=["pause", "percent", "named", "amount", "cost per booking"],
)  # fmt: skip
def test_an_action_is_read(then: Any, action: Any) -> None:
    assert rule(then=then).then == action


def test_a_rule_keeps_its_times_and_its_line() -> None:
    when, until = {"open_slots": {"at_most": "0"}}, {"open_slots": {"above": "0"}}
    found = rule(when=when, until=until, then="pause", **{"for": "2h"}, stabilise="1d")
    assert (found.hold_for, found.stabilise, found.line) == (2 * HOUR, DAY, 8)
    assert found.until == Compare(Measure(Metric.OPEN_SLOTS), Op.ABOVE, Decimal(0))


def test_a_ladder_is_read_in_its_order() -> None:
    steps = [{"at_least": "12h", "budget": "ceiling"}, {"above": "4h", "budget": "100%"}, {"otherwise": "floor"}]
    bands = rule(bands={"by": {"metric": "open_hours", "within": "7d", "margin": "1.5h"}, "steps": steps}).bands
    assert bands is not None
    assert (bands.measure, bands.margin) == (Measure(Metric.OPEN_HOURS, 7), Decimal("1.5"))
    assert [(step.op, step.threshold) for step in bands.steps] == [
        (Op.AT_LEAST, Decimal(12)),
        (Op.ABOVE, Decimal(4)),
        (None, None),
    ]


def test_equal_thresholds_are_reachable_only_from_above_to_at_least() -> None:
    def ladder(*ops: str) -> dict[str, Any]:
        return {"by": {"metric": "utilisation"}, "steps": [{op: "80%", "budget": "base"} for op in ops]}

    assert rule(bands=ladder("above", "at_least")).bands
    assert rule(bands=ladder("below", "at_most")).bands
    assert "never reached" in refused(rules=[{"name": "One", "bands": ladder("at_least", "above")}])[0]


def test_a_rule_is_about_its_service_its_campaigns_or_everything() -> None:
    assert rule(then="pause", service="podiatry").campaigns == ("b",)
    assert rule(then="pause", campaigns=["b", "a"]).campaigns == ("b", "a")
    assert rule(then="pause").campaigns == ("a", "b")


def test_a_service_without_campaigns_is_fine() -> None:
    services = {"physio": {"appointment_types": ["First visit"]}, "podiatry": {"appointment_types": ["Feet"]}}
    rules = loaded(
        services=services | {"yoga": {"appointment_types": ["Yoga"]}},
        rules=[{"name": "One", "service": "yoga", "then": "pause"}],
    )
    assert rules.rules[0].campaigns == ()


def test_a_shared_budget_is_refused_unless_the_file_allows_it() -> None:
    campaign = file()["campaigns"]["a"]
    assert loaded().campaigns["a"].shared_budget is SharedBudget.REFUSE
    allowed = loaded(campaigns={"a": campaign | {"shared_budget": "allow"}}).campaigns["a"]
    assert allowed.shared_budget is SharedBudget.ALLOW
    said = refused(campaigns={"a": campaign | {"shared_budget": "yes"}})
    assert any("`shared_budget`" in problem and "allow" in problem for problem in said)


def test_no_campaign_on_meta_shares_a_budget() -> None:
    social = file()["campaigns"]["a"] | {"platform": "meta", "shared_budget": "allow"}
    said = refused(campaigns={"a": social}, meta={"ad_account_id": "act_1"})
    assert any("on meta never share a budget; take `shared_budget` out" in problem for problem in said)
    silent = loaded(campaigns={"a": social | {"shared_budget": "refuse"}}, meta={"ad_account_id": "act_1"})
    assert silent.campaigns["a"].platform is Platform.META


def test_floors_of_campaigns_that_may_share_a_budget_count_once_against_the_cap() -> None:
    campaign = file()["campaigns"]["a"]
    shared = {name: campaign | {"id": str(n), "shared_budget": "allow"} for n, name in enumerate("abc", 1)}
    floor = Decimal(campaign["floor"])
    assert loaded(campaigns=shared, daily_cap=f"{floor * 2:.2f}").daily_cap == floor * 2
    own = {name: campaign | {"id": str(n)} for n, name in enumerate("abc", 1)}
    assert any("less than all floors" in problem for problem in refused(campaigns=own, daily_cap=f"{floor * 2:.2f}"))


def test_an_amount_need_fit_only_one_of_the_rules_campaigns() -> None:
    assert rule(then={"budget": "120"}).then == Amount(Decimal(120))
    assert (
        "outside what the campaign's floor and ceiling allow" in refused(rules=[{"name": "One", "then": {"budget": "121"}}])[0]
    )


def test_guardrails_of_a_campaign_build_upon_those_of_the_file() -> None:
    campaign = file()["campaigns"]["a"]
    own = {"stabilise": {"cut": "2h"}, "max_step": {"cut": "40%"}, "edit_budget": {"edits": "5"}, "cooldown": "1h"}
    outer = {"stabilise": {"raise": "12h"}, "edit_budget": {"per": "3d"}, "fallback": "base", "cooldown": "2h"}
    rules = loaded(campaigns={"a": campaign | {"guardrails": own, "protect": "true"}}, guardrails=outer)
    assert rules.guardrails == Guardrails(
        stabilise=RaiseAndCut(12 * HOUR, timedelta(0)),
        edit_budget=EditBudget(2, 3 * DAY),
        fallback=Fallback.BASE,
        cooldown=2 * HOUR,
    )
    assert rules.campaigns["a"].protect
    assert rules.campaigns["a"].guardrails == Guardrails(
        stabilise=RaiseAndCut(12 * HOUR, 2 * HOUR),
        max_step=MaxStep(down=Decimal(40)),
        edit_budget=EditBudget(5, 3 * DAY),
        fallback=Fallback.BASE,
        cooldown=HOUR,
    )


@pytest.mark.parametrize(
    ("window", "expected"),
    [({"days": "weekdays"}, Window((0, 1, 2, 3, 4))), ({"days": ["sun", "mon"]}, Window((0, 6))),
     ({"hours": "07:30-24:00"}, Window(starts=450, ends=1440))],
    ids=["weekdays", "named days", "hours"],
)  # fmt: skip
def test_a_change_window_is_read(window: Any, expected: Window) -> None:
    assert loaded(guardrails={"change_window": window}).guardrails.change_window == expected


def test_a_campaign_needs_its_platforms_account() -> None:
    said = "a is on google, and the file has no `google_ads`; add `google_ads:` above"
    assert any(said in problem for problem in refused(google_ads=None))


def test_an_unreadable_part_is_not_blamed_on_those_who_refer_to_it() -> None:
    rules = [{"name": "One", "service": "physio", "then": "pause", "notify": "marketing"}]
    assert refused(services=["physio"], notify="marketing", rules=rules) == [
        "rules/quay.yaml:6: `services` is a mapping of keys, not a list; write a name, and its keys below it",
        "rules/quay.yaml:8: `notify` is a list, not `marketing`; write [marketing]",
    ]


def test_problems_known_before_are_reported_with_those_found() -> None:
    known = Problem("rules/quay.yaml", 3, "a tab")
    with pytest.raises(RuleFileError) as error:
        read(tree(file(mode="off")), file="rules/quay.yaml", known=(known,))
    assert [problem.line for problem in error.value.problems] == [3, 8]


def test_a_known_problem_alone_is_enough_to_refuse() -> None:
    with pytest.raises(RuleFileError, match="a tab"):
        read(tree(file()), file="rules/quay.yaml", known=(Problem("rules/quay.yaml", 3, "a tab"),))


def test_a_ladder_of_nothing_but_otherwise_is_refused_and_one_with_a_wrong_step_is_told_only_that() -> None:
    def ladder(*steps: dict[str, Any]) -> list[str]:
        return refused(rules=[{"name": "One", "bands": {"by": {"metric": "utilisation"}, "steps": [*steps]}}])

    assert ["nothing but `otherwise`" in each for each in ladder({"otherwise": "base"})] == [True]
    (only,) = ladder({"at_least": "90", "budget": "floor"}, {"otherwise": "base"})
    assert "utilisation is a percentage; write 90%" in only
