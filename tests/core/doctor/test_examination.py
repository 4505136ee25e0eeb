"""A clinic broken in one way at a time, and the finding that names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.doctor.examination import examine, to_fix
from service.core.doctor.model import Key, Observed, Severity, Unread, Why
from service.core.model import Campaign, Diaries, Platform, State, Survey, Unreadable, Unseen
from service.sandbox.clinic import Hours, Span, Type
from service.sandbox.minutes import MINUTE
from service.sandbox.scene import HARBOUR
from service.sandbox.world import World
from tests.core.doctor.made import ANA, BEN, CLASS, EVA, INITIAL, PODIATRY, QUAY, STANDARD, file_with, found, healthy, on

MUST, LOOK = Severity.MUST_FIX, Severity.LOOK_AT
GOOGLE, META = Platform.GOOGLE, Platform.META
Make = Callable[[], Observed]


def test_a_healthy_clinic_is_ready_and_there_is_nothing_to_look_at() -> None:
    findings = examine(healthy())
    assert to_fix(findings) == ()
    assert [each.sentence for each in findings if each.severity is LOOK] == []
    assert {each.area.value for each in findings} == {"Settings", "Cliniko", "Services", "Google Ads", "Meta"}


def test_a_channel_without_an_address_is_something_to_look_at_and_stands_in_no_way() -> None:
    seen = replace(healthy(), unaddressed=("front-desk",))
    [finding] = found(seen, "channels")
    assert (finding.severity, to_fix(examine(seen))) == (LOOK, ())
    assert finding.advice == "Set GOVERNOR_NOTIFY__FRONT_DESK, then try it: `governor notify test front-desk`."


def unread(why: Why, message: str, code: str = "") -> Make:
    return lambda: replace(healthy(), diaries=Unread(why, message, code))


def probed(unseen: Unseen, *people: str) -> Make:
    """With the diaries of these practitioners dark."""

    def make() -> Observed:
        seen = healthy()
        assert isinstance(seen.diaries, Diaries)
        dark = tuple(
            replace(each, starts=None, unseen=unseen) if each.offer.practitioner in people else each
            for each in seen.diaries.probes
        )
        return replace(seen, diaries=replace(seen.diaries, probes=dark))

    return make


def clinic(part: str, key: str, **changes: object) -> Make:
    """With one record of Cliniko changed."""

    def change(world: World) -> None:
        record = getattr(world.clinics[HARBOUR], part)[key]
        for name, value in changes.items():
            setattr(record, name, value)

    return lambda: healthy(change)


def bookings(**changes: object) -> Make:
    """With the account's booking settings changed."""

    def change(world: World) -> None:
        for name, value in changes.items():
            setattr(world.clinics[HARBOUR].settings, name, value)

    return lambda: healthy(change)


def rules(good: str, other: str) -> Make:
    return lambda: healthy(rules=file_with(good, other))


def account(platform: Platform, **changes: object) -> Make:
    """With one ad account changed."""

    def make() -> Observed:
        seen = healthy()
        survey = seen.accounts[platform]
        assert isinstance(survey, Survey)
        return replace(seen, accounts={**seen.accounts, platform: replace(survey, **changes)})  # type: ignore[arg-type] # as made

    return make


def no_hours(*people: str) -> Make:
    def change(world: World) -> None:
        harbour = world.clinics[HARBOUR]
        harbour.hours = [hours for hours in harbour.hours if hours.person not in people]

    def make() -> Observed:
        seen, without = healthy(), healthy(change)
        assert isinstance(seen.diaries, Diaries)
        assert isinstance(without.diaries, Diaries)
        return replace(seen, diaries=replace(seen.diaries, hours=without.diaries.hours))

    return make


def moved_hours(minutes: int) -> Make:
    """With a roster that begins later than what is shown."""

    def make() -> Observed:
        seen = healthy()
        assert isinstance(seen.diaries, Diaries)
        hours = tuple(
            replace(each, starts=each.starts + minutes) if each.practitioner == EVA and each.starts < 12 * 60 else each
            for each in seen.diaries.hours
        )
        return replace(seen, diaries=replace(seen.diaries, hours=hours))

    return make


def silent() -> Observed:
    """Every diary answers with an empty list."""
    seen = healthy()
    assert isinstance(seen.diaries, Diaries)
    return replace(seen, diaries=replace(seen.diaries, probes=tuple(replace(each, starts=()) for each in seen.diaries.probes)))


def next_day() -> Observed:
    """With a roster that is a day off for everybody, whichever way weekdays are numbered."""
    seen = healthy()
    assert isinstance(seen.diaries, Diaries)
    hours = tuple(replace(each, day=(each.day + 3) % 7) for each in seen.diaries.hours)
    return replace(seen, diaries=replace(seen.diaries, hours=hours))


def off_base(budget: str | None) -> Make:
    amount = None if budget is None else Decimal(budget)
    return lambda: on(GOOGLE, healthy(), state=State(running=True, budget=amount))


CASES = [
    # settings and access
    pytest.param(lambda: replace(healthy(), contact_email=False), "contact_email", MUST, "CONTACT_EMAIL", id="no address"),
    pytest.param(lambda: replace(healthy(), kill_switch=True), "kill_switch", MUST, "GOVERNOR_KILL_SWITCH", id="kill switch"),
    pytest.param(
        lambda: replace(healthy(), rules=None), "rule_file", MUST, "governor init harbour-physio", id="no rule file yet"
    ),
    pytest.param(
        lambda: replace(healthy(), rules=None, refused="x.yaml:3: no"), "rule_file", MUST, "x.yaml:3: no", id="a bad rule file"
    ),
    pytest.param(unread(Why.NOT_SET_UP, "no API key: set X"), "key", MUST, "No API key: set X.", id="no key"),
    pytest.param(unread(Why.DENIED, "not accepted (401)", "401"), "key", MUST, "Copy the key again", id="a refused key"),
    pytest.param(
        unread(Why.DENIED, "the user may not read /v1/unavailable_blocks (403)", "403"),
        "role",
        MUST,
        "/v1/unavailable_blocks",
        id="a role that sees too little",
    ),
    pytest.param(unread(Why.UNREACHABLE, "503"), "reachable", MUST, "Try again", id="Cliniko is down"),
    pytest.param(unread(Why.NOT_UNDERSTOOD, "HTML"), "reachable", MUST, "cannot be used", id="something else answers"),
    pytest.param(
        unread(Why.NOT_UNDERSTOOD, "Cliniko's Business is not as documented: time_zone_identifier"),
        "zones",
        MUST,
        "no time zone",
        id="a location without a time zone",
    ),
    pytest.param(
        lambda: replace(healthy(), key=Key("au1", suffixed=False)), "shard", LOOK, "au1 is assumed", id="a key without suffix"
    ),
    pytest.param(
        lambda: replace(healthy(), key=Key("au4", suffixed=True, overridden=True)), "shard", LOOK, "BASE_URL", id="overridden"
    ),
    # the Cliniko account
    pytest.param(bookings(enabled=False), "online_bookings", MUST, "switched off", id="online bookings off"),
    pytest.param(clinic("businesses", QUAY, online=False), "switches", LOOK, "Quay", id="a place off"),
    pytest.param(clinic("people", BEN, online=False), "switches", LOOK, "practitioner Ben Okafor", id="somebody off"),
    pytest.param(clinic("types", STANDARD, online=False), "switches", LOOK, "Standard physio", id="a type off"),
    pytest.param(
        lambda: replace(healthy(), requests_per_minute=2), "requests", LOOK, "13 minutes", id="a budget that takes long"
    ),
    pytest.param(
        lambda: replace(healthy(), requests_per_minute=1000), "request_limit", LOOK, "1,000 requests", id="a high limit"
    ),
    # services
    pytest.param(
        clinic("types", PODIATRY, name="Initial podiatry consult"),
        "unknown_type",
        MUST,
        "did you mean `Initial podiatry consult`?",
        id="a renamed type",
    ),
    pytest.param(
        rules("[Harbour Physio City]", "[Harbour Fisio City]"),
        "unknown_location",
        MUST,
        "did you mean `Harbour Physio City`?",
        id="no such location",
    ),
    pytest.param(rules("[Hydro pod]", "[Hydro pod, Anna]"), "unknown_practitioner", MUST, "`Anna`", id="no such practitioner"),
    pytest.param(
        rules("[Initial podiatry consultation]", "[Initial podiatry consultation, Hydrotherapy class]"),
        "group_types",
        LOOK,
        "Hydrotherapy class takes several people",
        id="a group type in the file",
    ),
    pytest.param(clinic("types", PODIATRY, online=False), "hidden_types", LOOK, "not shown", id="a hidden type"),
    pytest.param(clinic("types", PODIATRY, online=False), "nothing_sold", MUST, "podiatry: nothing", id="nothing is sold"),
    pytest.param(clinic("people", EVA, types=[INITIAL]), "unoffered_types", LOOK, "nobody offers", id="a type nobody offers"),
    pytest.param(clinic("types", PODIATRY, lead_hours=336), "lead_time", MUST, "336 h hides all", id="blinded by lead time"),
    pytest.param(clinic("types", STANDARD, lead_hours=504), "lead_time", LOOK, "shows nothing inside", id="one type blinded"),
    pytest.param(clinic("types", INITIAL, lead_hours=72), "lead_time", LOOK, "3 days hides", id="a long lead time"),
    pytest.param(bookings(lead_hours=168), "lead_time", LOOK, "7 days hides", id="a long lead time of the account"),
    pytest.param(
        rules("    exclude_practitioners: [Hydro pod] ", "    #"), "equipment", LOOK, "Hydro pod may be", id="equipment"
    ),
    # diaries
    pytest.param(no_hours(EVA), "no_hours", MUST, "Eva Lindqvist (Harbour Physio Quay)", id="nobody has hours"),
    pytest.param(no_hours(ANA), "no_hours", LOOK, "Ana Silva", id="somebody has no hours"),
    pytest.param(probed(Unseen.NOT_FOUND, ANA), "not_found", LOOK, "404 although all switches are on", id="a 404"),
    pytest.param(probed(Unseen.NOT_FOUND, EVA), "not_found", MUST, "Eva Lindqvist at", id="404 for a whole service"),
    pytest.param(probed(Unseen.FAILED, ANA), "unread_diary", LOOK, "could not be read", id="an unreadable diary"),
    pytest.param(silent, "no_starts", LOOK, "Is it really booked out?", id="no start anywhere"),
    pytest.param(moved_hours(90), "outside_hours", LOOK, "Eva Lindqvist (", id="starts outside hours"),
    pytest.param(next_day, "weekdays", MUST, "numbering of weekdays", id="weekdays in doubt"),
    # ad accounts
    pytest.param(lambda: replace(healthy(), accounts={}), "account", LOOK, "No ad account", id="no account named"),
    pytest.param(
        lambda: replace(healthy(), accounts={GOOGLE: Unread(Why.DENIED, "denied")}), "account", MUST, "Denied.", id="no access"
    ),
    pytest.param(
        lambda: replace(healthy(), accounts={META: Unread(Why.UNREACHABLE, "down")}), "account", MUST, "Try again", id="down"
    ),
    pytest.param(account(GOOGLE, currency="NZD"), "currency", MUST, "in NZD and the rule file in AUD", id="another currency"),
    pytest.param(account(META, zone="America/New_York"), "account_zone", LOOK, "America/New_York", id="another time zone"),
    pytest.param(account(META, campaigns=()), "not_found", MUST, "23850000000000001 is not in account act_", id="not there"),
    pytest.param(
        lambda: replace(account(META, campaigns=())(), elsewhere={"physio-social": Unreadable("meta", "odd")}),
        "not_found",
        MUST,
        "could not be read: odd",
        id="unreadable by its id",
    ),
    pytest.param(
        lambda: on(GOOGLE, healthy(), ineligible="The campaign's end date has passed."),
        "ineligible",
        MUST,
        "physio-search (Physio | Search | Sydney): The campaign's end date",
        id="ended",
    ),
    pytest.param(
        lambda: on(GOOGLE, healthy(), sharers=("9876543210", "5")),
        "ineligible",
        MUST,
        "physio-search (Physio | Search | Sydney): Its budget is shared (2",
        id="a shared budget that the file does not allow",
    ),
    pytest.param(
        lambda: replace(on(GOOGLE, healthy(), sharers=("9876543210", "5")), rules=None),
        "ineligible",
        LOOK,
        "cannot be governed: Its budget is shared (2",
        id="a shared budget, without a file",
    ),
    pytest.param(
        lambda: on(META, healthy(), state=State(running=False, budget=Decimal(40))),
        "paused",
        LOOK,
        "readopt harbour-physio physio-social",
        id="paused by somebody",
    ),
    pytest.param(
        lambda: on(META, healthy(), least=Decimal(12)), "floor", LOOK, "no less than 12 AUD is taken", id="a floor of no use"
    ),
    pytest.param(off_base("63.01"), "off_base", LOOK, "more than 5% off its base of 60.00 AUD", id="off base"),
    # rules
    pytest.param(
        rules("    service: podiatry\n    when", "    service: physio\n    when"), "no_rule", LOOK, "podiatry-", id="no rule"
    ),
]


@pytest.mark.parametrize(("make", "check", "severity", "says"), CASES)
@pytest.mark.sampled(2)
def test_what_is_wrong_is_named_with_what_to_do(make: Make, check: str, severity: Severity, says: str) -> None:
    findings = found(make(), check)
    assert [each.severity for each in findings[:1]] == [severity], [
        each for each in examine(make()) if each.severity is not LOOK
    ]
    assert any(says in f"{each.sentence} {each.advice}" for each in findings), findings
    if check != "ineligible":  # the adapters' sentences say it themselves
        assert all(each.advice for each in findings)


def test_a_budget_within_five_percent_of_base_is_at_base() -> None:
    assert found(off_base("63.00")(), "off_base") == []


def test_amounts_in_different_currencies_are_not_compared() -> None:
    assert found(replace(account(GOOGLE, currency="JPY")(), kill_switch=False), "off_base") == []


def test_one_and_the_same_zone_under_two_names_is_no_difference() -> None:
    assert found(account(META, zone="Australia/NSW")(), "account_zone") == []


def test_a_zone_that_agrees_in_winter_only_is_another_zone() -> None:
    assert len(found(account(META, zone="Australia/Brisbane")(), "account_zone")) == 1


def test_a_campaign_that_is_in_the_account_only_by_its_id_says_why() -> None:
    seen = account(META, campaigns=())()
    removed = on(META, healthy(), ineligible="the campaign is archived")
    survey = removed.accounts[META]
    assert isinstance(survey, Survey)
    findings = found(replace(seen, elsewhere={"physio-social": survey.campaigns[0]}), "ineligible")
    assert [each.sentence for each in findings] == ["physio-social (Physio | Feed | Sydney): the campaign is archived"]


def test_a_campaign_that_is_nowhere_has_no_name_to_show() -> None:
    seen = account(META, campaigns=())()
    missing = Campaign(
        META, "1", "", State(running=False, budget=None), "AUD", Decimal("0.01"), ineligible="Campaign 1 was not found."
    )
    findings = found(replace(seen, elsewhere={"physio-social": missing}), "ineligible")
    assert [each.sentence for each in findings] == ["physio-social: Campaign 1 was not found."]


def test_cliniko_being_down_hides_nothing_of_the_ad_accounts() -> None:
    seen = on(GOOGLE, unread(Why.UNREACHABLE, "503")(), ineligible="Google has suspended the campaign.")
    assert {each.check for each in to_fix(examine(seen))} == {"reachable", "ineligible"}


def test_a_run_that_cannot_end_within_the_hour_must_be_mended() -> None:
    seen = healthy()
    assert isinstance(seen.diaries, Diaries)
    many = replace(seen, diaries=replace(seen.diaries, probes=seen.diaries.probes * 3), requests_per_minute=1)
    assert [each.severity for each in found(many, "requests")] == [MUST]


def test_equipment_that_is_excluded_or_offers_classes_only_is_no_concern() -> None:
    def classes(world: World) -> None:
        world.clinics[HARBOUR].people[BEN].types = [CLASS]

    assert found(healthy(classes), "equipment") == []


def test_a_person_on_leave_without_switches_is_not_listed_as_missing_hours() -> None:
    def away(world: World) -> None:
        harbour = world.clinics[HARBOUR]
        harbour.unavailable.append(Span(EVA, world.now, world.now + timedelta(days=30)))

    assert found(healthy(away), "no_hours") == []


def test_extra_hours_are_hours() -> None:
    seen = no_hours(EVA)()
    assert isinstance(seen.diaries, Diaries)

    def extra(world: World) -> None:
        harbour = world.clinics[HARBOUR]
        harbour.extra.append(Span(EVA, world.now, world.now + 600 * MINUTE, QUAY))

    with_block = healthy(extra).diaries
    assert isinstance(with_block, Diaries)
    seen = replace(seen, diaries=replace(seen.diaries, extra=with_block.extra))
    assert found(seen, "no_hours") == []


def test_what_must_be_fixed_comes_first_in_each_area_and_no_sentence_is_said_twice() -> None:
    def wreck(world: World) -> None:
        harbour = world.clinics[HARBOUR]
        harbour.types["9"] = Type("9", "Odd", 30, online=False)
        harbour.hours.append(Hours(QUAY, EVA, 6, 0, 24 * 60))
        harbour.settings.enabled = False

    findings = examine(healthy(wreck))
    severities = list(Severity)
    for area in {each.area for each in findings}:
        ranks = [severities.index(each.severity) for each in findings if each.area is area]
        assert ranks == sorted(ranks)
    assert len({each.sentence for each in findings}) == len(findings)
