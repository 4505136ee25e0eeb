"""The manager's handbook: every word is in it, and every example loads."""

from __future__ import annotations

import re
from dataclasses import replace
from textwrap import dedent

import pytest

from service.core.errors import RuleFileError
from service.core.model import Mode, Reason
from service.core.rules import vocabulary as words
from service.core.rules.language import Fallback, Metric, Named, Op, RuleSet
from service.core.rules.lint.model import Check
from service.core.rules.lint.swinging import USUAL
from service.core.rules.trial import words as trial_words
from service.core.rules.trial.coverage import coverage
from service.core.rules.trial.difference import difference
from service.core.rules.trial.run import run
from service.core.rules.trial.words import Gap, Outcome, Start
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check
from service.rulefiles.trials import Subject, stated, subject_of
from tests.rulefiles.mistakes import RULES

HANDBOOK = (RULES / "README.md").read_text("utf-8")
PACKS = RuleDirectory(RULES).packs()
EVERY = [dedent(found) for found in re.findall(r"```yaml\n(.*?)```", HANDBOOK, re.DOTALL)]
WHOLE = next(found for found in EVERY if "\nversion: 1\nclinic:" in found)
TESTS = [found for found in EVERY if "\ntests:" in found]
FRAGMENTS = [found for found in EVERY if found != WHOLE and found not in TESTS]
TRIAL = [value for value in vars(trial_words).values() if isinstance(value, words.Section)]
SECTIONS = [value for value in vars(words).values() if isinstance(value, words.Section)]


def parts(text: str) -> dict[str, str]:
    """A file cut before each top-level key."""
    return {part.split(":")[0]: part for part in re.split(r"^(?=[a-z_]+:)", text, flags=re.MULTILINE) if part[:1].isalpha()}


def example(fragment: str) -> RuleSet:
    """A fragment within the whole file; where it has campaigns of its own, without the rules that name the others."""
    replaced = parts(WHOLE) | ({"rules": ""} if "campaigns" in parts(fragment) else {}) | parts(fragment)
    return replace(check("".join(replaced.values()), "harbour-physio.yaml", PACKS), digest="")


def test_the_whole_file_loads() -> None:
    assert len(check(WHOLE, "harbour-physio.yaml").rules) == 2


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: fragment[:40].replace("\n", " "))
def test_every_example_loads_and_is_not_the_default(fragment: str) -> None:
    assert example(fragment) != example("")


@pytest.mark.parametrize("tests", TESTS, ids=lambda tests: tests.split("\n")[1])
def test_every_example_of_a_test_passes(tests: str) -> None:
    rules, pack = check(WHOLE, "harbour-physio.yaml"), "\npack:" in tests
    clinic = Subject(RULES / "harbour-physio.yaml", rules, rules.rules)
    about = subject_of(RULES / "packs" / "full-diary.yaml") if pack else clinic
    trials = stated(tests, about).trials
    assert [trial.name for trial in trials if not run(trial, about.rules, {}).passed] == []


def test_the_failure_that_is_shown_is_what_a_slip_gives() -> None:
    rules = check(WHOLE.replace("at_least: 95%", "at_least: 96%"), "harbour-physio.yaml")
    found = [run(trial, rules, {}) for trial in stated(TESTS[0], Subject(RULES / "harbour-physio.yaml", rules, ())).trials]
    (failed,) = [result for result in found if not result.passed]
    assert "".join(f"        {line}\n" for line in difference(failed, rules)) in HANDBOOK
    assert all(f"  not tried: “{branch.rule}” {branch.way}\n" in HANDBOOK for branch in coverage(rules.rules[:1], found).missed)


@pytest.mark.parametrize("word", sorted({key for section in TRIAL for key in section.keys} | {*Gap, *Outcome, *Start}))
def test_every_word_of_a_test_is_in_its_section(word: str) -> None:
    assert re.search(rf"\b{word}\b", HANDBOOK.partition("## Test your rules")[2].partition("\n## ")[0])


@pytest.mark.parametrize("word", [*Metric, *Op, *Reason, *words.GUARDRAILS.keys])
def test_every_word_has_an_entry(word: str) -> None:
    assert re.search(rf"^\| `{word}` \|", HANDBOOK, re.MULTILINE)


def test_every_check_of_lint_has_an_entry_in_their_order() -> None:
    section = HANDBOOK.partition("## What it says and can hardly mean")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == [*Check]


@pytest.mark.parametrize(
    ("metrics", "stated"),
    [
        ({Metric.UTILISATION, Metric.EXPECTED_UTILISATION}, "5 points of utilisation"),
        ({Metric.OPEN_SLOTS, Metric.EXPECTED_OPEN_SLOTS, Metric.FULL_DAYS}, "2 openings or full days"),
        ({Metric.OPEN_HOURS}, "1 open hour"),
    ],
)
def test_the_least_swing_to_expect_is_as_stated(metrics: set[Metric], stated: str) -> None:
    assert stated in HANDBOOK
    assert {metric for metric, size in USUAL.items() if size == int(stated[0])} == metrics


@pytest.mark.parametrize("word", sorted({key for section in SECTIONS for key in section.keys} | {*Mode, *Named, *Fallback}))
def test_every_key_is_mentioned(word: str) -> None:
    assert re.search(rf"\b{word}\b", HANDBOOK)


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_is_in_an_example(metric: Metric) -> None:
    assert any(f"{metric}: {{" in fragment for fragment in FRAGMENTS)


@pytest.mark.parametrize("op", Op)
def test_every_comparator_is_in_an_example(op: Op) -> None:
    assert any(f"{op}:" in fragment for fragment in [WHOLE, *FRAGMENTS])


@pytest.mark.parametrize("guardrail", words.GUARDRAILS.keys)
def test_every_guardrail_is_in_an_example(guardrail: str) -> None:
    assert any(re.search(rf"^  {guardrail}:", fragment, re.MULTILINE) for fragment in FRAGMENTS)


@pytest.mark.parametrize("action", re.findall(r"^\| `then: (.*?)` \|", HANDBOOK, re.MULTILINE))
def test_every_action_in_the_table_loads(action: str) -> None:
    assert example(f"rules:\n  - {{name: One, service: physio, then: {action}}}\n").rules[0].then is not None


def test_the_head_says_which_keys_are_required() -> None:
    head = HANDBOOK.partition("## The head")[2].partition("## Services")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \|", head, re.MULTILINE)
    required = {key: needed for keys, needed in rows for key in re.findall(r"`(\w+)`", keys)}
    assert set(required) == set(words.FILE.keys)
    assert {key for key, needed in required.items() if needed == "yes"} == set(words.FILE.required)


def limits() -> list[tuple[str, str, str, str]]:
    """Guardrail, the key within it (or none), lowest and highest, as the table states them."""
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", HANDBOOK, re.MULTILINE)
    pair = re.compile(r"(?:`([a-z]+)` )?`([0-9]+[hd%]?)` to `([0-9]+[hd%]?)`")
    return [(key, *found) for key, stated in rows if key in words.GUARDRAILS.keys for found in pair.findall(stated)]


def guarded(key: str, part: str, value: str) -> RuleSet:
    return example(f"guardrails:\n  {key}: {f'{{{part}: {value}}}' if part else value}\n")


def beyond(limit: str, by: int) -> str:
    number, unit = re.findall(r"([0-9]+)(.*)", limit)[0]
    return f"{int(number) + by}{unit}"


@pytest.mark.parametrize(("key", "part", "lowest", "highest"), limits(), ids=lambda value: value or "itself")
def test_the_limits_of_a_guardrail_are_those_stated(key: str, part: str, lowest: str, highest: str) -> None:
    guarded(key, part, lowest)
    guarded(key, part, highest)
    for outside in (beyond(lowest, -1), beyond(highest, 1)):
        with pytest.raises(RuleFileError, match=r"; write "):
            guarded(key, part, outside)


def test_every_guardrail_that_is_measured_states_its_limits() -> None:
    assert {key for key, *_ in limits()} == set(words.GUARDRAILS.keys) - {"fallback", "change_window"}
    assert len(limits()) == 12
