"""The table of Graph errors: code, subcode and flags to the class that decides what happens next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.core.errors import AmbiguousWriteError, CredentialsError, OutsideError, RefusedError, TransientError
from service.meta.errors import SPENT_TODAY, Report, UndocumentedRefusalError, as_read_error, as_write_error, unexplained
from service.meta.usage import Usage

MATRIX: list[tuple[int | None, int | None, type[OutsideError]]] = [
    (1, None, TransientError),
    (2, None, TransientError),
    (1, 99, RefusedError),
    (100, 1487534, RefusedError),
    *((code, None, TransientError) for code in (4, 17, 32, 341, 613, 80000, 80004, 80014)),
    (4, 1504022, TransientError),
    (17, 2446079, TransientError),
    (613, 1487742, TransientError),
    (613, 1487632, TransientError),
    (613, 1487225, TransientError),
    *((code, None, CredentialsError) for code in (102, 190, 3, 10, 200, 294, 299, 368)),
    *((190, subcode, CredentialsError) for subcode in (458, 459, 460, 463, 464, 467, 492)),
    (1404078, None, CredentialsError),
    (100, 1404163, CredentialsError),
    (100, None, RefusedError),
    (100, 33, RefusedError),
    *((100, subcode, RefusedError) for subcode in (1885272, 1885261, 1885621, 1885650, 2238055, 2446307, 1487566, 1487033)),
    (1885272, None, RefusedError),
    (2500, None, RefusedError),
    (2635, None, RefusedError),
    (801, None, RefusedError),
    (300, None, RefusedError),
    (31337, None, UndocumentedRefusalError),
    (-1, None, UndocumentedRefusalError),
    (None, None, UndocumentedRefusalError),
    (31337, 200, UndocumentedRefusalError),
]


@pytest.mark.parametrize(("code", "subcode", "error"), MATRIX)
def test_a_code_decides_the_class(code: int | None, subcode: int | None, error: type[OutsideError]) -> None:
    assert type(as_read_error(Report(400, code, subcode))) is error


@pytest.mark.parametrize(("code", "subcode", "error"), MATRIX)
def test_a_write_differs_only_where_it_may_have_been_made(
    code: int | None, subcode: int | None, error: type[OutsideError]
) -> None:
    unsettled = (code, subcode) in {(1, None), (2, None)}
    assert type(as_write_error(Report(400, code, subcode))) is (AmbiguousWriteError if unsettled else error)


@pytest.mark.parametrize("report", [Report(500, 31337), Report(400, 31337, transient=True), Report(400, 100, transient=True)])
def test_a_fault_of_metas_own_is_transient_and_makes_a_write_ambiguous(report: Report) -> None:
    assert type(as_read_error(report)) is TransientError
    assert type(as_write_error(report)) is AmbiguousWriteError


def test_a_token_that_is_dead_is_so_under_any_http_status() -> None:
    assert type(as_write_error(Report(500, 190, 463, transient=True))) is CredentialsError


def test_the_hourly_limit_of_one_budget_waits_an_hour_and_not_what_the_headers_say() -> None:
    error = as_write_error(Report(400, 613, 1487632), Usage(10, timedelta(minutes=1), full_tier=True))
    assert isinstance(error, TransientError)
    assert error.retry_after == timedelta(hours=1)


def test_a_refusal_for_what_today_has_cost_has_its_own_name() -> None:
    assert as_write_error(Report(400, 100, 1885650)).code == SPENT_TODAY
    assert as_write_error(Report(400, 1885650)).code == SPENT_TODAY


def test_the_text_says_what_to_do_and_what_meta_said() -> None:
    error = as_write_error(Report(400, 100, 1885272, message="Your budget is too low"))
    assert str(error) == (
        "the budget is below Meta's minimum for this campaign; raise its floor (100/1885272: Your budget is too low)"
    )


@pytest.mark.parametrize(
    ("code", "plain"),
    [("100", True), ("100/4834011", True), ("100/1885272", False), ("100/33", False), ("190", False), ("no_success", False)],
)
def test_only_an_invalid_parameter_without_a_reason_is_unexplained(code: str, plain: bool) -> None:
    assert unexplained(code) is plain
