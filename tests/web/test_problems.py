"""What goes wrong is said in one shape, and never says more than a client should know."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar, get

from service.core import errors
from service.core.errors import GovernorError, Problem
from service.sandbox.scene import HARBOUR
from service.web.problems import HANDLERS, MEDIA_TYPE
from tests.web.conftest import Api, client_of

SECRET = "postgresql://governor:hunter2@db.internal/governor"

RAISED: dict[type[GovernorError], tuple[GovernorError, int, str]] = {
    errors.GovernorError: (errors.GovernorError("it cannot be"), 500, "failed"),
    errors.InputError: (errors.InputError("write this instead"), 422, "unusable-input"),
    errors.RuleFileError: (errors.RuleFileError((Problem("/etc/x.yaml", 3, "no", "yes"),)), 422, "rule-file-refused"),
    errors.SettingsError: (errors.SettingsError(SECRET), 500, "not-set-up"),
    errors.GoneError: (errors.GoneError("it was kept for 400 days"), 410, "gone"),
    errors.NotFoundError: (errors.NotFoundError(f"not in {SECRET}"), 404, "not-found"),
    errors.LedgerBrokenError: (errors.LedgerBrokenError("at #3"), 500, "ledger-broken"),
    errors.AnsweredError: (errors.AnsweredError("approved already"), 409, "answered"),
    errors.LeaseLostError: (errors.LeaseLostError("taken"), 409, "busy"),
    errors.RepeatedError: (errors.RepeatedError("sent before"), 422, "idempotency-key-reused"),
    errors.UnderWayError: (errors.UnderWayError("not answered yet"), 409, "under-way"),
    errors.StoreError: (errors.StoreError(SECRET), 503, "database"),
    errors.SharedError: (errors.SharedError(SECRET), 503, "redis"),
    errors.OutsideError: (errors.OutsideError("meta", "no"), 502, "outside-refused"),
    errors.TransientError: (
        errors.TransientError("cliniko", "later", retry_after=timedelta(seconds=1.5)),
        503,
        "outside-unavailable",
    ),
    errors.CredentialsError: (errors.CredentialsError("google", "revoked"), 502, "outside-refused"),
    errors.RefusedError: (errors.RefusedError("meta", "no"), 502, "outside-refused"),
    errors.ProtocolError: (errors.ProtocolError("cliniko", "html"), 502, "outside-refused"),
    errors.AmbiguousWriteError: (errors.AmbiguousWriteError("meta", "perhaps"), 502, "outside-refused"),
    errors.PartialWriteError: (errors.PartialWriteError("meta", "half of it"), 502, "outside-refused"),
    errors.StoppedError: (errors.StoppedError("meta", "held by mia"), 502, "outside-refused"),
}


def tree(cls: type[GovernorError]) -> Iterator[type[GovernorError]]:
    """The error tree; what adapters derive from it for themselves is answered like its parent."""
    yield cls
    for child in cls.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


async def answer_to(error: Exception) -> Any:
    @get("/fails")
    async def fails() -> None:
        raise error

    async with client_of(Litestar([fails], exception_handlers=HANDLERS, logging_config=None)) as client:
        return await client.get("/fails")


@pytest.mark.parametrize("cls", list(tree(GovernorError)), ids=lambda cls: cls.__name__)
async def test_every_error_of_ours_has_a_problem_type(cls: type[GovernorError]) -> None:
    error, status, name = RAISED[cls]
    answer = await answer_to(error)
    body = answer.json()
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert (answer.status_code, body["status"], body["type"]) == (status, status, f"urn:governor:problem:{name}")
    assert body["instance"] == "/fails"
    assert body["title"]
    assert body["detail"]
    assert "hunter2" not in answer.text
    assert "/etc" not in answer.text


async def test_how_long_to_wait_is_passed_on_rounded_up() -> None:
    error, _, _ = RAISED[errors.TransientError]
    assert (await answer_to(error)).headers["retry-after"] == "2"


async def test_a_refused_rule_file_comes_with_its_problems() -> None:
    error, _, _ = RAISED[errors.RuleFileError]
    assert (await answer_to(error)).json()["problems"] == [{"file": "x.yaml", "line": 3, "message": "no", "advice": "yes"}]


async def test_a_defect_of_ours_shows_nothing_of_itself(governed: Api) -> None:
    governed.near.crashing.add(HARBOUR)
    answer = await governed.ask("POST", f"/v1/clinics/{HARBOUR}/evaluations", json={"dry_run": True})
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:governor:problem:unexpected")
    for leak in ("hunter2", "ZeroDivisionError", "Traceback", ".py"):
        assert leak not in answer.text


async def test_a_database_that_cannot_be_used_is_unavailable_and_keeps_its_words_to_itself(governed: Api) -> None:
    async with governed.app.store._database.writing() as conn:
        await conn.exec_driver_sql("ALTER TABLE decision RENAME TO elsewhere")
    answer = await governed.ask("GET", "/v1/decisions")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:governor:problem:database")
    assert "table" not in answer.text


async def test_that_use_cannot_be_noted_is_nobodys_problem(api: Api) -> None:
    async with api.app.store._database.writing() as conn:
        await conn.exec_driver_sql("CREATE TRIGGER full BEFORE UPDATE ON api_key BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert (await api.ask("GET", "/v1/clinics")).status_code == 200


def cursor(*values: object) -> str:
    """A cursor that no page gave."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("GET", "/v1/nowhere", 404, "not-found"),
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/schema/nowhere", 404, "not-found"),
        ("GET", "/schema/nowhere.json", 404, "not-found"),
        ("PUT", "/v1/clinics", 405, "method-not-allowed"),
        ("GET", "/v1/decisions?limit=0", 400, "malformed-request"),
        ("GET", "/v1/decisions?limit=501", 400, "malformed-request"),
        ("GET", "/v1/decisions?limit=many", 400, "malformed-request"),
        ("GET", "/v1/decisions?verdict=perhaps", 400, "malformed-request"),
        ("GET", "/v1/decisions?since=yesterday", 400, "malformed-request"),
        ("GET", "/v1/decisions?since=2026-11-22T08:00:00", 422, "unusable-input"),
        ("GET", "/v1/decisions?cursor=made-up", 422, "unusable-input"),
        ("GET", "/v1/audit?cursor=WyJhIl0", 422, "unusable-input"),
        ("GET", "/v1/audit?kind=gossip", 400, "malformed-request"),
        ("GET", "/v1/decisions?since=0001-01-01T00:00:00%2B14:00", 422, "unusable-input"),
        ("GET", "/v1/decisions?before=9999-12-31T23:59:59-14:00", 422, "unusable-input"),
        ("GET", "/v1/decisions?campain=x", 400, "malformed-request"),
        ("GET", "/v1/clinics?cursor=made-up", 422, "unusable-input"),
        ("GET", f"/v1/decisions?cursor={cursor('0001-01-01T00:00:00+10:00', 'x')}", 422, "unusable-input"),
        ("GET", f"/v1/decisions?cursor={cursor('9999-12-31T23:59:59-10:00', 'x')}", 422, "unusable-input"),
        ("GET", f"/v1/decisions?cursor={cursor('2026-11-22T08:00:00+00:00', chr(0xD800))}", 422, "unusable-input"),
        ("GET", f"/v1/audit?cursor={cursor(10**30)}", 422, "unusable-input"),
        ("GET", "/v1/decisions?verdict=apply&verdict=keep", 400, "malformed-request"),
        ("GET", "/v1/audit/head?limit=1", 400, "malformed-request"),
        ("GET", f"/v1/clinics/{HARBOUR}/holds?campaign=x", 400, "malformed-request"),
        ("POST", f"/v1/clinics/{HARBOUR}/holds?campaign=x", 400, "malformed-request"),
    ],
)
async def test_a_request_that_cannot_be_answered_says_why(api: Api, method: str, path: str, status: int, name: str) -> None:
    answer = await api.ask(method, path)
    body = answer.json()
    assert (answer.status_code, body["type"]) == (status, f"urn:governor:problem:{name}")
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert body["instance"] == path.partition("?")[0]
    if name == "malformed-request":
        assert [field["at"] for field in body["fields"]] == ["query." + path.partition("?")[2].partition("=")[0]]


async def test_a_wrong_method_says_which_would_be_right(api: Api) -> None:
    assert "GET" in (await api.ask("PUT", "/v1/clinics")).headers["allow"]


async def test_an_unknown_parameter_is_named_beside_the_known_ones(api: Api) -> None:
    answer = await api.ask("GET", "/v1/audit/head?clinc=harbour&clinic=harbour-physio&since=x")
    says = "there is no such parameter; there are clinic"
    assert answer.json()["fields"] == [{"at": "query.clinc", "message": says}, {"at": "query.since", "message": says}]
    assert "takes none" in (await api.ask("GET", f"/v1/clinics/{HARBOUR}?page=2")).json()["detail"]


async def test_who_may_not_ask_is_not_told_which_parameters_there_are(api: Api) -> None:
    assert (await api.ask("GET", "/v1/decisions?campain=x", None)).status_code == 401
    assert (await api.ask("GET", f"/v1/clinics/{HARBOUR}?x=1", "northside-operator")).status_code == 404


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_the_calendars_first_and_last_instants_can_be_asked_for(api: Api, instant: str) -> None:
    await api.get("/v1/decisions", since=instant, before=instant)
