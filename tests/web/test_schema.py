"""The API's description is true: whole, valid, and what the API really answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from litestar.routes import HTTPRoute

from service.sandbox.scene import HARBOUR
from tests.web.conftest import Api

Json = dict[str, Any]


async def document(api: Api) -> Json:
    answer = await api.ask("GET", "/schema/openapi.json", None)
    assert answer.status_code == 200
    return answer.json()  # type: ignore[no-any-return] # an object


def operations(described: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from nodes(each)


async def test_every_route_is_described_and_nothing_else(api: Api) -> None:
    described = {f"{method.upper()} {path}" for method, path, _ in operations(await document(api))}
    served = {
        f"{method} {route.path_format}"
        for route in api.litestar.routes
        if isinstance(route, HTTPRoute) and route.path.startswith(("/v1", "/healthz", "/readyz", "/metrics"))
        for method in route.methods - {"OPTIONS"}
    }
    assert described == served


async def test_the_document_is_openapi_3_1_and_holds_together(api: Api) -> None:
    described = await document(api)
    schemas = described["components"]["schemas"]
    assert described["openapi"].startswith("3.1.")
    assert described["info"]["title"]
    assert described["info"]["version"]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    for node in nodes(described):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in schemas
    assert all(re.fullmatch(r"[A-Za-z0-9.\-_]+", name) for name in schemas)
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(ids) == len(set(ids))


async def test_every_operation_says_what_it_takes_and_how_it_fails(api: Api) -> None:
    described = await document(api)
    tags = {tag["name"] for tag in described["tags"]}
    for _, path, operation in operations(described):
        assert operation["description"]
        assert set(operation["tags"]) <= tags
        declared = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert set(answer["content"]) == {"application/problem+json"}
        if path.startswith("/v1"):
            assert operation["security"] == [{"bearer": []}]
            assert "401" in operation["responses"]
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_no_operation_takes_a_body_field_that_is_not_described(api: Api) -> None:
    bodies = [
        handler.parsed_data_field.annotation
        for route in api.litestar.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/v1")
        for handler, _ in route.route_handler_map.values()
        if handler.parsed_data_field
    ]
    assert len(bodies) == 8
    assert all(body.__struct_config__.forbid_unknown_fields for body in bodies)


async def test_the_limits_of_a_body_are_described(api: Api) -> None:
    schemas = (await document(api))["components"]["schemas"]
    reason = next(schema for name, schema in schemas.items() if name.endswith("NewHold"))["properties"]["reason"]
    assert (reason["minLength"], reason["maxLength"]) == (1, 500)


ASKED = [
    ("/v1/clinics", "/v1/clinics"),
    ("/v1/clinics/{clinic}", f"/v1/clinics/{HARBOUR}"),
    ("/v1/clinics/{clinic}/forecast", f"/v1/clinics/{HARBOUR}/forecast"),
    ("/v1/clinics/{clinic}/campaigns", f"/v1/clinics/{HARBOUR}/campaigns"),
    ("/v1/clinics/{clinic}/rules", f"/v1/clinics/{HARBOUR}/rules"),
    ("/v1/clinics/{clinic}/holds", f"/v1/clinics/{HARBOUR}/holds"),
    ("/v1/runs/{run}", "/v1/runs/RUN"),
    ("/v1/decisions", "/v1/decisions"),
    ("/v1/decisions", "/v1/decisions?why=true"),
    ("/v1/decisions/{decision_id}", "/v1/decisions/DECISION"),
    ("/v1/audit", "/v1/audit"),
    ("/v1/audit/head", "/v1/audit/head"),
    ("/v1/audit/verify", "/v1/audit/verify"),
    ("/v1/reports/money", f"/v1/reports/money?clinic={HARBOUR}"),
    ("/v1/reports/structure", f"/v1/reports/structure?clinic={HARBOUR}"),
    ("/healthz", "/healthz"),
    ("/readyz", "/readyz"),
]


@pytest.mark.parametrize(("path", "asked"), ASKED, ids=[asked for _, asked in ASKED])
async def test_what_is_answered_is_what_is_described(governed: Api, path: str, asked: str) -> None:
    described = await document(governed)
    newest = (await governed.get("/v1/decisions", changed="true", limit=1))["items"][0]
    await governed.ask("POST", f"/v1/clinics/{HARBOUR}/holds", json={"reason": "a sale is on"})
    body = await governed.get(asked.replace("RUN", newest["run"]).replace("DECISION", newest["id"]))
    schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    strict = {**schema, "components": _closed(described["components"])}
    found = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(strict).iter_errors(body)]
    assert found == []


def _closed(components: Json) -> Json:
    """The same schemas, but an answer with a member that is not described does not fit them."""
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return components


async def test_the_page_for_people_asks_nothing_of_anybody_else(api: Api) -> None:
    answer = await api.ask("GET", "/schema", None)
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script" not in answer.text
    assert not re.search(r"(src|href)=\W?(https?:)?//", answer.text)
    for method, path, operation in operations(await document(api)):
        assert f"{method.upper()} {path}" in answer.text
        assert operation["operationId"] in answer.text


async def test_nothing_of_the_description_loads_what_is_not_ours(api: Api) -> None:
    for path in ("/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc"):
        assert (await api.ask("GET", path, None)).status_code == 404
    assert (await api.ask("GET", "/schema/openapi.yaml", None)).status_code == 200


async def test_every_operation_has_an_example_that_fits_its_description(api: Api) -> None:
    described = await document(api)
    closed = {"components": _closed(described["components"])}
    wrong, shown = [], set()
    for operations in described["paths"].values():
        for operation in operations.values():
            for content in _contents(operation):
                for example in content.get("examples", {}).values():
                    shown.add(operation["operationId"])
                    errors = Draft202012Validator({**content["schema"], **closed}).iter_errors(example["value"])
                    wrong += [f"{operation['operationId']}: {error.json_path}: {error.message}" for error in errors]
    every = {operation["operationId"] for operations in described["paths"].values() for operation in operations.values()}
    assert wrong == []
    assert every - shown == {"unhold", "health", "readiness", "metrics", "watch"}


def _contents(operation: Json) -> list[Json]:
    """The JSON that an operation takes and answers."""
    parts = [operation.get("requestBody", {}), *(answer for status, answer in operation["responses"].items() if status < "3")]
    return [part["content"]["application/json"] for part in parts if "application/json" in part.get("content", {})]
