"""From what accounts hold to the text of a rule file, whatever people have named things."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from service.core.model import (
    AppointmentType,
    Campaign,
    Diaries,
    Location,
    Mode,
    Offer,
    OnlineBookings,
    Platform,
    Practitioner,
    State,
    Survey,
)  # fmt: skip
from service.core.offers import fold
from service.core.onboarding.campaigns import draft_campaigns, limits
from service.core.onboarding.document import Draft, document, scalar
from service.core.onboarding.services import DraftService, draft_services, writable
from service.core.rules.language import GoogleAccount, MetaAccount, RuleSet
from service.rulefiles.source import check

OPEN = OnlineBookings(enabled=True, lead=timedelta(0), segment_cap=None, daily_limit=None)
ODD = [
    "yes", "no", "null", "~", "on", "123", "1e3", "0x1F", "2026-01-01", "a: b", "a #b", "#", "- a", "'q'", '"q"', "\\", "[a]",
    "{a: b}", "*a", "&a", "!a", "|", ">", "%", "@", "`", "?", "<<", "=", "caf\u00e9 \U0001f9b6", "\u2028", "a\u0085b",
    "\ufeffa", "a\tb", "a\nb", "\u00a0", "  padded  ", "\u5fae\u7b11", "Pod 1", "x" * 201, "\ud800", "N/A", "true ",
    "Massage - 60 min",
]  # fmt: skip
names = st.one_of(st.sampled_from(ODD), st.text(max_size=30), st.text("aA :#-'" + '"yesno1', min_size=1, max_size=8))


def account(types: list[str], people: list[str]) -> Diaries:
    """Everybody offers everything at one location."""
    kinds = tuple(AppointmentType(f"t{n}", name, timedelta(minutes=30), None, False, True) for n, name in enumerate(types))
    staff = tuple(Practitioner(f"p{n}", name, online=True) for n, name in enumerate(people))
    offers = tuple(Offer("l", person.id, kind.id) for kind in kinds for person in staff)
    return Diaries(OPEN, (Location("l", "Here", "Australia/Sydney", True),), staff, kinds, offers, (), (), (), ())


def survey(*campaigns: tuple[str, str], currency: str = "AUD", unit: str = "0.01") -> Survey:
    """A Google Ads account with campaigns of these names and budgets."""
    found = tuple(
        Campaign(Platform.GOOGLE, str(n), name, State(running=True, budget=Decimal(budget)), currency, Decimal(unit))
        for n, (name, budget) in enumerate(campaigns, 1)
    )
    return Survey(Platform.GOOGLE, "1234567890", currency, "Australia/Sydney", found)


def written(diaries: Diaries, *surveys: Survey, clinic: str = "clinic") -> tuple[str, RuleSet]:
    services, currency = draft_services(diaries), surveys[0].currency
    campaigns, left = draft_campaigns(surveys, services, currency)
    draft = Draft(clinic, clinic.title(), currency, date(2026, 11, 22), services, campaigns, left)
    text = document(replace(draft, google=GoogleAccount("1234567890", "1112223333"), meta=MetaAccount("act_1")))
    return text, check(text, f"{clinic}.yaml")


@given(st.lists(names, min_size=1, max_size=6), st.lists(names, min_size=1, max_size=3), st.lists(names, max_size=4))
def test_whatever_things_are_named_the_file_is_good_and_says_those_names(
    types: list[str], people: list[str], titles: list[str]
) -> None:
    assume(any(map(writable, types)))  # nothing to sell is told before a file is drafted
    text, rules = written(account(types, people), survey(*((title, "60") for title in titles)))
    said = [fold(name) for service in rules.services.values() for name in service.appointment_types]
    assert sorted(said) == sorted({fold(name) for name in types if writable(name)})
    assert len(rules.campaigns) == len(titles)
    assert rules.mode is Mode.WATCH
    assert "\t" not in text


@given(names.filter(writable))
def test_any_yaml_reader_takes_a_name_for_the_text_it_is(name: str) -> None:
    assert yaml.safe_load(f"- {scalar(name)}") == [name]
    assert yaml.safe_load(f"{scalar(name)}: 1") == {name: 1}


@given(st.decimals("0.01", "999999", places=2), st.sampled_from(["AUD", "JPY", "EUR", "HUF"]))
def test_floor_and_ceiling_always_lie_around_base(budget: Decimal, currency: str) -> None:
    campaigns, left = draft_campaigns([survey(("x", str(budget)), currency=currency)], draft_services(ALLIED), currency)
    for each in campaigns:
        assert 0 < each.floor <= each.base <= each.ceiling
    assert len(campaigns) + len(left) == 1
    assert not left or (currency == "JPY" and budget < 1)


ALLIED = account(
    [
        "Standard physiotherapy consultation", "Initial physiotherapy consultation", "Physio follow up (NDIS)",
        "Remedial massage - 60 min", "Massage 30 min", "New patient - Speech pathology", "Speech pathology review",
    ],
    ["Ana Silva", "Reformer 1"],
)  # fmt: skip


def test_types_about_the_same_thing_are_one_service_with_the_new_patients_first() -> None:
    assert {service.name: service.types for service in draft_services(ALLIED)} == {
        "physiotherapy": (
            "Initial physiotherapy consultation", "Physio follow up (NDIS)", "Standard physiotherapy consultation",
        ),
        "massage": ("Massage 30 min", "Remedial massage - 60 min"),
        "speech-pathology": ("New patient - Speech pathology", "Speech pathology review"),
    }  # fmt: skip


def test_equipment_is_left_out_with_the_reason_unless_nobody_would_be_left() -> None:
    assert {service.excluded for service in draft_services(ALLIED)} == {(("Reformer 1", "its name says `reformer`"),)}
    (only,) = draft_services(account(["Pilates"], ["Reformer 1"]))
    assert (only.excluded, only.doubtful) == ((), ("Reformer 1",))


CAMPAIGNS = [
    pytest.param("Physio | Search | Sydney", "physiotherapy", False, id="a word of the service, shortened"),
    pytest.param("SPEECH kids", "speech-pathology", False, id="part of the service's name"),
    pytest.param("Brand", "physiotherapy", True, id="nothing: the biggest, to be checked"),
]


@pytest.mark.parametrize(("title", "service", "guessed"), CAMPAIGNS)
def test_a_campaign_goes_to_the_service_its_name_speaks_of(title: str, service: str, guessed: bool) -> None:
    ((campaign,), _) = draft_campaigns([survey((title, "60"))], draft_services(ALLIED), "AUD")
    assert (campaign.service, campaign.guessed) == (service, guessed)
    assert ("CHECK the service" in written(ALLIED, survey((title, "60")))[0]) == guessed


def test_yen_have_no_decimals() -> None:
    text, rules = written(ALLIED, survey(("Physio", "6000"), currency="JPY", unit="1"))
    assert "base_budget: 6000, floor: 1500, ceiling: 12000" in " ".join(text.split())
    assert rules.campaigns["physio"].base == 6000


def test_what_cannot_be_governed_is_a_comment_with_its_reason() -> None:
    first, *_ = survey(("Brand", "60")).campaigns
    shared = replace(survey(), campaigns=(replace(first, sharers=("1", "2")),))
    yen = replace(survey(("Other", "60"), currency="JPY"), platform=Platform.META)
    text, rules = written(ALLIED, shared, yen)
    assert rules.campaigns == {}
    assert "# - Google Ads 1 (Brand): Its budget is shared (2 campaigns use it)" in text
    assert "its account is in JPY and this file in AUD" in text


@pytest.mark.parametrize("clinic", ["null", "yes", "123", "a-1"])
def test_a_clinics_name_may_be_a_word_of_yaml(clinic: str) -> None:
    assert written(ALLIED, survey(("Physio", "60")), clinic=clinic)[1].clinic == clinic


def test_a_handful_of_units_is_divided_in_cents() -> None:
    assert limits(Decimal("5.00"), "AUD") == (Decimal("1.25"), Decimal("10.00"))
    assert limits(Decimal("30.00"), "AUD") == (Decimal("7.00"), Decimal("60.00"))


def test_names_that_say_nothing_still_make_a_service() -> None:
    found = draft_services(account(["Initial consultation", "Follow up"], ["Ana"]))
    assert [(each.name, each.types) for each in found] == [("appointments", ("Initial consultation", "Follow up"))]
    assert isinstance(found[0], DraftService)
