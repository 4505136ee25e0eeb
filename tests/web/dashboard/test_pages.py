"""What the pages say, and that everything on them leads somewhere."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from service.core.errors import RefusedError
from service.core.heat import Cell, Look
from service.sandbox.scene import HARBOUR
from service.web.dashboard import wording
from service.web.dashboard.frame import STYLE
from service.web.dashboard.static import ADDRESS
from tests.web.conftest import HOUR, Api, client_of
from tests.web.dashboard.conftest import Parsed, Visit
from tests.web.test_plans import evaluate, rewrite
from tests.web.world import WorldAds

CLINIC = f"/clinics/{HARBOUR}"


async def crawled(visit: Visit, key: str) -> dict[str, Parsed]:
    """Every page that can be reached by links, as it is read with a key."""
    await visit.sign_in(key)
    found: dict[str, Parsed] = {}
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = await visit.page(path)
            waiting += [link for link in found[path].links if link.startswith("/")]
    return found


@pytest.mark.parametrize("key", ["auditor", "harbour-operator", "northside-operator"])
async def test_every_link_of_every_page_leads_to_a_page_and_every_page_is_whole(visit: Visit, key: str) -> None:
    await evaluate(visit.api)
    pages = await crawled(visit, key)
    assert len(pages) >= (9 if key == "northside-operator" else 15)
    for path, page in pages.items():
        assert page.open == [], f"{path} leaves {page.open} open"
        assert len(page.ids) == len(set(page.ids)), f"{path} has two parts of one name"
        assert not any(link.startswith("http") for link in page.links), "nothing leads to another site"
        assert "None" not in page.text, path


async def test_a_viewer_is_shown_nothing_that_only_operators_may_do(visit: Visit) -> None:
    pages = await crawled(visit, "auditor")
    assert {form.action for page in pages.values() for form in page.forms if form.method == "post"} == {"/sign-out"}


async def test_a_clinics_page_says_of_each_campaign_what_it_does_and_why(operator: Visit) -> None:
    shown = (await operator.page(CLINIC)).text
    for each in (await operator.api.get(f"/v1{CLINIC}/campaigns"))["items"]:
        last = each["last_decision"]
        assert each["campaign"] in shown
        assert last["sentence"].replace("`", " ").split(":")[0] in shown
        assert f"base {each['entry']['base_budget']}" in shown
    assert "Australia/Sydney" in shown
    assert "Mon 23 Nov, 08:00" in shown, "by the clinic's own clock"


async def test_the_map_has_a_row_for_every_practitioner_service_or_location(operator: Visit) -> None:
    people = (await operator.page(CLINIC)).text
    assert all(name in people for name in ("Ana Silva", "Ben Okafor", "Chloe Tran", "Dev Patel", "Eva Lindqvist"))
    assert "Hydro pod" not in people, "it is excluded from the service"
    assert "Harbour Physio Quay" in (await operator.page(f"{CLINIC}?by=location")).text
    assert "Ana Silva" not in (await operator.page(f"{CLINIC}?by=service")).text
    await operator.page(f"{CLINIC}?by=nothing", 400)


async def test_full_and_closed_days_say_so_and_an_unreadable_cliniko_shows_no_map(operator: Visit) -> None:
    text = await raw(operator)
    assert 'class="full">0<span class="hide"> full<' in text
    assert 'class="closed">\N{MIDDLE DOT}<span class="hide"> closed<' in text
    assert "openings, " in text
    operator.api.near.down.add(HARBOUR)
    await evaluate(operator.api)
    shown = await operator.page(CLINIC)
    assert "Cliniko could not be read since Mon 23 Nov, 09:00" in shown.text
    assert "could not read Cliniko" in shown.text


async def raw(visit: Visit) -> str:
    return (await visit.client.get(CLINIC)).text


@pytest.mark.parametrize(
    ("cell", "text", "looks"),
    [
        (Cell(Look.OPEN, 3, 0.5), "3", "s2"),
        (Cell(Look.OPEN, 12, 0.0), "12", "s0"),
        (Cell(Look.OPEN, 1, 0.96), "1", "s5"),
        (Cell(Look.OPEN, 1, None), "1", "s0"),
        (Cell(Look.AT_LEAST, 2, 0.2), "2+", "s1 at_least"),
        (Cell(Look.FULL, 0, 1.0), "0", "full"),
        (Cell(Look.UNKNOWN), "?", "unknown"),
        (Cell(Look.TOO_SOON), "\N{EN DASH}", "too_soon"),
        (Cell(Look.CLOSED), "\N{MIDDLE DOT}", "closed"),
    ],
    ids=str,
)
def test_a_cell_says_in_text_what_its_colour_says(cell: Cell, text: str, looks: str) -> None:
    assert (wording.cell_text(cell), wording.cell_class(cell)) == (text, looks)


def test_no_two_looks_of_a_cell_are_alike() -> None:
    assert len({sign for look, (sign, _) in wording.LOOKS.items() if look is not Look.OPEN}) == len(Look) - 1


LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+):(#\w+)", part)) for part in STYLE.partition("@media (prefers-color-scheme:dark)")[::2]
)


def luminance(colour: str) -> float:
    """Of a colour as CSS writes it (WCAG 2.2, relative luminance)."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, LIGHT | DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((f"{'dark' if n > 3 else 'light'}", f"s{n}") for n in range(6)),
        ("dark", "full"),
        *(("ink", ground) for ground in ("bg", "card", "hatch", "warn-bg", "bad-bg", "good-bg")),
        *(("mute", ground) for ground in ("bg", "card")),
        *((kind, f"{kind}-bg") for kind in ("warn", "bad", "good")),
        ("brand", "card"),
        ("brand", "bg"),
        ("on-brand", "brand"),
    ],
)
def test_every_text_can_be_read_on_its_ground(colours: dict[str, str], text: str, ground: str) -> None:
    assert contrast(colours[text], colours[ground]) >= 4.5


async def test_the_timeline_shows_what_changed_or_everything_and_turns_pages(operator: Visit) -> None:
    for _ in range(9):
        await evaluate(operator.api)
    changed = await operator.page(f"{CLINIC}/decisions")
    assert changed.text.count("Pause: ") == 2
    everything = await operator.page(f"{CLINIC}/decisions?all=true")
    [older] = [link for link in everything.links if "cursor=" in link]
    first, second = (
        {link for link in page.links if "/decisions/" in link} for page in (everything, await operator.page(older))
    )
    assert len(first) == 30
    assert second
    assert not first & second
    one = await operator.page(f"{CLINIC}/decisions?campaign=physio-search&all=true")
    assert "name: Booked solid" in one.text, "with the rule as it was written"
    assert "podiatry-search" not in one.text.replace("podiatry-search podiatry-social", "")


async def test_a_decision_is_shown_with_all_that_is_behind_it(operator: Visit) -> None:
    newest = (await operator.api.get("/v1/decisions", clinic=HARBOUR, campaign="physio-search", changed=True))["items"][0]
    answer = await operator.api.get(f"/v1/decisions/{newest['id']}")
    shown = (await operator.page(f"/decisions/{newest['id']}")).text
    assert newest["sentence"] in shown
    assert "revision " + newest["rules_digest"][:12] in shown
    assert all(line["text"] in shown for line in answer["trace"])
    assert "applied" in shown
    assert "What would tip it" in shown
    await operator.page("/decisions/none", 404)


async def test_a_refused_rule_file_is_shown_with_its_line_and_what_to_write(operator: Visit) -> None:
    rewrite(operator.api, "at_least: 95%", "at_least: 95")
    await evaluate(operator.api)
    shown = (await operator.page(CLINIC)).text
    assert "The rule file is refused." in shown
    assert "harbour-physio.yaml:" in shown
    assert "95%" in shown
    assert "governor hold" in shown


async def test_a_campaign_that_left_the_file_changed_is_listed_until_it_is_restored(operator: Visit) -> None:
    await evaluate(operator.api)
    rewrite(operator.api, "mode: enforce", "mode: watch")
    await evaluate(operator.api)
    shown = (await operator.page(CLINIC)).text
    assert "Left changed" in shown
    assert "governor restore harbour-physio" in shown


async def test_a_campaign_is_shown_as_the_run_left_it_and_not_as_it_found_it(operator: Visit) -> None:
    api = operator.api
    newest = (await api.get("/v1/decisions", clinic=HARBOUR, campaign="physio-search"))["items"][0]
    assert (newest["before"]["running"], newest["after"]["running"]) == (True, False), "the newest run has paused it"
    card = await of_card(operator, "physio-search")
    assert "paused by the rules" in card
    assert "running" not in card.split("why, in full")[0]
    assert "2 running, 2 paused" in (await signed_in_as(operator, "auditor")).text


async def of_card(visit: Visit, campaign: str) -> str:
    """What the clinic's page says of a campaign."""
    text = (await visit.page(CLINIC)).text
    return text.split(f" {campaign} Google · ")[1].split(" history ")[0]


async def signed_in_as(visit: Visit, key: str) -> Parsed:
    await visit.sign_in(key)
    return await visit.page("/")


async def test_a_change_that_the_platform_refused_is_not_shown_as_done(
    operator: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object, **__: object) -> None:
        raise RefusedError("google", "the budget is below the minimum")

    monkeypatch.setattr(WorldAds, "write", refused)
    operator.api.near.world.cancel(HARBOUR, ["144396659919422390" + n for n in "12"], 40, 14)
    for _ in range(26):
        if any(each["changed"] for each in (await evaluate(operator.api)).values()):
            break
    await operator.sign_in("harbour-operator")
    shown = await operator.page(CLINIC)
    assert "That could not be done." in shown.text
    assert "could not be changed" in shown.text
    assert "could not be changed" in (await signed_in_as(operator, "auditor")).text


async def test_whose_word_stands_is_on_the_card(operator: Visit) -> None:
    await operator.api.ask("POST", f"/v1{CLINIC}/holds", json={"reason": "a sale is on", "campaign": "physio-search"})
    assert "Held by admin: a sale is on" in await of_card(operator, "physio-search")
    assert "Held by" not in await of_card(operator, "podiatry-search")


async def test_a_missed_run_is_said(operator: Visit) -> None:
    assert "a run was missed" not in (await operator.page(CLINIC)).text
    operator.api.near.world.advance(3 * HOUR)
    assert "a run was missed" in (await operator.page(CLINIC)).text


async def test_before_the_first_run_a_page_says_that_there_was_none(api: Api) -> None:
    async with client_of(api.litestar) as client:
        new = Visit(api, client)
        await new.sign_in("harbour-operator")
        shown = (await new.page(CLINIC)).text
    assert "No run has looked at this clinic yet." in shown
    assert "sold now" not in shown


async def test_text_from_outside_is_text_and_no_markup(operator: Visit) -> None:
    await operator.api.ask("POST", f"/v1{CLINIC}/holds", json={"reason": "<script>alert(1)</script> & co"})
    text = await raw(operator)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in text
    assert "<script>alert" not in text


async def test_the_script_is_kept_by_browsers_and_a_page_is_small(operator: Visit) -> None:
    script = await operator.client.get(ADDRESS)
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    assert (await operator.client.get("/static/other.js")).status_code == 404
    page = await operator.client.get(CLINIC)
    assert page.headers["content-encoding"] == "gzip"
    assert len(page.content) + len(script.content) < 100_000, "not even unpacked"


@pytest.mark.parametrize(
    ("apart", "said"),
    [
        (timedelta(0), "now"),
        (timedelta(minutes=-12), "12 min ago"),
        (timedelta(minutes=59, seconds=59), "in 59 min"),
        (timedelta(hours=-47), "47 h ago"),
        (timedelta(days=3), "in 3 days"),
    ],
)
def test_how_long_ago_something_is(apart: timedelta, said: str) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    assert wording.ago(now + apart, now) == said


def test_words_of_the_rule_file_in_a_sentence_are_set_as_such_and_half_a_pair_is_left() -> None:
    assert wording.prose("until its `until` <holds>") == "until its <code>until</code> &lt;holds&gt;"
    assert wording.prose("half a ` pair") == "half a ` pair"
