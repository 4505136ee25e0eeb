"""Whatever is saved as a rule file, it loads or it is refused with a place and advice; nothing else may happen."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.core.errors import Problem, RuleFileError
from service.rulefiles.source import check, decode
from service.rulefiles.trials import stated, subject_of
from tests.rulefiles.mistakes import HARBOUR, MISTAKES, NOT_YAML, RULES

FILE = "rules/harbour-physio.yaml"
DATA = HARBOUR.encode()
LINES = HARBOUR.splitlines(keepends=True)
SNIPPETS = [mistake.new for mistake in MISTAKES + NOT_YAML] + [
    "{", "}", "[", "]", ":", "- ", "\n", "  ", "\t", "#", "'", '"', "%", "&a ", "*a", "? ", "!x ", "|", ">-", "---\n", "...",
    "\ufeff", "\u2028", "null", "~", "0", "1e9", "-1", "99999999999999999999", "NaN", "Infinity", "12:30", "on", "\r", "\x00",
]  # fmt: skip
WORDS = [*SNIPPETS, "missing", "pause", "keep", "[missing]", "{is: 5}", "{}", "{between: [1, 2]}", "series: []", "given"]
READABLE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def loads_or_is_refused(data: bytes) -> None:
    told(problems_of(data))


def told(problems: tuple[Problem, ...]) -> None:
    """Each problem has a place and fits on a line."""
    for problem in problems:
        assert problem.line >= 1
        assert problem.message
        assert "\n" not in str(problem)
        str(problem).encode()


def problems_of(data: bytes) -> tuple[Problem, ...]:
    """Nothing where the file loads; at least one where it is refused."""
    try:
        check(decode(data, FILE), FILE)
    except RuleFileError as refused:
        return refused.problems or (Problem("", 0, "refused without a word"),)
    return ()


TESTED = subject_of(RULES / "harbour-physio.yaml")
TESTS = TESTED.tests.read_bytes()


@READABLE
@given(st.integers(0, len(TESTS)), st.integers(0, 40), st.one_of(st.binary(max_size=8), st.sampled_from(WORDS).map(str.encode)))
def test_the_shipped_tests_with_something_overwritten(at: int, cut: int, new: bytes) -> None:
    told(problems_of_tests(TESTS[:at] + new + TESTS[at + cut :]))


def problems_of_tests(data: bytes) -> tuple[Problem, ...]:
    try:
        stated(decode(data, FILE), TESTED)
    except RuleFileError as refused:
        return refused.problems or (Problem("", 0, "refused without a word"),)
    return ()


@READABLE
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    loads_or_is_refused(data)


@READABLE
@given(st.lists(st.sampled_from(SNIPPETS + LINES), max_size=12))
def test_random_pieces_of_rule_files(pieces: list[str]) -> None:
    loads_or_is_refused("".join(pieces).encode())


@READABLE
@given(
    st.integers(0, len(DATA)), st.integers(0, 40), st.one_of(st.binary(max_size=8), st.sampled_from(SNIPPETS).map(str.encode))
)
def test_the_shipped_file_with_something_overwritten(at: int, cut: int, new: bytes) -> None:
    loads_or_is_refused(DATA[:at] + new + DATA[at + cut :])


@READABLE
@given(st.integers(0, len(DATA)))
def test_the_shipped_file_saved_half_way(end: int) -> None:
    loads_or_is_refused(DATA[:end])


@READABLE
@given(st.permutations(LINES[4:]), st.integers(0, len(LINES)))
def test_the_shipped_file_with_its_lines_in_disorder(lines: list[str], end: int) -> None:
    loads_or_is_refused("".join(LINES[:4] + lines[:end]).encode())


def test_both_shipped_files_with_each_line_left_out() -> None:
    for file in ("harbour-physio.yaml", "northside-allied.yaml"):
        lines = (RULES / file).read_text("utf-8").splitlines(keepends=True)
        for index in range(len(lines)):
            loads_or_is_refused("".join(lines[:index] + lines[index + 1 :]).encode())
