"""A real Chromium, and the dashboard on a socket for it.

Playwright brings no browser of its own here: the one that the machine has is driven (`apt-get install chromium`, or name it in
CHROMIUM). Without one these tests are skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from service.sandbox.scene import HARBOUR, scene
from tests.serving import served
from tests.web.conftest import HOUR, Api, api_over
from tests.web.test_plans import evaluate, rewrite
from tests.web.world import Near, book_out

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"
"""Where the pictures of the pages are left, to be looked at."""


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install it (`apt-get install chromium`) or name it in CHROMIUM")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        await opened.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as somebody has it before them, with what went wrong in it and what it asked the server for."""

    page: Page
    url: str
    name: str
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def sign_in(self, secret: str) -> None:
        """As people do it: with the keyboard."""
        await self.page.goto(self.url)
        await expect(self.page.get_by_label("API key")).to_be_focused()
        await self.page.keyboard.type(secret)
        await self.page.keyboard.press("Enter")
        await self.page.get_by_role("button", name="Sign out").wait_for()

    async def look(self, what: str) -> None:
        """Keep a picture of the page, and hold it against what everybody needs: axe-core, and no scrolling sideways."""
        ARTEFACTS.mkdir(exist_ok=True)
        await self.page.screenshot(path=ARTEFACTS / f"{what}-{self.name}.png", full_page=True)
        found = (await Axe().run(self.page)).response["violations"]
        assert [(each["id"], [node["target"] for node in each["nodes"]]) for each in found] == [], what
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            f"{what} is wider than the screen"
        )
        assert self.wrong == []
        assert all(address.startswith(self.url) for address in self.asked), "something was asked of another server"


@asynccontextmanager
async def looking(
    browser: Browser, url: str, name: str = "", *, width: int = 1280, dark: bool = False, scripts: bool = True
) -> AsyncIterator[Seen]:
    """A browser window of this width on this address."""
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme="dark" if dark else "light", java_script_enabled=scripts
    )
    page = await context.new_page()
    seen = Seen(page, url, name)
    page.on("pageerror", lambda error: seen.wrong.append(str(error)))
    page.on("console", lambda said: seen.wrong.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("request", lambda request: seen.asked.append(request.url))
    yield seen
    await context.close()


@dataclass(frozen=True, slots=True)
class Board:
    """Harbour in mode propose with two questions, on a socket."""

    api: Api
    url: str

    @property
    def secret(self) -> str:
        return self.api.secrets["harbour-operator"]


@pytest.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    async with api_over(Near(scene()), tmp_path) as api:
        rewrite(api, "mode: enforce", "mode: propose")
        await evaluate(api, 0 * HOUR)
        book_out(api.near.world)
        for hours in (23, 1):
            await evaluate(api, hours * HOUR)
        async with served(api.litestar) as url:
            yield Board(api, url)


CLINIC = f"/clinics/{HARBOUR}"
