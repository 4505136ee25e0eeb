"""The dashboard in a browser: on a phone and on a desk, light and dark, with the keyboard, and live."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from service.sandbox import scene as scenes
from service.sandbox.scene import HARBOUR, scene
from tests.browser.conftest import CLINIC, Board, looking
from tests.serving import served
from tests.web.conftest import HOUR, api_over
from tests.web.test_plans import evaluate, recorded
from tests.web.world import Near


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_sign_in_read_why_approve_and_hold(browser: Browser, board: Board, width: int, dark: bool) -> None:
    name = f"{width}-{'dark' if dark else 'light'}"
    async with looking(browser, board.url, name, width=width, dark=dark) as seen:
        page = seen.page
        await page.goto(board.url)
        await seen.look("sign-in")
        await seen.sign_in(board.secret)
        await expect(page).to_have_url(board.url + CLINIC)
        await seen.look("clinic")

        await page.get_by_role("link", name="Why?").first.click()
        await expect(page.get_by_role("heading", name="Conditions of physio")).to_be_visible()
        await seen.look("why")
        await page.go_back()

        await page.get_by_role("button", name="Approve physio-search").click()
        await expect(page.get_by_role("status").first).to_contain_text("Approved.")
        await expect(page.get_by_role("button", name="Approve physio-search")).to_have_count(0)
        await page.get_by_text("Hold podiatry-search").click()
        await page.locator("details[open]").get_by_label("Why").fill("a sale is on")
        await page.locator("details[open]").get_by_role("button", name="Hold").click()
        await expect(page.get_by_role("status").first).to_contain_text("Held: podiatry-search")
        await seen.look("held")

        await page.get_by_role("link", name="all decisions").click()
        await expect(page.get_by_role("heading", name="Decisions")).to_be_visible()
        await seen.look("decisions")
    assert len(await recorded(board.api, "approval")) == 1
    [held] = await board.api.app.store.holds.holds(HARBOUR, board.api.app.clock())
    assert (held.campaign, held.reason) == ("podiatry-search", "a sale is on")


async def test_an_open_page_shows_what_is_new_by_itself_but_takes_nothing_from_whoever_is_writing(
    browser: Browser, board: Board
) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        page = seen.page
        await page.get_by_role("link", name="by service").click()
        await expect(page.get_by_text("physio, by practitioner")).to_have_count(0)
        await board.api.ask("POST", f"/v1{CLINIC}/holds", json={"reason": "stocktaking"})
        await expect(page.get_by_text("stocktaking")).to_be_visible()
        await expect(page.get_by_text("physio, by practitioner")).to_have_count(0)

        [hold] = await board.api.app.store.holds.holds(HARBOUR, board.api.app.clock())
        await page.get_by_text("Reject physio-search").click()
        await page.locator("details[open]").get_by_label("Why").fill("open day on Fri")
        await board.api.ask("DELETE", f"/v1/holds/{hold.id}")
        news = page.get_by_role("button", name="Something new was recorded")
        await expect(news).to_be_visible()
        await expect(page.locator("details[open]").get_by_label("Why")).to_have_value("open day on Fri")
        await news.click()
        await expect(page.get_by_text("stocktaking")).to_have_count(0)
        await expect(news).to_be_hidden()
        assert seen.wrong == []


async def test_everything_can_be_done_without_scripts(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url, scripts=False) as seen:
        page = seen.page
        await page.goto(board.url)
        await page.get_by_label("API key").fill(board.secret)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Approve physio-search").click()
        await expect(page.get_by_text("Approved. The next run")).to_be_visible()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_label("API key")).to_be_visible()
    assert len(await recorded(board.api, "approval")) == 1


async def test_a_page_takes_three_requests_and_less_than_100_kilobytes(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        sizes: dict[str, int] = {}
        protocol = await seen.page.context.new_cdp_session(seen.page)
        await protocol.send("Network.enable")
        await protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
        protocol.on("Network.loadingFinished", lambda it: sizes.update({it["requestId"]: it["encodedDataLength"]}))
        seen.asked.clear()
        await seen.page.goto(board.url + CLINIC)
        await seen.page.wait_for_timeout(300)
    assert len(seen.asked) == 3, "the page, its script, and the events"
    assert 10_000 < sum(sizes.values()) < 100_000


async def test_the_keyboard_reaches_what_can_be_done_and_the_way_is_seen(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        page = seen.page
        reached: list[str] = []
        for _ in range(100):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement === document.body"):
                break
            reached.append(await page.evaluate("document.activeElement.innerText || document.activeElement.name || ''"))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"nothing shows that {reached[-1]!r} is where the keyboard is"
        assert reached[0] == "Skip to the content"
        assert any(each.startswith("Approve") for each in reached)
        assert any(each.startswith("Hold") for each in reached)


async def test_forty_practitioners_can_be_read_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    world = scene()
    clinic = world.clinics[HARBOUR]
    types = list(clinic.types)[:2]
    names = ["Alexandra Featherstonehaugh-Wellington", "Bo Li", "Maria Papadopoulou"]
    for n in range(36):
        scenes._join(clinic, f"15443966597382284{n:03}", f"{names[n % 3]} {n}", types, next(iter(clinic.businesses)))
    async with api_over(Near(world), tmp_path) as api:
        await evaluate(api, 0 * HOUR)
        async with served(api.litestar) as url, looking(browser, url, "390-forty", width=390) as seen:
            await seen.sign_in(api.secrets["harbour-viewer"])
            await seen.look("clinic")
            table = seen.page.locator("table.heat").first
            rows = table.locator("tbody tr")
            assert await rows.count() == 40
            sizes = await rows.evaluate_all(
                "rows => rows.map(({cells: [who, day]}) => [day.offsetWidth, day.offsetHeight,"
                " parseFloat(getComputedStyle(day).fontSize), who.scrollWidth <= who.clientWidth])"
            )
            assert min(width for width, *_ in sizes) >= 18
            assert min(height for _, height, *_ in sizes) >= 24
            assert min(font for *_, font, _ in sizes) >= 12
            assert all(whole for *_, whole in sizes), "no name is cut off"
            assert re.fullmatch(r"\d+\+?|\?|\u00b7|\u2013", (await table.locator("td").first.inner_text()).strip())
