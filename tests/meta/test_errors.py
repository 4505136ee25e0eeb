"""What the table of Graph errors says beyond the class; `test_matrix` has all of it over the wire."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.core.errors import AmbiguousWriteError, CredentialsError, TransientError
from service.meta.errors import SPENT_TODAY, Report, as_read_error, as_write_error, unexplained
from service.meta.usage import Gauge, Usage


@pytest.mark.parametrize("report", [Report(500, 31337), Report(400, 31337, transient=True), Report(400, 100, transient=True)])
def test_a_fault_of_metas_own_is_transient_and_makes_a_write_ambiguous(report: Report) -> None:
    assert type(as_read_error(report)) is TransientError
    assert type(as_write_error(report)) is AmbiguousWriteError


def test_a_token_that_is_dead_is_so_under_any_http_status() -> None:
    assert type(as_write_error(Report(500, 190, 463, transient=True))) is CredentialsError


def test_the_hourly_limit_of_one_budget_waits_an_hour_and_not_what_the_headers_say() -> None:
    error = as_write_error(Report(400, 613, 1487632), Usage((Gauge(10, regain=timedelta(minutes=1)),), full_tier=True))
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
