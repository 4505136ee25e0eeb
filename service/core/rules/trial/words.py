"""Every word that a test file may use, with what it means: one table for the reader and the handbook's test. Pure."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from service.core.model import Reason
from service.core.rules.vocabulary import OPS, PARAMETERS, Section


class Stage(StrEnum):
    """Which of the two is expected: what the rules want, or what is done about it."""

    WANTED = "expect"
    DONE = "after_guardrails"


class Outcome(StrEnum):
    """What may be expected without a budget."""

    PAUSE = "pause"
    KEEP = "keep"


class Start(StrEnum):
    """How a campaign may be when a test begins, without a budget."""

    RUNNING = "running"
    PAUSED = "paused"
    PAUSED_BY_PERSON = "paused_by_person"


class Gap(StrEnum):
    """What may be given instead of a number."""

    MISSING = "missing"
    CLOSED = Reason.CLOSED
    LEAD_TIME = Reason.LEAD_TIME
    NOT_SOLD_ONLINE = Reason.NOT_SOLD_ONLINE
    CLINIKO_UNREADABLE = Reason.CLINIKO_UNREADABLE


GIVEN = (
    "What is known, by service: metrics in their unit, `missing`, or within bounds. What is not given again stays as it was."
)

STAGES: dict[str, str] = {
    Stage.WANTED.value: "What the rules want, by campaign or service: pause, keep, or {budget: ...}.",
    Stage.DONE.value: "What is done about it, once the guardrails have had their say; written as `expect`.",
    "notices": "The rules that tell somebody, all of them.",
}
FILE = Section(
    "a test file",
    {
        "clinic": "The clinic whose rules are tested, the same as in the file's name.",
        "given": "An ordinary day, for every test in the file; a test says only what is different.",
        "tests": "The tests, each by itself.",
    },
    required=("clinic", "tests"),
)
PACK_FILE = replace(
    FILE,
    title="a pack's test file",
    keys={"pack": "The pack whose rules are tested, the same as in the file's name."} | FILE.keys,
    required=("pack", "tests"),
)
STEP = Section(
    "a step of `series`",
    {"given": GIVEN, "for": "For how long it stays so, looked at hourly; what is expected is expected at the end.", **STAGES},
)
TEST = Section(
    "a test",
    {
        "name": "What is tested, in words of your own.",
        "at": "When it begins, on the clinic's clock: mon 09:00, or 2026-12-25 09:00. Default: mon 09:00.",
        "campaigns": "How campaigns are when it begins: running (at base), paused (by the governor), paused_by_person, or "
        "{budget: ...}. Default: running.",
        **STEP.keys,
        "series": "Instead of given, for and expect: steps of them, one after the other, the next an hour after the last.",
    },
    required=("name",),
)
EXPECTED = Section(
    "an expectation",
    {
        "then": "pause, or keep: nobody can tell, so nothing moves.",
        "budget": "The daily budget: a percentage of base, floor, base, ceiling, or an amount.",
        "rule": "The rule that decides.",
        "reason": "The reason token.",
    },
)
DONE = replace(EXPECTED, keys={**EXPECTED.keys, "verdict": "What becomes of it: apply, none, keep, await_approval."})
BOUNDS: dict[str, str] = {"is": "Exactly this."} | {
    op.value: text for op, text in OPS.items() if op in {"between", "at_least", "at_most"}
}
VALUE = Section("a value", {**BOUNDS, **PARAMETERS})
OUTCOMES: dict[Outcome, str] = {
    Outcome.PAUSE: "The campaign is to be paused.",
    Outcome.KEEP: "Nobody can tell, so it is left as it is.",
}
STARTS: dict[Start, str] = {
    Start.RUNNING: "Running, at base.",
    Start.PAUSED: "Paused by the governor.",
    Start.PAUSED_BY_PERSON: "Paused by a person.",
}
GAPS: dict[Gap, str] = {
    Gap.MISSING: "Nobody knows.",
    Gap.CLOSED: "Undefined: nobody is rostered.",
    Gap.LEAD_TIME: "Undefined: all of it is before the earliest time that may be booked.",
    Gap.NOT_SOLD_ONLINE: "Undefined: nothing of it is sold online.",
    Gap.CLINIKO_UNREADABLE: "Cliniko could not be read at all.",
}
WHOLE_GAPS = (Gap.MISSING, Gap.CLINIKO_UNREADABLE)
"""What may be said of everything at once."""

SERVICE_GAPS = (Gap.MISSING, Gap.LEAD_TIME, Gap.NOT_SOLD_ONLINE)
"""What may be said of a service; being closed leaves some of its metrics known."""

METRIC_GAPS = (Gap.MISSING, Gap.CLOSED, Gap.LEAD_TIME, Gap.NOT_SOLD_ONLINE)
"""What may be said of a metric."""
