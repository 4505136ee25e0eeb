"""The dashboard in a browser: on a phone and on a desk, light and dark, with the keyboard, and live."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Route, expect

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
        await expect(page.locator("#said")).to_contain_text("Approved.")
        await expect(page.get_by_role("button", name="Approve physio-search")).to_have_count(0)
        await page.get_by_text("Hold podiatry-search").click()
        await page.locator("details[open]").get_by_label("Why").fill("a sale is on")
        await page.locator("details[open]").get_by_role("button", name="Hold").click()
        await expect(page.locator("#said")).to_contain_text("Held: podiatry-search")
        await seen.look("held")

        await page.get_by_role("link", name="all decisions").click()
        await expect(page.get_by_role("heading", name="Decisions")).to_be_visible()
        await seen.look("decisions")
    assert len(await recorded(board.api, "approval")) == 1
    [held] = await board.api.app.store.holds.holds(HARBOUR, board.api.app.clock())
    assert (held.campaign, held.reason) == ("podiatry-search", "a sale is on")


async def hold(board: Board, reason: str) -> str:
    """Somebody else holds podiatry: something to be shown; the hold's id."""
    answer = await board.api.ask("POST", f"/v1{CLINIC}/holds", json={"reason": reason, "service": "podiatry"})
    return str(answer.json()["id"])


async def test_an_open_page_shows_what_is_new_by_itself_and_leaves_everything_else_as_it_is(
    browser: Browser, board: Board
) -> None:
    async with looking(browser, board.url, width=390) as seen:
        await seen.sign_in(board.secret)
        page = seen.page
        await page.get_by_role("link", name="by service").click()
        await expect(page.get_by_text("physio, by practitioner")).to_have_count(0)
        await page.get_by_text("Hold physio-search").click()
        await page.get_by_role("link", name="history of physio-social").focus()
        await page.evaluate("scrollTo(0, 700)")
        await hold(board, "stocktaking")
        await expect(page.get_by_text("stocktaking").first).to_be_attached()
        await expect(page.get_by_text("physio, by practitioner")).to_have_count(0)
        await expect(page.locator("#hold-physio-search")).to_have_attribute("open", "")
        await expect(page.get_by_role("link", name="history of physio-social")).to_be_focused()
        assert await page.evaluate("scrollY") == 700
        assert seen.wrong == []


async def test_nothing_is_taken_from_whoever_is_writing(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        page = seen.page
        await page.get_by_text("Reject physio-search").click()
        why = page.locator("details[open]").get_by_label("Why")
        await why.fill("open day on Fri")
        await hold(board, "stocktaking")
        news = page.get_by_role("button", name="Something new was recorded")
        await expect(news).to_be_visible()
        await expect(page.get_by_text("stocktaking")).to_have_count(0)
        await news.click()
        await expect(page.get_by_text("stocktaking").first).to_be_attached()
        await expect(why).to_have_value("open day on Fri")
        await expect(news).to_be_hidden()
        await page.locator("details[open]").get_by_role("button", name="Reject").click()
        await expect(page.locator("#said")).to_contain_text("Rejected.")
    [text] = await recorded(board.api, "rejection")
    assert "open day on Fri" in text


async def test_what_is_recorded_while_a_page_is_on_its_way_or_out_of_sight_is_shown(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        page = seen.page

        async def late(route: Route) -> None:
            answer = await route.fetch()
            await hold(board, "while it was on its way")
            await route.fulfill(response=answer)

        await page.route("**" + CLINIC, late, times=1)
        await page.goto(board.url + CLINIC)
        await expect(page.get_by_text("while it was on its way").first).to_be_attached()
        await page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await hold(board, "out of sight")
        await page.wait_for_timeout(1500)
        await expect(page.get_by_text("out of sight")).to_have_count(0)
        await page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_text("out of sight").first).to_be_attached()


async def test_a_page_that_cannot_be_kept_up_to_date_says_so_and_stays(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        page, trouble = seen.page, seen.page.locator("#trouble")
        await page.route("**" + CLINIC, lambda route: route.fulfill(status=502, body="Bad Gateway"))
        await hold(board, "stocktaking")
        await expect(trouble).to_contain_text("may be old")
        await expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
        await page.unroute("**" + CLINIC)
        await hold(board, "open day")
        await expect(page.get_by_text("open day").first).to_be_attached()
        await expect(trouble).to_be_hidden()

        await page.route("**/approval", lambda route: route.abort())
        await page.get_by_role("button", name="Approve physio-search").click()
        await expect(trouble).to_contain_text("could not be reached")
        await page.unroute("**/approval")

        [mine] = [each for each in await board.api.app.store.keys.keys() if each.name == "harbour-operator"]
        await board.api.app.store.keys.revoke_key(mine.id, board.api.app.clock())
        await expect(trouble).to_contain_text(re.compile("signed out|no longer kept up to date"), timeout=20_000)


async def test_after_something_was_done_the_page_says_so_where_one_looks(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url, width=390) as seen:
        await seen.sign_in(board.secret)
        page = seen.page
        await page.get_by_text("Hold podiatry-social").click()
        await page.locator("details[open]").get_by_label("Why").fill("a sale is on")
        await page.locator("details[open]").get_by_role("button", name="Hold").click()
        said = page.locator("#said")
        await expect(said).to_be_focused()
        await expect(said).to_be_in_viewport()
        await hold(board, "stocktaking")
        await expect(page.get_by_text("stocktaking").first).to_be_attached()
        await expect(said).to_contain_text("Held: podiatry-social")  # also when the page has been read anew


async def test_more_pages_can_be_open_at_once_than_a_browser_has_connections(browser: Browser, board: Board) -> None:
    async with looking(browser, board.url) as seen:
        await seen.sign_in(board.secret)
        for _ in range(8):
            page = await seen.page.context.new_page()
            await page.goto(board.url + CLINIC, timeout=10_000)
            await expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
            await page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("by", ["service", "location"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_every_map_can_be_read_by_everybody(browser: Browser, board: Board, by: str, dark: bool) -> None:
    async with looking(browser, board.url, f"{by}-{'dark' if dark else 'light'}", dark=dark) as seen:
        await seen.sign_in(board.secret)
        await seen.page.get_by_role("link", name=f"by {by}").click()
        await expect(seen.page.locator("table.heat").first).to_contain_text(f"by {by}" if by == "location" else "physio")
        await seen.look("map")


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
        await page.goto(board.url + CLINIC)
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
            assert re.fullmatch(r"\d+\+?|\?|\u00b7|\u2013", (await table.locator("td").first.inner_text()).split()[0])
