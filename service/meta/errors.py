"""Graph errors as this service's own: one table of codes, and what follows from a row for a read and for a write. Pure.

Texts are localised and change, so only code and subcode decide (Marketing API, "Error Codes"; Graph API, "Handle Errors").
A code Meta does not document is taken as permanent, because repeating it blindly could only do harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    RefusedError,
    TransientError,
)
from service.core.model import Reason
from service.meta.usage import NOTHING_KNOWN, Usage

SPENT_TODAY = Reason.SPENT_TODAY.value
"""The code of a refusal because the new budget is below 110% of what today has cost: try again after account midnight."""

TOO_MUCH_DATA = 1
"""The code that may mean "reduce the amount of data you are asking for"."""


TOO_MANY_REQUESTS = 429

SUBCODES = 1_000_000
"""Subcodes from here on mean the same wherever they stand; smaller ones belong to their code."""


BUDGET_LIMIT = "1487632"
"""The code of a refusal because one budget was changed too often."""

WHOLE_APP = {"4", "341"}
"""Codes that, whatever their subcode, are about all calls of the app."""

WHOLE_USER = "17"
"""The code that, without a subcode, is about all calls of the token's user; with one it is about an ad account."""

REPORTS_LOAD = {"1504022", "1504039"}
"""Subcodes that say that Insights as a whole is too busy."""


class RestrictedError(CredentialsError):
    """Meta has restricted the account or the app: somebody must look, and nothing may be written for hours."""


class UndocumentedRefusalError(RefusedError):
    """Meta said no in words nobody documents: read the object again before believing it."""


class Kind(StrEnum):
    """What follows from an error."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    CREDENTIALS = "credentials"
    RESTRICTED = "restricted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `code` replaces Meta's own, `wait` the time its headers give."""

    kind: Kind
    sentence: str
    code: str = ""
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """An error as an answer carried it, with no secret in `message`."""

    status: int
    code: int | None
    subcode: int | None = None
    transient: bool = False
    message: str = ""

    @property
    def label(self) -> str:
        """`100/1885272`, or as much of it as there is."""
        return "/".join(str(part) for part in (self.code, self.subcode) if part is not None) or f"HTTP {self.status}"


_UNSETTLED = Row(Kind.TRANSIENT, "Meta had a fault of its own")
_BUSY = Row(Kind.THROTTLED, "Meta asks for fewer calls")
_NEW_TOKEN = Row(Kind.CREDENTIALS, "Meta does not accept the access token; make a new one for the system user")
_PERMISSION = Row(Kind.CREDENTIALS, "the system user may not do this; give it the ad account and `ads_management`")
_STOPPED = Row(Kind.RESTRICTED, "Meta has restricted this account or app; look at Account Quality before anything is written")
_TOO_LARGE = Row(Kind.REFUSED, "the report asked for is too large")
_INVALID = Row(Kind.REFUSED, "Meta does not accept this request")
_STATE = Row(Kind.REFUSED, "the campaign's state does not allow this")

ROWS: dict[tuple[int | None, int | None], Row] = {
    # own faults, and too much asked at once
    (1, None): _UNSETTLED,
    (2, None): _UNSETTLED,
    (1, 99): _TOO_LARGE,
    (None, 1487534): _TOO_LARGE,
    # throttling
    **{(code, None): _BUSY for code in (4, 17, 32, 341)},
    **{(None, code): _BUSY for code in (1487225, 1487742, 1504022, 1504039, 2446079, 5044001)},
    (613, None): Row(
        Kind.THROTTLED, "Meta asks for far fewer calls; if that goes on, look at Account Quality", wait=timedelta(hours=1)
    ),
    (613, 1996): Row(Kind.RESTRICTED, "Meta takes these calls for abuse; look at Account Quality before anything is written"),
    (None, 1487632): Row(
        Kind.THROTTLED, "this budget was changed four times within the hour; Meta blocks it for one", wait=timedelta(hours=1)
    ),
    # the token, the roles, the account's good standing
    **{(code, None): _NEW_TOKEN for code in (102, 190)},
    (190, 458): Row(Kind.CREDENTIALS, "the app was removed; connect it again and make a new token"),
    (190, 459): Row(Kind.CREDENTIALS, "Meta wants the user to log in at facebook.com first"),
    (190, 460): Row(Kind.CREDENTIALS, "the token ended with a change of password; make a new one"),
    (190, 463): Row(Kind.CREDENTIALS, "the access token has expired; make a new one for the system user"),
    (190, 492): Row(Kind.CREDENTIALS, "the token's user has lost its role on the page or business"),
    **{(code, None): _PERMISSION for code in (3, 10)},
    **{(None, code): _STOPPED for code in (1404078, 1404163, 2859015)},
    (368, None): _STOPPED,
    # what is asked for
    (100, None): _INVALID,
    (100, 33): Row(Kind.REFUSED, "there is no such object, or the system user may not see it"),
    (None, 1885272): Row(Kind.REFUSED, "the budget is below Meta's minimum for this campaign; raise its floor"),
    (None, 1885261): Row(Kind.REFUSED, "the budget is above Meta's maximum; lower the ceiling"),
    (None, 1885621): Row(Kind.REFUSED, "the ad sets hold the budget, so the campaign cannot"),
    (None, 1885650): Row(Kind.REFUSED, "the budget is too low for what has been spent today", code=SPENT_TODAY),
    (None, 2238055): Row(Kind.REFUSED, "the budget is below what the campaign's ad sets need together; raise its floor"),
    (None, 2446307): Row(Kind.REFUSED, "the spending cap is too low for this"),
    (None, 1487566): Row(Kind.REFUSED, "the campaign is deleted"),
    **{(code, None): _INVALID for code in (300, 801, 2500)},
    (2635, None): Row(Kind.REFUSED, "Meta has retired this API version; update the governor"),
}

RANGES: tuple[tuple[range, Row], ...] = (
    (range(200, 300), _PERMISSION),
    (range(80000, 80015), _BUSY),
    (range(1487000, 1488000), _STATE),
)


def _find(report: Report) -> Row | None:
    """The most specific row. A subcode may stand in the place of the code, so both places are looked up."""
    numbers = [number for number in (report.subcode, report.code) if number is not None]
    for key in ((report.code, report.subcode), *((None, number) for number in numbers)):
        if key in ROWS and key[1] is not None:
            return ROWS[key]
    general = ROWS.get((report.code, None))
    if general is not None and general is not _INVALID:
        return general
    in_a_range = [report.code, *(number for number in numbers if number >= SUBCODES)]
    return next((row for number in in_a_range for span, row in RANGES if number in span), general)


def _judge(report: Report) -> Row | None:
    row = _find(report)
    if row is None and report.status == TOO_MANY_REQUESTS:
        return _BUSY
    if row is None or row.kind is Kind.REFUSED:
        passing = report.transient or (row is None and report.status >= 500)
        return _UNSETTLED if passing else row
    return row


def unexplained(code: str) -> bool:
    """Whether an error's code is no more than "invalid parameter"."""
    main, _, sub = code.partition("/")
    return main == "100" and not (sub and _find(Report(400, 100, int(sub))) is not _INVALID)


def about_app(code: str) -> bool:
    """Whether an error's code asks for fewer calls to whatever the app reaches, not to one ad account."""
    return code == WHOLE_USER or code.partition("/")[0] in WHOLE_APP


def about_reports(code: str) -> bool:
    """Whether an error's code is about reports alone, wherever it was met."""
    return code.partition("/")[2] in REPORTS_LOAD


def forbidden(code: str) -> bool:
    """Whether an error's code says that a permission is missing, with a token that is good."""
    main = code.partition("/")[0]
    return main.isdigit() and _find(Report(400, int(main))) is _PERMISSION


def as_read_error(report: Report, usage: Usage = NOTHING_KNOWN) -> OutsideError:
    """What a failed read raises."""
    return _error(report, _judge(report), usage)


def as_write_error(report: Report, usage: Usage = NOTHING_KNOWN) -> OutsideError:
    """What a failed write raises: a fault of Meta's own leaves open whether it was applied."""
    row = _judge(report)
    if row is not None and row.kind is Kind.TRANSIENT:
        return AmbiguousWriteError("meta", f"{_text(report, row)}; the change may have been made", code=report.label)
    return _error(report, row, usage)


def _error(report: Report, row: Row | None, usage: Usage) -> OutsideError:
    if row is None:
        return UndocumentedRefusalError("meta", _text(report, row), code=report.label)
    text, code = _text(report, row), row.code or report.label
    match row.kind:
        case Kind.TRANSIENT:
            return TransientError("meta", text, code=code)
        case Kind.THROTTLED:
            return TransientError("meta", text, code=code, retry_after=row.wait or usage.wait())
        case Kind.CREDENTIALS:
            return CredentialsError("meta", text, code=code)
        case Kind.RESTRICTED:
            return RestrictedError("meta", text, code=code)
        case Kind.REFUSED:
            return RefusedError("meta", text, code=code)


def _text(report: Report, row: Row | None) -> str:
    said = f": {report.message}" if report.message else ""
    return f"{row.sentence if row else 'Meta refused without a documented reason'} ({report.label}{said})"
