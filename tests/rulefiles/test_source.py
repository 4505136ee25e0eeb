from __future__ import annotations

import hashlib

import pytest

from service.core.errors import RuleFileError
from service.rulefiles.source import LARGEST, check, decode
from tests.rulefiles.mistakes import HARBOUR, MISTAKES, NOT_YAML, RULES, Mistake

FILE = "rules/harbour-physio.yaml"


def refusal(text: str, file: str = FILE) -> RuleFileError:
    with pytest.raises(RuleFileError) as refused:
        check(text, file)
    return refused.value


@pytest.mark.parametrize("mistake", MISTAKES + NOT_YAML, ids=lambda mistake: mistake.id)
def test_a_mistake_is_refused_at_its_line_with_what_to_write_instead(mistake: Mistake) -> None:
    problems = refusal(mistake.text).problems
    found = [problem for problem in problems if mistake.says in str(problem)]
    assert found, "\n".join(map(str, problems))
    assert mistake.line in {None, *(problem.line for problem in found)}, "\n".join(map(str, problems))
    assert all(problem.file == FILE and problem.advice for problem in problems)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.id)
@pytest.mark.sampled(2)
def test_one_mistake_is_not_followed_by_a_cascade_of_others(mistake: Mistake) -> None:
    problems = refusal(mistake.text).problems
    several = {"top key misspelt": 3, "rules as a mapping": 2, "service name with a blank": 5}
    assert len(problems) <= several.get(mistake.id, 1), "\n".join(map(str, problems))


def test_all_problems_are_reported_together_by_line() -> None:
    text = (
        HARBOUR.replace("at_least: 95%", "at_least: 95")
        .replace("currency: AUD", "currency: aud")
        .replace("budget: floor", "budget: flor")
    )
    text = text.replace("for: 2h", "for: &x 2h")
    problems = refusal(text).problems
    assert [problem.advice for problem in problems] == ["write AUD", "write 95%", "take it out", "did you mean `floor`?"]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_a_refusal_reads_as_file_line_message_and_advice() -> None:
    line = HARBOUR[: HARBOUR.index("at_least: 95%")].count("\n") + 1
    assert (
        str(refusal(HARBOUR.replace("at_least: 95%", "at_least: 95")))
        == f"{FILE}:{line}: utilisation is a percentage; write 95%"
    )


def test_a_flood_of_problems_is_cut_off_with_their_number() -> None:
    text = HARBOUR + "".join(f"x{n}: 1\n" for n in range(70))
    problems = refusal(text).problems
    assert len(problems) == 51
    assert problems[-1].message == "20 more from here on"


def test_a_file_that_is_something_else_altogether_is_not_read_to_its_end() -> None:
    text = "".join(f"key{n}: value\n" for n in range(40_000))
    assert refusal(text).problems[-1].message == "450 more from here on"


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "the file is empty"), ("# only a comment\n", "the file is empty"), ("---\n", "the file is empty"),
     ("- version: 1\n", "a rule file is a mapping of keys"), ("hello", "a rule file is a mapping of keys"),
     ("[" * 100_000, "nested more than"), ("a:\n" + "".join("  " * n + "- a:\n" for n in range(60)), "nested more than"),
     ("&a [&b [*a, *b]]: 1", "single word"), ("\ud800: 1", "text files do not have"), ('"\\ud800": 1', "has no key"),
     ("%YAML " + "9" * 5000 + ".1\n---\na: 1", "not readable as YAML"), ("x" * (LARGEST + 1), "1,000,001 characters")],
    ids=["nothing", "comment", "empty document", "list", "text", "brackets", "indentation", "bomb", "surrogate",
         "escaped surrogate", "huge version", "too large"],
)  # fmt: skip
def test_what_is_no_rule_file_at_all_is_refused(text: str, says: str) -> None:
    assert says in str(refusal(text))


def test_a_refusal_is_always_encodable() -> None:
    str(refusal('"\\ud800\\u001b[31m": 1')).encode("utf-8")


def test_both_shipped_files_load() -> None:
    for name in ("harbour-physio", "northside-allied"):
        assert check((RULES / f"{name}.yaml").read_text("utf-8"), f"rules/{name}.yaml").clinic == name


def test_the_digest_is_that_of_the_text() -> None:
    assert check(HARBOUR, FILE).digest == hashlib.sha256(HARBOUR.encode()).hexdigest()


@pytest.mark.parametrize(
    "changed",
    [HARBOUR.replace("\n", "\r\n"), "\ufeff" + HARBOUR, HARBOUR + "...\n", "---\n" + HARBOUR],
    ids=["crlf", "bom", "document end", "document start"],
)
def test_harmless_differences_of_editors_are_accepted(changed: str) -> None:
    assert check(changed, FILE).rules[0].name == "Booked solid"


def test_a_no_break_space_in_a_name_is_part_of_the_name() -> None:
    pasted = HARBOUR.replace("name: Booked solid", 'name: "Booked:\u00a0solid"').replace(
        "name: Ladder", "name: The\u00a0ladder"
    )
    assert [rule.name for rule in check(pasted, FILE).rules][:3:2] == ["Booked:\u00a0solid", "The\u00a0ladder"]


def test_two_numbers_with_commas_in_one_campaign_are_two_problems() -> None:
    plain = "base_budget: 60.00, floor: 10.00, ceiling: 120.00"
    text = HARBOUR.replace(plain, "base_budget: 1,000.00, floor: 10.00, ceiling: 2,000.00")
    messages = [problem.message for problem in refusal(text).problems]
    assert messages == ["`base_budget` has a comma in it", "`ceiling` has a comma in it"]


def test_a_tab_in_a_comment_is_harmless() -> None:
    assert check(HARBOUR + "#\ttab\n", FILE).clinic == "harbour-physio"


def test_text_checked_under_no_file_name_may_be_of_any_clinic() -> None:
    assert check(HARBOUR, "request").clinic == "harbour-physio"


def test_bytes_that_are_not_utf_8_are_refused_at_their_line() -> None:
    with pytest.raises(RuleFileError, match=r"x.yaml:2: this is not UTF-8 text; save the file as UTF-8"):
        decode(b"version: 1\nname: caf\xe9\n", "x.yaml")
