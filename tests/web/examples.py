"""The examples in the API's description, made by living through a clinic's day: `python -m tests.web.examples` prints them."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from service.sandbox.scene import HARBOUR, scene
from tests.support import RULES
from tests.web.conftest import HOUR, Api, api_over
from tests.web.world import Near, book_out

FEW = 2
"""Items of a list that are shown."""

CLINIC = f"/v1/clinics/{HARBOUR}"


Told = dict[str, dict[str, Any]]


async def lived() -> Told:
    """By operation, what was asked with and what was answered."""
    found: Told = {}
    for story in (_approved, _rejected, _day):
        with tempfile.TemporaryDirectory() as name:
            async with api_over(Near(scene()), Path(name)) as api:
                await story(Asker(api, found))
    return {operation: _short(found[operation]) for operation in sorted(found)}


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks, and keeps what it was answered."""

    api: Api
    found: Told

    async def __call__(self, operation: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.api.ask(method, path, json=body)
        assert answer.is_success, (operation, answer.text)
        told = {"answer": answer.json()} if answer.content else {}
        self.found[operation] = told | ({} if body is None else {"body": body})
        return told.get("answer")


async def _sold_out(ask: Asker) -> Any:
    """Harbour in mode propose, its physiotherapy sold out: the run that asks."""
    file = ask.api.app.settings.rules_dir / f"{HARBOUR}.yaml"
    file.write_text((RULES / f"{HARBOUR}.yaml").read_text().replace("mode: enforce", "mode: propose"))
    run = None
    for hours in (0, 23, 1):
        ask.api.near.world.advance(hours * HOUR)
        run = await ask("evaluate", "POST", f"{CLINIC}/evaluations", {"dry_run": False})
        book_out(ask.api.near.world)
    return run


async def _approved(ask: Asker) -> None:
    run = await _sold_out(ask)
    await ask("approvePlan", "POST", f"/v1/plans/{run['run']}/approval", {"reason": "agreed with the clinic"})


async def _rejected(ask: Asker) -> None:
    run = await _sold_out(ask)
    await ask("rejectPlan", "POST", f"/v1/plans/{run['run']}/rejection", {"reason": "a sale is on"})


async def _day(ask: Asker) -> None:
    api, run = ask.api, await _sold_out(ask)
    paused = next(each for each in run["decisions"] if each["campaign"] == "physio-search")
    await ask("listPlans", "GET", f"/v1/plans?clinic={HARBOUR}")
    await ask("getPlan", "GET", f"/v1/plans/{run['run']}")
    other = next(each for each in run["decisions"] if each["campaign"] == "physio-social")
    await ask("rejectDecision", "POST", f"/v1/decisions/{other['asks']}/rejection", {"reason": "a sale is on"})
    await ask("approveDecision", "POST", f"/v1/decisions/{paused['asks']}/approval", {"reason": "agreed with the clinic"})
    api.near.world.advance(HOUR)
    run = await ask("evaluate", "POST", f"{CLINIC}/evaluations", {"dry_run": False})
    decision = next(each for each in run["decisions"] if each["campaign"] == "physio-search")
    await ask("listClinics", "GET", "/v1/clinics")
    await ask("getClinic", "GET", CLINIC)
    await ask("getForecast", "GET", f"{CLINIC}/forecast")
    await ask("listCampaigns", "GET", f"{CLINIC}/campaigns")
    rules = await ask("getRules", "GET", f"{CLINIC}/rules")
    await ask("checkRules", "POST", "/v1/rules/check", {"text": rules["text"], "clinic": HARBOUR})
    await ask("listDecisions", "GET", f"/v1/decisions?clinic={HARBOUR}&campaign=physio-search&changed=true")
    await ask("getDecision", "GET", f"/v1/decisions/{decision['id']}")
    await ask("getRun", "GET", f"/v1/runs/{run['run']}")
    await ask("listRecords", "GET", f"/v1/audit?clinic={HARBOUR}")
    await ask("getHeads", "GET", "/v1/audit/head")
    await ask("verifyLedger", "GET", "/v1/audit/verify")
    await ask("getMoneyReport", "GET", f"/v1/reports/money?clinic={HARBOUR}")
    await ask("getStructureReport", "GET", f"/v1/reports/structure?clinic={HARBOUR}")
    hold = await ask("hold", "POST", f"{CLINIC}/holds", {"campaign": "physio-search", "reason": "a sale is on"})
    await ask("listHolds", "GET", f"{CLINIC}/holds")
    await ask("unhold", "DELETE", f"/v1/holds/{hold['id']}")
    await ask("readoptCampaign", "POST", f"{CLINIC}/campaigns/podiatry-search/readopt")
    await ask("restore", "POST", f"{CLINIC}/restore", {"unlogged": False})


def _short(value: Any) -> Any:
    """As it is, with the first few items of every list."""
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return [_short(item) for item in value[:FEW]] if isinstance(value, list) else value


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.stdout.write(json.dumps(asyncio.run(lived()), ensure_ascii=False, indent=1) + "\n")
