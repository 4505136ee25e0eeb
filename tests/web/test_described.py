"""Whatever is asked that the description of the API allows, and much that it does not, is answered as it is described.

schemathesis makes up the requests from the OpenAPI document, within what it allows and beyond. All of them come with a good
key, and with names that exist as often as with names that do not. No answer may be a server error, or one that the document
does not describe; and what the document rules out must be refused.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.sandbox.scene import HARBOUR
from tests.web.conftest import Api, Told, story_in
from tests.web.test_access import ROUTES, Route, harbours

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of what its own dependencies will do one day
    import schemathesis
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        negative_data_rejection,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ASKED = [
    pytest.param(route, mode, id=f"{route}-{mode.value}")
    for route in ROUTES
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or str(route) != "GET /v1/clinics"  # of nothing there is no wrong form
]
EXAMPLES = settings(
    max_examples=max(6, settings().max_examples // 4),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # what fails is found again by its seed; to shrink it may take an hour
)


@pytest.fixture(scope="module")
async def story(told: Told, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Api, Any, dict[str, str]]]:
    """The end of the story, its API's description, and names of what exists."""
    async with story_in(told, tmp_path_factory.mktemp("described")) as api:
        document = (await api.ask("GET", "/schema/openapi.json", None)).json()
        for operations in document["paths"].values():
            for operation in operations.values():
                operation.pop("security", None)  # every request has a good key: what has none is another test's
        yield api, schemathesis.openapi.from_dict(document), await harbours(api)


@pytest.mark.parametrize(("route", "mode"), ASKED)
@EXAMPLES
@given(data=st.data())
async def test_every_answer_is_one_that_is_described(
    story: tuple[Api, Any, dict[str, str]], route: Route, mode: GenerationMode, data: st.DataObject
) -> None:
    api, schema, names = story
    operation = schema[route.path][route.method]
    known = {name: value for name, value in names.items() if f"{{{name}}}" in route.path}
    case = data.draw(
        operation.as_strategy(generation_mode=mode, path_parameters=data.draw(st.sampled_from([known, None])) or None)
    )
    asked = case.as_transport_kwargs(base_url="http://governor")
    asked["headers"] = {**dict(asked.get("headers") or {}), "Authorization": f"Bearer {api.secrets['admin']}"}
    asked["content"] = asked.pop("data", None)
    answer = await api.client.request(**{name: value for name, value in asked.items() if value})
    case.validate_response(answer, checks=CHECKS)


async def test_the_clinic_of_the_made_up_requests_exists(story: tuple[Api, Any, dict[str, str]]) -> None:
    api, _, names = story
    assert names["clinic"] == HARBOUR
    assert (await api.ask("GET", f"/v1/clinics/{HARBOUR}")).status_code == 200
