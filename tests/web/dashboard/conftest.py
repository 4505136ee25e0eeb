"""The dashboard as a browser without scripts sees it: pages, their links, and their forms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
import pytest

from tests.web.conftest import Api, client_of

SELF_CLOSING = {"input", "meta", "link", "col", "br", "line", "rect"}


@dataclass(slots=True)
class Form:
    """A form and what it would send as it stands."""

    action: str
    method: str = "get"
    fields: dict[str, str] = field(default_factory=dict)


class Parsed(HTMLParser):
    """A page's text, links and forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag not in SELF_CLOSING:
            self.open.append(tag)
        if "id" in known:
            self.ids.append(known["id"])
        if tag == "a":
            self.links.append(known["href"])
        if tag == "form":
            self.forms.append(Form(known["action"], known.get("method", "get")))
        if tag == "input" and self.forms:
            self.forms[-1].fields[known["name"]] = known.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in SELF_CLOSING:
            assert self.open.pop() == tag, f"</{tag}> ends nothing"

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        """What is read, with single blanks."""
        return " ".join(" ".join(self.words).split())


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the dashboard with a browser of their own."""

    api: Api
    client: httpx.AsyncClient

    async def sign_in(self, key: str, back: str = "/") -> httpx.Response:
        form = {"key": self.api.secrets.get(key, key), "back": back}
        return await self.client.post("/sign-in", data=form)

    async def page(self, path: str, status: int = 200) -> Parsed:
        answer = await self.client.get(path, follow_redirects=True)
        assert answer.status_code == status, answer.text
        return Parsed(answer.text)

    async def send(self, form: Form, **typed: str) -> Parsed:
        """Send a form and follow to the page that is shown then."""
        answer = await self.client.post(form.action, data=form.fields | typed, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return Parsed(answer.text)

    async def form(self, path: str, action: str) -> Form:
        """The form of a page that is sent to this address."""
        [found] = [each for each in (await self.page(path)).forms if each.action == action]
        return found


@pytest.fixture
async def visit(governed: Api) -> AsyncIterator[Visit]:
    """At the end of the story, not signed in."""
    async with client_of(governed.litestar) as client:
        yield Visit(governed, client)


@pytest.fixture
async def operator(visit: Visit) -> Visit:
    """Signed in with Harbour's operator's key."""
    assert (await visit.sign_in("harbour-operator")).status_code == 303
    return visit
