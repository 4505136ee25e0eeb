"""The schema that editors use says the same as the loader, as far as a schema can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from service.cli.rules import rules
from service.core.errors import RuleFileError
from service.core.rules import vocabulary as words
from service.core.rules.language import UNITS, Metric, Op
from service.core.rules.schema import json_schema, pack_schema, schema_text
from service.core.rules.schema_blocks import whole_numbers
from service.core.rules.tree import Mapping, Node, Scalar
from service.core.rules.trial.schema import schema_of_tests
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check, check_pack
from service.rulefiles.yaml_tree import parse
from tests.rulefiles.mistakes import HARBOUR, MISTAKES, RULES, Mistake

VALIDATOR = Draft202012Validator(json_schema())
CORE: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
"""The plain words that stand for something else than themselves."""
NUMBERS = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")


def as_an_editor_sees(node: Node) -> Any:
    """The values of YAML 1.2's core schema, which is what the editors' language server works with."""
    if isinstance(node, Mapping):
        return {entry.key: as_an_editor_sees(entry.value) for entry in node.entries}
    if not isinstance(node, Scalar):
        return [as_an_editor_sees(item) for item in node.items]
    if node.quoted:
        return node.text
    if NUMBERS.fullmatch(node.text):
        return float(node.text) if set(node.text) & set(".eE") else int(node.text)
    return CORE.get(node.text, node.text)


def complaints(text: str) -> list[str]:
    tree, problems = parse(text, "x")
    assert tree is not None
    assert not problems
    return [error.message for error in VALIDATOR.iter_errors(as_an_editor_sees(tree))]


def test_it_is_a_schema() -> None:
    for schema in (json_schema(), pack_schema(), schema_of_tests(), schema_of_tests(pack=True)):
        Draft202012Validator.check_schema(schema)


def test_the_committed_schema_is_the_generated_one() -> None:
    tests = [(schema_of_tests(), "test.schema.json"), (schema_of_tests(pack=True), "packs/test.schema.json")]
    for schema, file in ((json_schema(), "schema.json"), (pack_schema(), "packs/schema.json"), *tests):
        assert (RULES / file).read_text("utf-8") == schema_text(schema), "run `make schema`"
        assert json.loads(schema_text(schema)) == schema


def test_the_command_prints_the_committed_schema_to_the_byte() -> None:
    assert CliRunner().invoke(rules, ["schema"]).stdout_bytes == (RULES / "schema.json").read_bytes()
    assert CliRunner().invoke(rules, ["schema", "--pack"]).stdout_bytes == (RULES / "packs" / "schema.json").read_bytes()
    assert CliRunner().invoke(rules, ["schema", "--test"]).stdout_bytes == (RULES / "test.schema.json").read_bytes()
    tests = CliRunner().invoke(rules, ["schema", "--test", "--pack"])
    assert tests.stdout_bytes == (RULES / "packs" / "test.schema.json").read_bytes()


@pytest.mark.parametrize("clinic", ["harbour-physio", "northside-allied"])
def test_the_shipped_files_validate(clinic: str) -> None:
    assert complaints((RULES / f"{clinic}.yaml").read_text("utf-8")) == []


@pytest.mark.parametrize("pack", RuleDirectory(RULES).packs())
def test_the_shipped_packs_validate(pack: str) -> None:
    text = RuleDirectory(RULES).packs()[pack]
    tree, _ = parse(text.data.decode(), "x")
    assert tree is not None
    assert [*Draft202012Validator(pack_schema()).iter_errors(as_an_editor_sees(tree))] == []
    check_pack(pack, text)


@pytest.mark.parametrize("tests", [*RULES.glob("*.test.yaml"), *RULES.glob("packs/*.test.yaml")], ids=lambda path: path.name)
def test_the_shipped_tests_validate(tests: Path) -> None:
    text = tests.read_text("utf-8")
    tree, _ = parse(text, "x")
    assert tree is not None
    schema = schema_of_tests(pack=tests.parent.name == "packs")
    assert [*Draft202012Validator(schema).iter_errors(as_an_editor_sees(tree))] == []
    assert text.startswith("# yaml-language-server: $schema=./test.schema.json\n")


@pytest.mark.parametrize("mistake", [m for m in MISTAKES if m.editor], ids=lambda mistake: mistake.id)
def test_an_editor_marks_every_mistake_of_shape(mistake: Mistake) -> None:
    assert complaints(mistake.text)


@pytest.mark.parametrize("mistake", [m for m in MISTAKES if not m.editor], ids=lambda mistake: mistake.id)
def test_what_is_left_to_the_loader_is_left_for_a_reason(mistake: Mistake) -> None:
    assert complaints(mistake.text) == [], "the editor sees it too: take `editor: false` out"


EVERYTHING = """
daily_cap: 200
monthly_cap: 5000
guardrails:
  stabilise: {raise: 12h, cut: 1h}
  max_step: {raise: 30%, cut: 50%}
  dead_band: 4%
  cooldown: 3h
  max_changes_per_day: 4
  edit_budget: {edits: 4, per: 14d}
  drift_expires: 3d
  fallback: base
  fallback_after: 12h
  change_window: {days: [mon, fri], hours: "07:00-20:00"}
  blast_radius: 40%
"""


def test_every_guardrail_and_cap_is_accepted_by_both() -> None:
    text = HARBOUR.replace("\nguardrails: {} ", f"\n{EVERYTHING}#")
    assert complaints(text) == []
    guardrails = check(text, "harbour-physio.yaml").guardrails
    assert guardrails.dead_band == 4
    assert guardrails.max_changes_per_day == 4
    assert guardrails.change_window is not None
    assert guardrails.change_window.days == (0, 4)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("op", Op)
def test_every_metric_with_every_comparator_is_accepted_by_both(metric: Metric, op: Op) -> None:
    value = f"7{UNITS[metric]}"
    extra = ", since: 48h" if words.looks_back(metric) else ", confidence: 80%" if words.is_forecast(metric) else ""
    term = f"{{{metric}: {{{op}: {f'[{value}, {value}]' if op is Op.BETWEEN else value}, within: 10d{extra}}}}}"
    text = HARBOUR.replace("when: {utilisation: {below: 60%}}", f"when: {{not: {{all: [{term}]}}}}")
    assert complaints(text) == []
    assert check(text, "harbour-physio.yaml").rules[3].when is not None


@pytest.mark.parametrize(
    "budget", ["pause", "{budget: 77.5%}", "{budget: floor}", "{budget: ceiling}", "{budget: 35}", '{budget: "35.00"}',
               "{budget: {cost_per_booking: 45.00, within: 10d}}", "{budget: {cost_per_booking: 45}}"],
)  # fmt: skip
def test_every_action_is_accepted_by_both(budget: str) -> None:
    text = HARBOUR.replace("then: {budget: 130%}", f"then: {budget}")
    assert complaints(text) == []
    assert check(text, "harbour-physio.yaml").rules[1].then is not None


def test_every_word_of_a_section_is_described() -> None:
    sections = [value for value in vars(words).values() if isinstance(value, words.Section)]
    assert len(sections) > 15
    assert all(meaning for section in sections for meaning in section.keys.values())
    assert set(words.METRICS) == set(Metric)
    assert set(words.OPS) == set(Op)


@pytest.mark.parametrize(
    ("lowest", "highest"), [(0, 0), (0, 9), (0, 14), (1, 72), (1, 1000), (24, 1440), (98, 205), (50, 99), (0, 100_000)]
)
def test_a_pattern_of_whole_numbers_takes_those_between_its_limits_and_no_others(lowest: int, highest: int) -> None:
    pattern = re.compile(whole_numbers(lowest, highest))
    numbers = {*range(2100), highest - 1, highest, highest + 1, 10 * highest}
    assert {n for n in numbers if pattern.fullmatch(str(n))} == {n for n in numbers if lowest <= n <= highest}
    assert pattern.fullmatch(f"00{highest}")


SPELLINGS = [
    pytest.param("name: Ladder", "name: true", True, id="a truth for a name"),
    pytest.param("name: Ladder", "name: 2024", True, id="a number for a name"),
    pytest.param("name: Ladder", "name: null", False, id="nothing for a name"),
    pytest.param("name: Ladder", 'name: " Ladder "', True, id="blanks around words"),
    pytest.param("name: Ladder", 'name: "  "', False, id="nothing but blanks"),
    pytest.param("name: Ladder", f"name: {'x' * 201}", False, id="too many words"),
    pytest.param("floor: 10.00", "floor: 10.00, protect: True", True, id="a truth in capitals"),
    pytest.param("floor: 10.00", 'floor: 10.00, protect: "true"', True, id="a truth in quotes"),
    pytest.param("floor: 10.00", 'floor: 10.00, protect: "yes"', False, id="what only means a truth"),
    pytest.param("floor: 10.00", 'floor: "10.00"', True, id="an amount in quotes"),
    pytest.param("floor: 10.00", 'floor: "0.00"', False, id="no amount in quotes"),
    pytest.param("floor: 10.00", "floor: 1000000000", False, id="a thousand million"),
    pytest.param("budget: 130%", 'budget: " floor "', False, id="blanks around a budget"),
    pytest.param("budget: 130%", 'budget: "floor"', True, id="a budget in quotes"),
    pytest.param("budget: 130%", "budget: 1000.5%", False, id="a budget of too many percent"),
    pytest.param("since: 24h", 'since: "24h "', False, id="blanks behind a duration"),
    pytest.param("since: 24h", "since: 4d", False, id="looking back too far in days"),
    pytest.param("guardrails: {} ", "guardrails: {dead_band: 50.1%} ", False, id="a dead band too wide"),
    pytest.param("guardrails: {} ", "guardrails: {drift_expires: 23h} ", False, id="drift that expires too soon"),
    pytest.param("notify: [marketing]", "notify: [marketing, marketing]", False, id="a channel twice"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "taken"), SPELLINGS)
def test_loader_and_editor_take_the_same_spellings(old: str, new: str, taken: bool) -> None:
    assert old in HARBOUR
    text = HARBOUR.replace(old, new, 1)
    assert (complaints(text) == []) is taken
    if taken:
        check(text, "harbour-physio.yaml")
        return
    with pytest.raises(RuleFileError):
        check(text, "harbour-physio.yaml")


def test_blanks_in_quotes_are_told_with_what_to_do() -> None:
    with pytest.raises(RuleFileError, match="`budget` has blanks around it: ` floor `; take the blanks inside the quotes out"):
        check(HARBOUR.replace("budget: 130%", 'budget: " floor "', 1), "harbour-physio.yaml")
