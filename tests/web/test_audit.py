"""The ledger as files: the very lines of `governor audit export`, filtered and guarded like the listing."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from service.core.canonical import instant
from service.core.ledger import Checkpoint, Kind, Record, export_line
from service.core.verification import verify
from service.sandbox.scene import HARBOUR, NORTHSIDE
from service.sandbox.world import World
from service.store import ledger
from service.web.server import create_app
from tests.core.test_ledger import VERIFIER
from tests.web.conftest import Api, Told, client_of
from tests.web.world import Near, app_over

NDJSON, CSV = "application/x-ndjson", "text/csv"


async def everything(api: Api, *chains: str) -> list[Record]:
    found = [record async for some in await api.app.store.ledger.export() for record in some]
    return [record for record in found if record.chain in chains]


async def file(api: Api, key: str = "admin", **query: Any) -> httpx.Response:
    answer = await api.ask("GET", "/v1/audit", key, params=query)
    assert answer.status_code == 200, answer.text
    return answer


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def test_ndjson_is_every_record_of_the_keys_chains_as_the_command_line_exports_them(governed: Api) -> None:
    for key, chains in (("admin", ("_system", HARBOUR, NORTHSIDE)), ("harbour-viewer", (HARBOUR,))):
        answer = await file(governed, key, format="ndjson")
        assert answer.text.splitlines() == [export_line(record) for record in await everything(governed, *chains)]
        assert answer.text.endswith("\n")
        assert answer.headers["content-type"].startswith(NDJSON)


async def test_ndjson_is_what_the_stand_alone_verifier_reads(governed: Api) -> None:
    exported = (await file(governed, format="ndjson", clinic=HARBOUR)).content
    head = (await governed.get("/v1/audit/head", clinic=HARBOUR))["items"][0]
    command = [sys.executable, "-I", str(VERIFIER), "-", f"--head={HARBOUR}={head['seq']}:{head['hash']}"]
    done = subprocess.run(command, input=exported, capture_output=True, check=False)  # noqa: S603, ASYNC221 - our own script
    assert done.returncode == 0, done.stdout


async def test_csv_holds_every_record_to_the_byte(governed: Api) -> None:
    answer = await file(governed, format="csv")
    records = await everything(governed, "_system", HARBOUR, NORTHSIDE)
    assert answer.headers["content-type"] == f"{CSV}; charset=utf-8"
    assert answer.text.startswith("chain,seq,at,kind,text,hash\r\n")
    assert answer.text.count("\r\n") == len(records) + 1
    read = [
        Record(row["chain"], int(row["seq"]), datetime.fromisoformat(row["at"]), row["kind"], row["text"], row["hash"])
        for row in rows(answer.text)
    ]
    assert read == records
    assert [row["at"] for row in rows(answer.text)] == [instant(record.at) for record in records]
    assert verify(record for record in read if record.chain == HARBOUR).ok


@pytest.mark.parametrize(
    ("accept", "format_", "type_"),
    [
        (None, None, "application/json"),
        ("*/*", None, "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", None, "application/json"),
        ("application/json;q=0.9, text/csv", None, CSV),
        (NDJSON, None, NDJSON),
        ("text/*", None, CSV),
        ("application/json", "ndjson", NDJSON),
        (NDJSON, "csv", CSV),
        (CSV, "json", "application/json"),
        ("application/xml", "csv", CSV),
    ],
)
async def test_what_is_answered_goes_by_the_format_and_else_by_what_is_accepted(
    governed: Api, accept: str | None, format_: str | None, type_: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = await governed.ask("GET", "/v1/audit", headers=headers, params={"format": format_} if format_ else {})
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == type_
    assert "Accept" in answer.headers["vary"].split(",")


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "nonsense", ",", "text/csv;q=inf", "\xff"])
async def test_a_format_that_we_do_not_have_is_refused_with_those_that_we_have(api: Api, accept: str) -> None:
    answer = await api.ask("GET", "/v1/audit", headers={"Accept": accept.encode("latin-1")})
    assert (answer.status_code, answer.json()["type"]) == (406, "urn:governor:problem:not-acceptable")
    assert all(each in answer.json()["detail"] for each in ("application/json", NDJSON, CSV))
    unknown = await api.ask("GET", "/v1/audit", params={"format": "xml"})
    assert (unknown.status_code, unknown.json()["fields"][0]["at"]) == (400, "query.format")


@pytest.mark.parametrize("query", [{"limit": 5}, {"cursor": "W10"}, {"limit": 5, "cursor": "W10"}])
@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_a_file_that_was_asked_for_in_pages_is_refused(api: Api, form: str, query: dict[str, Any]) -> None:
    answer = await api.ask("GET", "/v1/audit", params={"format": form, **query})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:governor:problem:unusable-input")
    assert " and ".join(sorted(query)) in answer.json()["detail"]


async def test_the_same_filters_hold_for_a_page_and_a_file(governed: Api) -> None:
    records = await everything(governed, HARBOUR)
    middle = records[len(records) // 2].at
    for query in (
        {"kind": "decision"},
        {"since": instant(middle)},
        {"before": instant(middle)},
        {"since": instant(records[1].at), "before": instant(middle), "kind": "plan"},
    ):
        page = (await governed.get("/v1/audit", clinic=HARBOUR, limit=500, **query))["items"]
        lines = (await file(governed, clinic=HARBOUR, format="ndjson", **query)).text.splitlines()
        assert [json.loads(line) for line in lines] == list(reversed(page))
        assert 0 < len(page) < len(records)


async def test_what_does_not_exist_for_the_key_is_not_there_as_a_file_either(governed: Api) -> None:
    for clinic in (NORTHSIDE, "nowhere", "_system"):
        answer = await governed.ask("GET", "/v1/audit", "harbour-viewer", params={"clinic": clinic, "format": "csv"})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    text = (await file(governed, "harbour-viewer", format="csv")).text
    assert {row["chain"] for row in rows(text)} == {HARBOUR}
    wall_clock = await governed.ask("GET", "/v1/audit", params={"format": "csv", "since": "2026-11-22T08:00:00"})
    assert wall_clock.status_code == 422


async def test_a_file_is_called_after_its_clinic_and_the_day(governed: Api) -> None:
    day = f"{governed.app.clock():%Y-%m-%d}"
    for query, name in (({"clinic": HARBOUR}, HARBOUR), ({"clinic": "_system"}, "_system"), ({}, "all")):
        for form in ("ndjson", "csv"):
            answer = await file(governed, format=form, **query)
            assert answer.headers["content-disposition"] == f'attachment; filename="ledger-{name}-{day}.{form}"'


async def test_a_file_of_nothing_is_its_beginning(api: Api) -> None:
    assert (await file(api, format="ndjson", clinic=HARBOUR)).text == ""
    assert (await file(api, format="csv", clinic=HARBOUR)).text == "chain,seq,at,kind,text,hash\r\n"


async def test_a_file_ends_with_the_record_that_was_the_newest_when_it_was_asked_for(
    governed: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 7)
    before = await everything(governed, HARBOUR)
    secret = governed.secrets["harbour-viewer"]
    sent: list[bytes] = []
    asked: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]
    answered = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if asked:
            return asked.pop()
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        await governed.app.store.ledger.append(HARBOUR, Kind.PLAN, {}, governed.app.clock())
        if not message.get("more_body", True):
            answered.set()

    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/v1/audit", "raw_path": b"/v1/audit", "root_path": "", "scheme": "http",
        "query_string": b"format=ndjson", "headers": [(b"authorization", f"Bearer {secret}".encode())],
        "http_version": "1.1", "client": None, "server": ("governor", 80), "state": {}, "extensions": {},
    }  # fmt: skip
    await governed.litestar(scope, receive, send)  # type: ignore[arg-type] # a scope by hand
    assert len(sent) > len(before) / 7
    assert b"".join(sent).decode().splitlines() == [export_line(record) for record in before]


async def test_the_description_names_the_three_media_types(api: Api) -> None:
    described = (await api.ask("GET", "/schema/openapi.json", None)).json()["paths"]["/v1/audit"]["get"]
    content = described["responses"]["200"]["content"]
    assert list(content) == ["application/json", NDJSON, CSV]
    assert content[NDJSON]["schema"]["type"] == content[CSV]["schema"]["type"] == "string"
    assert "406" in described["responses"]
    assert {"format", "since", "before"} <= {each["name"] for each in described["parameters"]}


async def test_a_chain_of_which_records_are_in_an_archive_says_after_which_it_begins(governed: Api) -> None:
    records = await everything(governed, HARBOUR)
    cut = records[9]
    assert (await governed.get("/v1/audit/verify", clinic=HARBOUR))["items"][0]["after"] is None
    checkpoint = Checkpoint(HARBOUR, 10, cut.hash, 1, "old.ndjson", "f" * 64, governed.app.clock(), "ana")
    await governed.app.store.archives.take_out([checkpoint])
    answer = await governed.get("/v1/audit/verify", clinic=HARBOUR)
    assert answer["ok"] is True
    assert answer["items"][0]["after"] == {"chain": HARBOUR, "seq": 10, "hash": cut.hash}
    assert answer["items"][0]["count"] == len(records) - 10 + 1
    lines = (await file(governed, clinic=HARBOUR, format="ndjson")).text.splitlines()
    assert (json.loads(lines[0])["seq"], len(lines)) == (11, len(records) - 10 + 1)
    told = json.loads((await governed.get("/v1/audit", clinic=HARBOUR, kind="checkpoint"))["items"][0]["text"])
    assert told["checkpoint"] == {
        "by": "ana",
        "file": "old.ndjson",
        "first": 1,
        "seq": 10,
        "hash": cut.hash,
        "sha256": "f" * 64,
    }


async def test_a_head_is_signed_where_there_is_a_key_to_sign_with(told: Told, tmp_path: Path) -> None:
    shutil.copytree(told.directory, tmp_path, dirs_exist_ok=True)
    key = ed25519.Ed25519PrivateKey.generate()
    seed = base64.b64encode(key.private_bytes_raw()).decode()
    async with app_over(Near(World(told.world.now)), tmp_path, audit_signing_key=seed) as app:
        litestar = create_app(app, hourly=False)
        async with client_of(litestar) as client:
            answer = await Api(app, Near(told.world), litestar, client, told.secrets).ask("GET", "/v1/audit/head")
    heads = {each["chain"]: each for each in answer.json()["items"]}
    assert set(heads) == {"_system", HARBOUR, NORTHSIDE}
    for chain, head in heads.items():
        signed = head["signed"]
        said = {"at": instant(told.world.now), "chain": chain, "seq": head["seq"], "hash": head["hash"]}
        assert json.loads(signed["text"]) == said
        key.public_key().verify(base64.b64decode(signed["signature"]), signed["text"].encode())
        assert signed["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert seed not in answer.text
