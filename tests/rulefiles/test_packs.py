"""Packs: shared rules come after a file's own, an own rule takes a pack's place, and a bad pack makes a bad file."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from service.core.errors import RuleFileError
from service.core.rules.language import Percent
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import PackText, check, check_pack
from tests.rulefiles.mistakes import HARBOUR

FIRST = """version: 1
pack: first
rules:
  - name: Quiet
    when: {utilisation: {below: 20%}}
    then: {budget: ceiling}
  - name: Fuller
    when: {utilisation: {at_least: 70%}}
    then: {budget: 80%}
"""
SECOND = """version: 1
pack: second
rules:
  - name: Last
    then: {budget: floor}
"""
PACKS = {name: PackText(f"packs/{name}.yaml", text.encode()) for name, text in (("first", FIRST), ("second", SECOND))}
FILE = "harbour-physio.yaml"


def listing(*names: str, text: str = HARBOUR) -> str:
    return text.replace("notify: [marketing]", f"notify: [marketing]\npacks: [{', '.join(names)}]")


def refusal(text: str, packs: dict[str, PackText]) -> str:
    with pytest.raises(RuleFileError) as refused:
        check(text, FILE, packs)
    return str(refused.value)


def test_packs_come_after_a_files_own_rules_in_listed_order() -> None:
    own = [rule.name for rule in check(HARBOUR, FILE).rules]
    found = check(listing("second", "first"), FILE, PACKS).rules
    assert [rule.name for rule in found] == [*own, "Last", "Quiet", "Fuller"]
    assert [rule.pack for rule in found[-3:]] == ["second", "first", "first"]
    assert found[-1].line == 7


def test_a_packs_rules_apply_to_every_campaign() -> None:
    rules = check(listing("first"), FILE, PACKS)
    assert rules.rules[-1].campaigns == tuple(rules.campaigns)


def test_an_own_rule_of_the_same_name_takes_the_place_of_a_packs() -> None:
    text = listing("first", text=HARBOUR.replace("- name: Booked solid", "- name: quiet"))
    found = check(text, FILE, PACKS).rules
    assert [rule.name for rule in found][-2:] == ["quiet", "Fuller"]
    assert (found[-2].pack, found[-1].pack) == ("", "first")
    assert found[-1].then == Percent(Decimal(80))


def test_two_packs_with_a_rule_of_one_name_are_refused() -> None:
    packs = PACKS | {"second": PackText("packs/second.yaml", SECOND.replace("Last", "Quiet").encode())}
    both = refusal(listing("first", "second"), packs)
    assert "the packs first and second both have a rule `Quiet`; leave one of the packs out" in both


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("pack: first", "pack: other", 2, "`pack` is `other` in a file named `first.yaml`; give both the same name"),
        ("version: 1", "version: 2", 1, "`version` `2` of the rule language is not known; write 1"),
        ("below: 20%", "below: 20", 5, "utilisation is a percentage; write 20%"),
        ("then: {budget: 80%}", "service: physio\n    then: {budget: 80%}", 9, "a pack's rule has no key `service`"),
        ("name: Fuller", "name: Quiet", 7, "two rules are named `Quiet`, the first on line 4; rename one of them"),
        ("then: {budget: 80%}", "notify: nobody", 9, "there is no channel `nobody`; list it under `notify:`"),
        ("below: 20%}}", "below: 20%", 5, "this is not readable as YAML"),
    ],
    ids=["its name", "its version", "a value", "a service", "a name twice", "a channel", "no YAML"],
)
def test_what_is_wrong_with_a_pack_is_said_at_its_own_line(old: str, new: str, line: int, says: str) -> None:
    packs = PACKS | {"first": PackText("packs/first.yaml", FIRST.replace(old, new, 1).encode())}
    assert f"packs/first.yaml:{line}: {says}" in refusal(listing("first"), packs)
    assert check(listing("second"), FILE, packs).rules[-1].name == "Last"


def test_a_pack_that_is_not_text_is_refused_at_its_line() -> None:
    packs = {"first": PackText("packs/first.yaml", b"\xff")}
    assert "packs/first.yaml:1: this is not UTF-8 text" in refusal(listing("first"), packs)


def test_a_pack_can_be_checked_by_itself() -> None:
    check_pack("first", PACKS["first"])
    with pytest.raises(RuleFileError, match="did you mean `utilisation`"):
        check_pack("first", PackText("packs/first.yaml", FIRST.replace("utilisation", "utilization", 1).encode()))


def test_a_revision_is_the_file_with_the_packs_it_lists(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / FILE).write_text(listing("first"), "utf-8")
    for name, pack in PACKS.items():
        (tmp_path / "packs" / f"{name}.yaml").write_bytes(pack.data)
    directory = RuleDirectory(tmp_path)
    loaded = directory.load("harbour-physio")
    digest = hashlib.sha256(loaded.text.encode()).hexdigest()
    assert loaded.text == listing("first") + "\n--- # packs/first.yaml\n" + FIRST
    assert loaded.digest == loaded.rules.digest == directory.digest("harbour-physio") == digest
    (tmp_path / "packs" / "second.yaml").write_text("rubbish", "utf-8")
    assert directory.load("harbour-physio").digest == digest
    (tmp_path / "packs" / "first.yaml").write_text(FIRST.replace("20%", "30%"), "utf-8")
    assert directory.digest("harbour-physio") != digest
