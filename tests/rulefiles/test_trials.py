"""Tests of rule files: what a test file may say, what it means, and how a failure reads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from service.core.errors import RuleFileError
from service.core.rules.language import RuleSet
from service.core.rules.trial.branches import every_way
from service.core.rules.trial.coverage import Coverage, coverage
from service.core.rules.trial.difference import difference
from service.core.rules.trial.given import Asked, written_as
from service.core.rules.trial.model import Result
from service.core.rules.trial.run import run
from service.core.rules.trial.schema import schema_of_tests
from service.core.rules.trial.words import Gap
from service.core.rules.windows import regions
from service.rulefiles.public_holidays import between
from service.rulefiles.source import check, tree
from service.rulefiles.trials import Subject, stated
from tests.rulefiles.generated import files, written
from tests.rulefiles.quay import clinic
from tests.rulefiles.test_schema import as_an_editor_sees
from tests.support import RULES

HEAD = clinic("120.00")
RULE_FILE = """rules:
  - name: Full
    service: physio
    when: {utilisation: {at_least: 95%}, open_slots: {at_most: 2, within: 7d}}
    for: 2h
    until: {utilisation: {below: 88%}}
    then: pause
  - name: Fill
    service: feet
    then: {budget: {cost_per_booking: 42.00, within: 7d}}
  - name: Ladder
    service: physio
    active: {days: weekdays, public_holidays: AU-NSW}
    bands: {by: {metric: utilisation, margin: 5%}, steps: [{at_least: 80%, budget: 50%}]}
  - name: Tell
    service: physio
    when: {slots_opened: {at_least: 5, since: 48h}}
    notify: marketing
"""
TESTS = """clinic: quay
given:
  physio: {utilisation: 70%, open_slots: {is: 9, within: 7d}, slots_opened: {is: 0, since: 48h}}
  feet: {expected_open_slots: {is: 10, within: 7d}}
tests:
"""


def subject(rules: str = RULE_FILE, head: str = HEAD) -> Subject:
    found = check(head + rules, "quay.yaml")
    return Subject(RULES / "quay.yaml", found, found.rules)


QUAY = subject()


def results(tests: str, about: Subject = QUAY) -> list[Result]:
    trials = stated(tests, about).trials
    return [run(each, about.rules, between(each.begins, each.ends, regions(about.rules))) for each in trials]


def one(body: str, about: Subject = QUAY) -> Result:
    """What comes of one test of the Quay on its ordinary day."""
    (found,) = results(f"{TESTS}  - {{name: One, {body}}}\n", about)
    return found


def covered(*bodies: str) -> Coverage:
    found = results(TESTS + "".join(f"  - {{name: T{n}, {body}}}\n" for n, body in enumerate(bodies)))
    return coverage(QUAY.own, found)


# --- what is expected ---------------------------------------------------------------------------------------------------

FULL = "given: {physio: {utilisation: 95%, open_slots: {is: 2, within: 7d}}}"
TRUE = [
    pytest.param("expect: {a: {budget: base}, b: {budget: 40.00}}", id="where no rule matches, base"),
    pytest.param("expect: {physio: {budget: 100%, reason: no_rule}}", id="a service stands for its campaigns"),
    pytest.param(f"{FULL}, for: 2h, expect: {{a: {{then: pause, rule: Full}}}}", id="for two hours, and it matches"),
    pytest.param(f"{FULL}, for: 1h, expect: {{a: {{budget: 30.00, rule: Ladder}}}}", id="for one hour, and it does not yet"),
    pytest.param(f"{FULL}, at: sat 09:00, expect: {{a: {{budget: base}}}}", id="on a Saturday the ladder is not looked at"),
    pytest.param(f'{FULL}, at: "2026-01-26 09:00", expect: {{a: {{budget: base}}}}', id="nor on a public holiday"),
    pytest.param("expect: {c: {budget: 60.00, rule: Fill}}", id="ten openings at 42.00 over seven days"),
    pytest.param("given: {feet: missing}, expect: {c: {then: keep, reason: data_incomplete}}", id="worth that is not known"),
    pytest.param("given: {feet: not_sold_online}, expect: {c: {then: keep, reason: not_sold_online}}", id="nothing to sell"),
    pytest.param("given: {utilisation: missing}, expect: {physio: keep}", id="a metric that is not known"),
    pytest.param("given: {physio: {utilisation: {between: [80%, 90%]}}}, expect: {a: {budget: 50%}}", id="bounds that agree"),
    pytest.param("given: {physio: {utilisation: {between: [79%, 90%]}}}, expect: {a: keep}", id="bounds that do not"),
    pytest.param("given: {physio: {utilisation: {at_least: 80%}}}, expect: {a: {budget: 50%}}", id="a lower bound"),
    pytest.param("given: {physio: {utilisation: {at_most: 79%}}}, expect: {a: {budget: base}}", id="an upper bound"),
    pytest.param("given: {physio: {utilisation: closed}}, expect: {a: {reason: closed}}", id="closed"),
    pytest.param(
        "given: cliniko_unreadable, expect: {then: keep, reason: cliniko_unreadable}", id="Cliniko cannot be read"
    ),
    pytest.param(
        "given: {physio: {utilisation: 85%}}, after_guardrails: {a: {budget: 50%, verdict: apply, reason: rule}}",
        id="a cut is made at once",
    ),
    pytest.param(
        "campaigns: {a: {budget: 30.00}}, expect: {a: {budget: base}}, after_guardrails: {a: {reason: stabilising}}",
        id="a raise has to wait",
    ),
    pytest.param(
        "campaigns: {a: paused_by_person}, after_guardrails: {a: {reason: paused_by_person, verdict: keep}}",
        id="a person's pause is left alone",
    ),
    pytest.param("campaigns: paused, after_guardrails: {a: keep}, expect: {a: {budget: base}}", id="paused by the governor"),
    pytest.param("campaigns: {physio: paused}, at: mon 09:00, expect: {a: {budget: base}}", id="all campaigns of a service"),
    pytest.param("given: {physio: {slots_opened: {is: 5, since: 48h}}}, notices: [Tell]", id="somebody is told"),
    pytest.param("notices: []", id="nobody is told"),
]  # fmt: skip


@pytest.mark.parametrize("body", TRUE)
def test_what_the_rules_want_is_as_expected(body: str) -> None:
    found = one(body)
    assert found.passed, list(difference(found, QUAY.rules))
    assert found.checks or found.notices


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (f"{FULL}, for: 2h, expect: {{a: {{budget: floor}}}}", ("budget",)),
        (f"{FULL}, for: 2h, expect: {{a: keep}}", ("then",)),
        (f"{FULL}, for: 2h, expect: {{a: {{then: pause, rule: Ladder, reason: no_rule}}}}", ("rule", "reason")),
        ("expect: {a: pause}", ("then",)),
        ("expect: {a: {budget: 61.00}}", ("budget",)),
        ("after_guardrails: {a: {verdict: apply}}", ("verdict",)),
    ],
)
def test_what_is_not_as_expected_is_told_by_its_key(body: str, wrong: tuple[str, ...]) -> None:
    found = one(body)
    assert [check.wrong for check in found.checks] == [wrong]
    assert not found.passed


def test_a_campaign_by_name_goes_before_its_service() -> None:
    found = one("expect: {a: {budget: base}, physio: pause}")
    assert [(check.expectation.campaign, check.wrong) for check in found.checks] == [("a", ()), ("b", ("then",))]


def test_in_a_series_what_is_not_given_again_stays_and_what_was_decided_is_in_force() -> None:
    found = one(
        "series: [{given: {physio: {utilisation: 96%, open_slots: {is: 0, within: 7d}}}, for: 2h, expect: {a: pause},"
        " after_guardrails: {a: {budget: 50%, reason: cooling_down}}},"
        " {given: {physio: {utilisation: 88%}}, for: 3h, expect: {a: {then: pause, rule: Full}},"
        " after_guardrails: {a: {budget: floor, reason: edit_budget}}},"
        " {given: {physio: {utilisation: missing}}, expect: {a: keep}},"
        " {given: {physio: {utilisation: 60%}}, for: 24h, after_guardrails: {a: {budget: base}}}]"
    )
    assert found.passed, list(difference(found, QUAY.rules))
    assert [round(check.after.total_seconds() / 3600) for check in found.checks] == [2, 2, 6, 6, 7, 32]


def test_an_outage_of_cliniko_leads_to_the_fallback() -> None:
    patient = subject(head=HEAD + "guardrails: {fallback: base, fallback_after: 24h}\n")
    found = one(
        "campaigns: {a: {budget: 70.00}}, series: ["
        "{given: cliniko_unreadable, for: 23h, after_guardrails: {a: {then: keep, reason: cliniko_unreadable}}},"
        " {after_guardrails: {a: {budget: base}}}]",
        patient,
    )
    assert found.passed, list(difference(found, patient.rules))


def test_the_file_s_mode_does_not_matter() -> None:
    watching = subject(head=HEAD + "mode: watch\n")
    assert one("given: {physio: {utilisation: 85%}}, after_guardrails: {a: {budget: 50%, verdict: apply}}", watching).passed


# --- how a failure reads ------------------------------------------------------------------------------------------------


def test_a_failure_says_what_was_expected_what_came_and_what_each_rule_came_to() -> None:
    found = one("given: {physio: {utilisation: 96%}}, expect: {physio: {then: pause, rule: Full}}")
    assert list(difference(found, QUAY.rules)) == [
        "at the beginning (line 6)",
        "  expected  a: pause, by “Full”",
        "  got       a: budget 50%, 30.00 AUD, by “Ladder”, reason rule",
        "  expected  b: pause, by “Full”",
        "  got       b: budget 50%, 20.00 AUD, by “Ladder”, reason rule",
        "  because   “Ladder”: utilisation over 14 days is 96% (at least 80%)",
        "  “Full” does not match",
        "    utilisation over 14 days  96%  at least 95%  true",
        "    open slots over 7 days    9    at most 2     false",
        "  “Ladder” matches",
        "    utilisation over 14 days  96%  at least 80%  true",
    ]


READS = [
    pytest.param(f"{FULL}, expect: {{a: pause}}", "“Full” holds, but not yet for 2h", id="it has to last"),
    pytest.param("at: sun 10:00, expect: {a: pause}", "“Ladder” is not looked at now (`active`)", id="it sleeps"),
    pytest.param("given: {utilisation: missing}, expect: {a: pause}", "“Full” does not match", id="unknown and false"),
    pytest.param("given: {physio: missing}, for: 2h, expect: {a: pause}", "“Full” cannot be told", id="unknown"),
    pytest.param(f"{FULL}, for: 3h, expect: {{a: keep}}", "after 3h (line 6)", id="when, and where in the file"),
    pytest.param(f"{FULL}, for: 3h, expect: {{a: keep}}", "“Full” stays on", id="a latch"),
    pytest.param("expect: {a: pause}", "got       a: budget base, 60.00 AUD, no rule matches, reason no_rule", id="no rule"),
    pytest.param("given: {physio: missing}, expect: {a: pause}", "got       a: keep, reason data_incomplete", id="keep"),
    pytest.param("expect: {a: {budget: floor}}", "expected  a: budget floor, 10.00 AUD", id="a named budget"),
    pytest.param("expect: {a: {budget: 35.00}}", "expected  a: budget 35.00 AUD", id="an amount"),
    pytest.param("after_guardrails: {a: pause}", "at the beginning, after guardrails", id="a decision"),
    pytest.param("after_guardrails: {a: pause}", "verdict none", id="its verdict"),
    pytest.param("notices: [Tell]", "expected  Tell", id="nobody was told"),
    pytest.param("notices: [Tell]", "got       nobody is told", id="and it says so"),
]


@pytest.mark.parametrize(("body", "says"), READS)
def test_a_failure_reads(body: str, says: str) -> None:
    assert says in "\n".join(line.strip() for line in difference(one(body), QUAY.rules))


# --- what is left untried -----------------------------------------------------------------------------------------------

WAYS = [
    ("Full", "matches"),
    ("Full", "does not match"),
    ("Full", "cannot be told"),
    ("Full", "only (utilisation over 14 days is at least 95%) fails"),
    ("Full", "only (open slots over 7 days is at most 2) fails"),
    ("Full", "holds, but not yet for 2h"),
    ("Full", "stays on"),
    ("Full", "ends"),
    ("Full", "cannot be told whether it ends"),
    ("Fill", "matches"),
    ("Ladder", "is not looked at"),
    ("Ladder", "step at least 80%"),
    ("Ladder", "step at least 80%, kept by its margin of 5%"),
    ("Ladder", "no step holds"),
    ("Ladder", "cannot be told"),
    ("Tell", "matches"),
    ("Tell", "does not match"),
    ("Tell", "cannot be told"),
]


def test_every_way_that_a_rule_can_go_counts() -> None:
    assert [(each.rule, each.way) for rule in QUAY.own for each in every_way(rule)] == WAYS


def test_nothing_is_covered_without_tests_and_no_rule_is_tested() -> None:
    found = coverage(QUAY.own, [])
    assert (found.covered, found.percent, len(found.missed)) == (0, 0, len(WAYS))
    assert found.untested == ("Full", "Fill", "Ladder", "Tell")


def test_a_file_without_rules_has_nothing_to_cover() -> None:
    assert coverage([], []).percent == 100


WENT = [
    pytest.param("expect: {c: {budget: 60.00}}", [("Fill", "matches")], id="only what is expected of counts"),
    pytest.param("expect: {a: pause}", [("Full", "does not match"), ("Ladder", "no step holds")], id="also where it fails"),
    pytest.param(
        f"{FULL}, for: 2h, expect: {{a: pause}}", [("Full", "matches")], id="rules below the one that decides do not count"
    ),
    pytest.param(
        f"{FULL}, for: 1h, expect: {{a: keep}}",
        [("Full", "holds, but not yet for 2h"), ("Ladder", "step at least 80%")],
        id="waiting",
    ),
    pytest.param(f"{FULL}, for: 3h, expect: {{a: pause}}", [("Full", "stays on")], id="at the last moment only"),
    pytest.param(
        "given: {physio: {utilisation: 95%}}, expect: {a: keep}",
        [
            ("Full", "does not match"),
            ("Full", "only (open slots over 7 days is at most 2) fails"),
            ("Ladder", "step at least 80%"),
        ],
        id="a part that decides",
    ),
    pytest.param(
        "at: sat 12:00, expect: {a: keep}", [("Full", "does not match"), ("Ladder", "is not looked at")], id="asleep"
    ),
    pytest.param("notices: []", [("Tell", "does not match")], id="a rule that only notifies"),
    pytest.param("given: {physio: missing}, notices: []", [("Tell", "cannot be told")], id="and nobody can tell"),
    pytest.param(
        "series: [{given: {physio: {utilisation: 80%}}, expect: {a: keep}}, "
        "{given: {physio: {utilisation: 75%}}, expect: {a: keep}}]",
        [
            ("Full", "does not match"),
            ("Ladder", "step at least 80%"),
            ("Ladder", "step at least 80%, kept by its margin of 5%"),
        ],
        id="a margin",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "went"), WENT)
def test_the_ways_that_were_tried(body: str, went: list[tuple[str, str]]) -> None:
    found = covered(body)
    tried = [(each.rule, each.way) for each in found.branches if each in found.went]
    assert tried == went
    assert found.covered == len(went)


def test_a_rule_is_tested_once_it_decides_for_somebody_who_is_expected_to() -> None:
    assert covered("expect: {a: keep}").untested == ("Full", "Fill", "Ladder", "Tell")
    assert covered("given: {physio: {utilisation: 85%}}, expect: {a: keep}").untested == ("Full", "Fill", "Tell")
    assert covered("given: {physio: {slots_opened: {is: 5, since: 48h}}}, notices: []").untested == ("Full", "Fill", "Ladder")


ANY = """rules:
  - name: Any
    when: {any: [{utilisation: {below: 50%}}, {not: {full_days: {at_most: 3}}}], coverage: {above: 90%}}
    then: {budget: 120%}
"""


def test_each_alternative_must_once_hold_alone() -> None:
    about = subject(ANY)
    head = "clinic: quay\ngiven: {utilisation: 40%, full_days: 4, coverage: 100%}\ntests:\n"
    both = results(head + "  - {name: Both, expect: {a: {budget: 120%}}}\n", about)
    alone = results(head + "  - {name: Alone, given: {full_days: 3}, expect: {a: {budget: 120%}}}\n", about)
    way = "only (utilisation over 14 days is below 50%) holds"
    assert way in {each.way for each in coverage(about.own, both).missed}
    assert way in {each.way for each in coverage(about.own, alone).went}


@st.composite
def tried(draw: st.DrawFn) -> tuple[RuleSet, list[Result]]:
    """Any rule file, tested with anything about what it asks for."""
    rules = check(written(draw(files())), "x")
    values = st.sampled_from([*(gap.value for gap in Gap if gap is not Gap.CLINIKO_UNREADABLE), "", ""])
    known: dict[str, Any] = {}
    for service, measures in Asked.by(rules).services.items():
        said = [written_as(measure) for measure in measures]
        known[service] = [
            re.sub(r"(is|^[a-z_]+): [^,{}]+", rf"\1: {gap}", line) if (gap := draw(values)) else line for line in said
        ]
    lines = "".join(f"      {s}: {{{', '.join(dict.fromkeys(_once(each)))}}}\n" for s, each in known.items() if each)
    given_ = f"    given:\n{lines}" if lines else ""
    text = f"clinic: {rules.clinic}\ntests:\n  - name: One\n{given_}    for: {draw(st.integers(0, 4))}h\n    expect: pause\n"
    about = Subject(RULES / f"{rules.clinic}.yaml", rules, rules.rules)
    return rules, results(text, about)


def _instead(line: str, gap: str) -> str:
    """A metric as it is given, with a word in place of its number."""
    return re.sub(r"(is|^[a-z_]+): [^,{}]+", rf"\1: {gap}", line) if gap else line


def _once(lines: list[str]) -> list[str]:
    """Each metric once, with all the ways of asking for it in a list."""
    by_metric: dict[str, list[str]] = {}
    for line in lines:
        metric, _, value = line.partition(": ")
        by_metric.setdefault(metric, []).append(value if value.startswith("{") else f"{{is: {value}}}")
    return [f"{metric}: [{', '.join(dict.fromkeys(values))}]" for metric, values in by_metric.items()]


@given(tried())
def test_whatever_the_rules_a_test_runs_and_goes_only_ways_that_there_are(found: tuple[RuleSet, list[Result]]) -> None:
    rules, results_ = found
    ways = {each for rule in rules.rules for each in every_way(rule)}
    for result in results_:
        assert result.went <= ways
        assert len(result.checks) == len(rules.campaigns)
        assert result.passed == (not list(difference(result, rules)))


# --- what is wrong with a test file -------------------------------------------------------------------------------------


def refused(text: str, about: Subject = QUAY) -> list[str]:
    with pytest.raises(RuleFileError) as caught:
        stated(text, about)
    return [str(problem).removeprefix(f"{RULES}/") for problem in caught.value.problems]


def lines(what: str) -> str:
    """A test of the Quay on its ordinary day, with something about it."""
    return f"{TESTS}  - {{name: One, {what}}}\n"


A = "expect: {a: pause}"


def day(given_: str) -> str:
    """A test with another day."""
    return lines(f"given: {given_}, {A}")


MISTAKES = [
    pytest.param("", ":1: the file is empty; start with `clinic:`", id="empty"),
    pytest.param("[]", ":1: a test file is a mapping of keys; start with", id="no mapping"),
    pytest.param("clinic: quay\n", ":1: a test file needs `tests`; add `tests:`", id="no tests"),
    pytest.param("clinic: quai\ntests: [{name: One, expect: pause}]", ":1: `clinic` is `quai` in the tests of quay; write quay",
                 id="another clinic"),
    pytest.param("clinic: quay\ntest: [{name: One, expect: pause}]", ":2: a test file has no key `test`; did you mean `tests`?",
                 id="a near miss"),
    pytest.param("clinic: quay\ntests: 5", ":2: `tests` is a list, not `5`; write `- name: ...`", id="no list"),
    pytest.param("clinic: quay\nclinic: quay\ntests: []", ":2: `clinic` is written twice", id="twice the same key"),
    pytest.param(lines("expect: {d: pause}"), ":6: there is no campaign or service `d`; the campaigns are `a`, `b` and `c`",
                 id="no such campaign"),
    pytest.param(lines("expect: {phisio: pause}"), ":6: there is no campaign or service `phisio`; did you mean `physio`?",
                 id="a near miss of a service"),
    pytest.param(lines("expect: {a: {rule: Fulll}}"), ":6: there is no rule `Fulll`; did you mean `Full`?", id="no such rule"),
    pytest.param(lines("notices: [Telll]"), ":6: there is no rule `Telll`; did you mean `Tell`?", id="no such rule to tell"),
    pytest.param(lines("expect: {a: 60%}"), ":6: what is expected of a cannot be `60%`; write {budget: 60%}", id="bare budget"),
    pytest.param(lines("expect: {a: floor}"), ":6: what is expected of a cannot be `floor`; write {budget: floor}",
                 id="a bare name"),
    pytest.param(lines("expect: {a: paus}"), ":6: what is expected of a cannot be `paus`; did you mean `pause`?", id="a typo"),
    pytest.param(lines("expect: {a: {budget: 600.00}}"), ":6: a budget of 600 a day is outside what", id="above the ceiling"),
    pytest.param(lines("expect: {a: {budget: {cost_per_booking: 45.00}}}"), ":6: `budget` is what comes out; write an amount",
                 id="a price for a budget"),
    pytest.param(lines("expect: {a: {then: pause, budget: 60%}}"), ":6: an expectation has `then` or `budget`, not both",
                 id="two outcomes"),
    pytest.param(lines("expect: {a: {}}"), ":6: nothing is expected of a; write pause, keep", id="an empty expectation"),
    pytest.param(lines("expect: {a: {reason: no_rules}}"), ":6: `reason` cannot be `no_rules`; did you mean `no_rule`?",
                 id="no such reason"),
    pytest.param(lines("expect: {a: {verdict: apply}}"), ":6: an expectation has no key `verdict`", id="no verdict on wishes"),
    pytest.param(lines("expect: [a]"), ":6: `expect` is a mapping of campaigns or services, not a list", id="a list"),
    pytest.param(lines("for: 2h"), ":6: this test expects nothing; add `expect:`", id="expects nothing"),
    pytest.param(lines(f"for: 2, {A}"), ":6: `for` is a duration and `2` has no unit; write 2h or 2d", id="no unit"),
    pytest.param(lines(f"{A}, at: noon"), ":6: `at` cannot be `noon`; write mon 09:00, or 2026-12-25 09:00", id="no clock"),
    pytest.param(lines(f"{A}, at: tues 09:00"), ":6: `at` has no day `tues`; did you mean `tue`?", id="no such day"),
    pytest.param(lines(f"{A}, at: 2026-02-30 09:00"), ":6: `at` has no day `2026-02-30`; write mon 09:00", id="no such date"),
    pytest.param(lines(f"{A}, campaigns: {{a: of}}"), ":6: how a begins cannot be `of`; write `running`, `paused`",
                 id="no such beginning"),
    pytest.param(lines(f"{A}, campaigns: {{a: {{then: pause}}}}"), ":6: how a begins is a word or a budget", id="no state"),
    pytest.param(lines(f"{A}, series: [{{expect: {{a: pause}}}}]"), ":6: `expect` cannot go with `series`; write it in a step",
                 id="series and expectation"),
    pytest.param(lines("series: []"), ":6: `series` is an empty list", id="an empty series"),
    pytest.param(lines("series: [{expects: {a: pause}}]"), ":6: a step of `series` has no key `expects`; did you mean `expe",
                 id="a step's key"),
    pytest.param(day("{phisio: missing}"), ":6: there is no service or metric `phisio`; did you mean `physio`?",
                 id="no such service"),
    pytest.param(day("{physio: {utilization: 9%}}"), ":6: there is no metric `utilization`; did you mean",
                 id="no such metric"),
    pytest.param(day("{physio: {utilisation: 95}}"), ":6: utilisation is a percentage; write 95%", id="95"),
    pytest.param(day("{physio: {utilisation: {at_least: 95}}}"), ":6: utilisation is a percentage; write 95%",
                 id="95 as a bound"),
    pytest.param(day("{utilisation: {between: [9%, 5%]}}"), ":6: `between` of utilisation has its ends",
                 id="ends the wrong way round"),
    pytest.param(day("{utilisation: {between: [9%]}}"), ":6: `between` of utilisation has 1 values",
                 id="one end"),
    pytest.param(day("{utilisation: {within: 7d}}"), ":6: utilisation needs one of `is`, `between`",
                 id="no value"),
    pytest.param(day("{utilisation: {is: 5%, since: 3h}}"), ":6: `since` means nothing for utilisation",
                 id="a parameter of another metric"),
    pytest.param(day("{utilisation: {equals: 5%}}"), ":6: a value has no key `equals`; it has `is`, `at_least`",
                 id="no such bound"),
    pytest.param(day("{utilisation: []}"), ":6: `utilisation` is an empty list; write [{is: 95%}", id="no ways"),
    pytest.param(day("{utilisation: cliniko_unreadable}"), "; write `given: cliniko_unreadable`",
                 id="Cliniko unreadable for a metric"),
    pytest.param(day("{physio: cliniko_unreadable}"), "; Cliniko is one for all services",
                 id="Cliniko unreadable for a service"),
    pytest.param(day("{utilisation: {is: cliniko_unreadable}}"), ":6: utilisation is a percentage", id="Cliniko in bounds"),
    pytest.param(day("{physio: closed}"), "; say what being closed means: {utilisation: closed",
                 id="a closed service"),
    pytest.param(day("{physio: 95%}"), ":6: `physio` cannot be `95%`; write its metrics", id="no metric named"),
    pytest.param(day("{physio: [missing]}"), ":6: `physio` is a mapping of metrics, not a list", id="a list given"),
    pytest.param(day("unknown"), ":6: `given` cannot be `unknown`; write {physio:", id="no such word"),
    pytest.param(day("[missing]"), ":6: `given` is a mapping of services or metrics, not a list", id="list given"),
    pytest.param(f"{lines(A)}  - {{name: one, {A}}}\n", ":7: two tests are named `one`, the first on",
                 id="the same name"),
    pytest.param("clinic: quay\ntests:\n  - {name: One, given: {physio: {utilisation: 95%}}, expect: {a: pause}}",
                 (":3: the rule “Full” asks for open slots over 7 days of physio, and nothing is given; "
                  "write open_slots: {is: 5, within: 7d}, or open_slots: missing"), id="a metric that is not given"),
    pytest.param("clinic: quay\ntests:\n  - {name: One, expect: {c: pause}}",
                 ":3: the rule “Fill” asks for expected open slots over 7 days of feet", id="a service that is not given"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_a_mistake_is_told_at_its_line_with_what_to_write(text: str, says: str) -> None:
    told = refused(text)
    assert any(problem.startswith("quay.test.yaml:") and says in problem for problem in told), told


BY_NAME = (
    "there is no ",
    "is outside what",
    "two tests are",
    "in the tests of",
    "twice",
    "asks for",
    "wrong way",
    "2026-02-30",
)
"""What no schema can know: which names there are, and what goes with them."""


def an_editor_takes(text: str) -> bool:
    root, _ = tree(text, "x")
    assert root is not None
    return Draft202012Validator(schema_of_tests()).is_valid(as_an_editor_sees(root))


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_an_editor_marks_every_mistake_of_shape_and_leaves_names_to_the_reader(text: str, says: str) -> None:
    by_name = any(phrase in problem for phrase in BY_NAME for problem in refused(text))
    assert by_name or not an_editor_takes(text), says


@pytest.mark.parametrize("body", TRUE)
def test_an_editor_takes_what_the_reader_takes(body: str) -> None:
    assert an_editor_takes(lines(body))


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    told = refused(TESTS + "  - {name: One, expect: {a: 60%}}\n  - {name: Two, for: 2, expect: {d: pause}}\n")
    assert [problem.split(":")[1] for problem in told] == ["6", "7", "7"]


def test_a_metric_that_is_given_in_no_test_is_told_once() -> None:
    assert len(refused("clinic: quay\ntests:\n  - {name: One, expect: {c: pause}}\n  - {name: Two, expect: {c: keep}}")) == 1
