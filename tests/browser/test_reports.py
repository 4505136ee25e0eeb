"""The reports in a browser: months of money with their intervals, and who is booked."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from service.reporting import LEARNT_FROM
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.spending import lived
from tests.browser.conftest import CLINIC, looking
from tests.reported import DAY, day, fill
from tests.serving import served
from tests.web.conftest import api_over
from tests.web.world import Near


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)], ids=["phone", "desk"])
async def test_months_can_be_read_and_taken_along(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    months = lived(7, days=30 + LEARNT_FROM.days)
    async with api_over(Near(scene(now=months.before)), tmp_path) as api, served(api.litestar) as url:
        await api.app.governor.run(HARBOUR)
        looks = [day(n, months.before.date() - k * DAY, 6) for k in range(56) for n in range(2)]
        await fill(api.app.store, HARBOUR, months.runs, looks)
        async with looking(browser, url, f"{width}-{'dark' if dark else 'light'}", width=width, dark=dark) as seen:
            await seen.sign_in(api.secrets["harbour-viewer"])
            page = seen.page
            await page.get_by_role("link", name="Money").click()
            await expect(page.get_by_role("heading", name="In all")).to_be_visible()
            told = await api.get("/v1/reports/money", "harbour-viewer", clinic=HARBOUR)
            spent = next(each["figures"]["spent"] for each in told["campaigns"] if each["figures"]["spent"]["estimate"])
            await expect(page.get_by_text(f"{float(spent['estimate']):,.2f}").first).to_be_attached()
            await seen.look("money")
            async with page.expect_download() as started:
                await page.get_by_role("link", name="As CSV").click()
            file = await (await started.value).path()
            rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
            assert {each["scope"] for each in rows} >= {"clinic", "service", "campaign"}
            await page.get_by_role("link", name="Who is booked").click()
            await expect(page.get_by_role("heading", name="What stands out")).to_be_visible()
            await expect(page.get_by_text("Practitioner 0").first).to_be_attached()
            await seen.look("structure")
            await page.goto(url + CLINIC + "/reports/structure?days=500")
            await expect(page.get_by_role("heading", name="Bad Request")).to_be_visible()
