"""Decisions are found by what people ask for, and pages neither repeat nor skip."""

from __future__ import annotations

import pytest

from service.core.decide.model import Decision
from service.core.errors import NotFoundError
from service.core.model import Platform, Reason, Verdict
from service.store.decisions import Wanted, _statement
from service.store.store import Store
from tests.store.backends import on_sqlite
from tests.store.samples import CLINIC, HOUR, NOW, SIXTY, decision, inputs, outcome

OTHER = "northside-allied"
DECISIONS = [
    decision("d1"),
    decision("d2", campaign="social", platform=Platform.META),
    decision("d3", verdict=Verdict.KEEP, reason=Reason.HELD, after=None, rule=None),
    decision("d4", after=SIXTY, verdict=Verdict.NONE, reason=Reason.ALREADY_THERE, at=NOW + HOUR),
    decision("d5", rule="Booked solid", at=NOW + 2 * HOUR),
]


@pytest.fixture
async def decided(store: Store, fence: int) -> Store:
    """Five decisions of one clinic, three of them at the same instant, and one of another."""
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.record(inputs(), outcome(decisions=tuple(DECISIONS)), fence)
    other = await store.leases.acquire(OTHER, "worker-1", HOUR, NOW)
    assert other
    await store.runs.begin("run-2", OTHER, NOW)
    foreign = decision("e1", "run-2", clinic=OTHER, at=NOW - HOUR)
    await store.runs.record(inputs("run-2", clinic=OTHER), outcome("run-2", decisions=(foreign,)), other)
    return store


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), "d5 d4 d3 d2 d1 e1"),
        (Wanted(clinics=[OTHER]), "e1"),
        (Wanted(clinics=[]), ""),
        (Wanted(clinics=[CLINIC, OTHER]), "d5 d4 d3 d2 d1 e1"),
        (Wanted(clinics=[OTHER, "closed-long-ago", CLINIC], changed=True, before=NOW + HOUR), "d2 d1 e1"),
        (Wanted(clinics=[CLINIC], campaign="social"), "d2"),
        (Wanted(platform=Platform.META), "d2"),
        (Wanted(rule="Booked solid"), "d5"),
        (Wanted(verdict=Verdict.KEEP), "d3"),
        (Wanted(reason=Reason.ALREADY_THERE), "d4"),
        (Wanted(changed=True), "d5 d2 d1 e1"),
        (Wanted(changed=False), "d4 d3"),
        (Wanted(since=NOW + HOUR), "d5 d4"),
        (Wanted(before=NOW + HOUR), "d3 d2 d1 e1"),
        (Wanted(since=NOW, before=NOW + 2 * HOUR, changed=True), "d2 d1"),
    ],
    ids=str,
)
async def test_each_filter_narrows(decided: Store, wanted: Wanted, ids: str) -> None:
    assert [each.id for each in (await decided.decisions.decisions(wanted)).items] == ids.split()


MANY = [CLINIC, OTHER, *(f"clinic-{n}" for n in range(1000))]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("clinics", [None, [CLINIC, OTHER], MANY], ids=["any clinic", "two clinics", "a thousand clinics"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 50])
async def test_pages_neither_repeat_nor_skip_across_equal_instants(
    decided: Store, limit: int, clinics: list[str] | None
) -> None:
    seen: list[Decision] = []
    cursor, more = None, True
    while more:
        page = await decided.decisions.decisions(Wanted(clinics=clinics), cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        seen, cursor, more = [*seen, *page.items], page.cursor, page.more
    assert [each.id for each in seen] == ["d5", "d4", "d3", "d2", "d1", "e1"]
    assert seen[:5] == DECISIONS[::-1]


async def test_one_decision_is_found_by_its_id(decided: Store) -> None:
    assert await decided.decisions.decision("d3") == DECISIONS[2]
    with pytest.raises(NotFoundError, match="d9"):
        await decided.decisions.decision("d9")


@on_sqlite
async def test_the_newest_of_several_clinics_are_found_by_index(decided: Store) -> None:
    """Whatever else there is of the clinics is neither read nor sorted."""
    asked = frozenset({"clinic_0", "clinic_1", "most"})
    async with decided._database.reading() as conn:
        query = _statement("told", asked).compile(dialect=conn.dialect)
        named = {"clinic_0": CLINIC, "clinic_1": OTHER, "most": 3}
        given = tuple({**query.params, **named}[name] for name in query.positiontup or ())
        plan = (await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", given)).all()
    steps = [row.detail for row in plan]
    assert sum("COVERING INDEX ix_decision_clinic_newest (clinic=?)" in step for step in steps) == 2, steps
    assert not any(step.startswith("SCAN decision") for step in steps), steps
