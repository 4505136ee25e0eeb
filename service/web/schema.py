"""The API's description at `/schema`: as OpenAPI 3.1 for machines, and as one plain page for people.

The usual viewers load their scripts from somebody else's servers; an ad account's operator should not have to allow that.
The page is therefore made here, from the same document, and needs nothing but a browser.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from litestar import Request, Router
from litestar.connection import ASGIConnection
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag

import service
from service.web.examples import illustrated

TITLE = "Ad-spend governor"
DESCRIPTION = (
    "What was seen, decided, done and not done about the ad budgets of clinics. Errors are RFC 9457 problem details; "
    "listings are newest first and go on with `cursor`; money is a decimal string; instants are UTC."
)
TAGS = (
    Tag("clinics", "Which clinics there are, and what they can sell."),
    Tag("campaigns", "What each campaign is allowed, and how it stands."),
    Tag("rules", "The rule file in force, and checking one before it is."),
    Tag("runs", "Evaluations: what one of them observed and decided."),
    Tag("plans", "What each run decided, what of it waits for a person, and the person's yes or no."),
    Tag("decisions", "One per campaign and run, each with its reason."),
    Tag("audit", "The hash-chained ledger."),
    Tag("holds", "A person's word to leave something alone."),
    Tag("reports", "What months came to: the structure of the diaries, and the money."),
    Tag("health", "For load balancers and orchestrators."),
)
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font-size:.9em}h3{margin:2rem 0 0}table{border-collapse:collapse}"
    "td{border-top:1px solid #8884;padding:.2rem 1rem .2rem 0;vertical-align:top}"
)


def openapi_config() -> OpenAPIConfig:
    """How Litestar describes the API."""
    bearer = SecurityScheme("http", scheme="bearer", description="An API key; `governor keys create` makes one.")
    return OpenAPIConfig(
        title=TITLE,
        version=service.__version__,
        description=DESCRIPTION,
        components=Components(security_schemes={"bearer": bearer}),
        openapi_router=Router("/schema", route_handlers=[], guards=[nothing_else], include_in_schema=False),
        render_plugins=[PlainPage(), IllustratedJson(), IllustratedYaml()],
        tags=list(TAGS),
        use_handler_docstrings=True,
    )


async def nothing_else(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: answer for what is not there as everywhere else; Litestar's own handler of `/schema/{path}` answers in HTML."""
    if connection.path_params:
        raise NotFoundException


class IllustratedJson(JsonRenderPlugin):
    """The document as JSON with our examples; Litestar's own way with them loses what is null."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document."""
        return super().render(request, illustrated(openapi_schema))


class IllustratedYaml(YamlRenderPlugin):
    """The document as YAML with our examples."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document."""
        return super().render(request, illustrated(openapi_schema))


class PlainPage(OpenAPIRenderPlugin):
    """The document as HTML without scripts; a subclass, because that is what Litestar calls."""

    def __init__(self) -> None:
        super().__init__(path="/", media_type=MediaType.HTML, favicon="", style="")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - Litestar's signature
        """The page."""
        return "\n".join(_page(openapi_schema)).encode()


def _page(document: dict[str, Any]) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield f"<title>{title}</title><style>{STYLE}</style><h1>{title} <small>{escape(document['info']['version'])}</small></h1>"
    yield f"<p>{escape(document['info']['description'])}</p>"
    yield '<p>For machines: <a href="/schema/openapi.json">JSON</a> · <a href="/schema/openapi.yaml">YAML</a></p>'
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if tag["name"] in operation.get("tags", ()):
                    yield from _operation(method, path, operation)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(operation["operationId"])}"><code>{method.upper()} {escape(path)}</code></h3>'
    yield f"<p>{escape(operation.get('description', ''))}</p><table>"
    for each in operation.get("parameters", ()):
        needed = "required" if each.get("required") else "optional"
        about = escape(each.get("description", ""))
        yield f"<tr><td><code>{escape(each['name'])}</code><td>{each['in']}, {needed}<td>{_shape(each['schema'])}<td>{about}"
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"<tr><td>body<td>required<td>{_shape(content['schema'])}<td>"
    for status, answer in sorted(operation["responses"].items()):
        shapes = ", ".join(_shape(content["schema"]) for content in answer.get("content", {}).values())
        yield f"<tr><td>{status}<td>answer<td>{shapes}<td>{escape(answer['description'])}"
    yield "</table>"


def _shape(schema: dict[str, Any]) -> str:
    """A schema in a word or two."""
    if "$ref" in schema:
        return escape(str(schema["$ref"]).rsplit("/", 1)[-1])
    options = schema.get("oneOf") or ()
    if options:
        return " or ".join(_shape(option) for option in options)
    return escape(str(schema.get("format") or schema.get("type") or "anything"))
