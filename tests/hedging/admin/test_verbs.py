"""Verbs: asked on a page, done with a reason and a name, refused without the right."""

from __future__ import annotations

import pytest
from django.contrib.admin.utils import quote
from django.contrib.messages import get_messages
from django.urls import reverse

from hedging.models import Breaker, BreakerEvent, HedgeConfigEntry
from hedging.services.config import config_read
from tests import factories as make

pytestmark = pytest.mark.django_db
WHY = {"reason": "read the rules again with legal"}


def approval(of) -> dict[str, str]:
    """What a person sends who has read the rules of `of` as they are."""
    return {
        "grade": "direct",
        "basis_probability": "1",
        "wording_read": "on",
        "wording_hash": of.instrument.wording_hash,
        **WHY,
    }


def verb(model: str, pk: int | str, name: str) -> str:
    return reverse(f"admin:hedging_{model}_{name}", args=[quote(pk)])


def told(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


@pytest.fixture
def unapproved():
    return make.mapping(make.product(), make.instrument(), approved_by="")


def test_asking_changes_nothing_and_shows_the_rules_in_full(officer, unapproved):
    response = officer.get(verb("mapping", unapproved.pk, "approve"))
    html = response.content.decode()
    assert response.status_code == 200
    assert unapproved.instrument.description in html
    unapproved.refresh_from_db()
    assert unapproved.approved_at is None


def test_approving_stores_who_when_and_which_wording(officer, unapproved):
    response = officer.post(verb("mapping", unapproved.pk, "approve"), approval(unapproved))
    assert response.status_code == 302
    unapproved.refresh_from_db()
    assert (unapproved.state, unapproved.reason) == ("approved", WHY["reason"])
    assert unapproved.approved_by == "risk.officer"
    assert unapproved.approved_at is not None
    assert unapproved.approved_wording_hash == unapproved.instrument.wording_hash


def test_nobody_approves_what_was_not_read(officer, unapproved):
    told = approval(unapproved)
    del told["wording_read"]
    assert officer.post(verb("mapping", unapproved.pk, "approve"), told).status_code == 400
    unapproved.refresh_from_db()
    assert unapproved.approved_at is None


def test_what_the_service_refuses_is_said_on_the_page(officer):
    market = make.instrument(closed=True)
    mapping = make.mapping(make.product(), market, approved_by="")
    response = officer.post(verb("mapping", mapping.pk, "approve"), approval(mapping))
    assert response.status_code == 400
    assert "is closed; choose an open one" in response.content.decode()
    mapping.refresh_from_db()
    assert mapping.approved_at is None


def test_suspending_needs_a_reason_and_keeps_it(officer):
    mapping = make.mapping(make.product(), make.instrument())
    address = verb("mapping", mapping.pk, "suspend")
    assert officer.post(address, {"reason": "  "}).status_code == 400
    assert officer.post(address, {"reason": "    x     "}).status_code == 400, "blanks are not a reason"
    assert officer.post(address, WHY).status_code == 302
    mapping.refresh_from_db()
    assert (mapping.state, mapping.suspended_kind) == ("suspended", "person")
    assert (mapping.suspended_reason, mapping.changed_by) == (WHY["reason"], "risk.officer")


@pytest.mark.parametrize("name", ["approve", "decline", "suspend", "resume"])
def test_looking_is_not_enough_to_change_a_mapping(guest, unapproved, name):
    client = guest("hedging.view_mapping")
    assert client.get(reverse("admin:hedging_mapping_change", args=[unapproved.pk])).status_code == 200
    address = verb("mapping", unapproved.pk, name)
    assert client.get(address).status_code == 403
    assert client.post(address, approval(unapproved)).status_code == 403
    unapproved.refresh_from_db()
    assert unapproved.approved_at is None
    assert unapproved.suspended_reason == ""


def test_the_right_to_change_alone_does_not_show_a_row_that_may_not_be_seen(guest, unapproved):
    client = guest("hedging.change_breaker")
    assert client.get(verb("mapping", unapproved.pk, "approve")).status_code == 403


def test_a_breaker_is_tripped_and_reset_by_name(officer):
    make.breaker("venue:polymarket")
    response = officer.post(
        verb("breaker", "venue:polymarket", "trip"),
        {"effect": "REDUCE_ONLY", "reason": "odd prices since noon"},
    )
    assert response.status_code == 302
    breaker = Breaker.objects.get(pk="venue:polymarket")
    assert (breaker.state, breaker.effect, breaker.changed_by) == ("OPEN", "REDUCE_ONLY", "risk.officer")
    assert breaker.latched is True
    assert told(response) == ["Trading is stopped: Venue Polymarket"]

    officer.post(verb("breaker", "venue:polymarket", "reset"), {"reason": "prices explained by the venue"})
    breaker.refresh_from_db()
    assert (breaker.state, breaker.reason) == ("CLOSED", "prices explained by the venue")
    events = BreakerEvent.objects.filter(scope="venue:polymarket").order_by("id").values_list("new", "who")
    assert list(events)[-2:] == [("OPEN", "risk.officer"), ("CLOSED", "risk.officer")]


def test_a_breaker_is_not_tripped_without_a_reason_or_with_a_made_up_effect(officer):
    make.breaker("global")
    address = verb("breaker", "global", "trip")
    assert officer.post(address, {"effect": "HALT"}).status_code == 400
    assert officer.post(address, {"effect": "EXPLODE", **WHY}).status_code == 400
    assert Breaker.objects.get(pk="global").state == "CLOSED"


def test_the_settings_page_lists_every_setting_with_its_meaning(officer):
    html = officer.get(reverse("admin:hedging_hedgeconfigentry_changelist")).content.decode()
    for words in ("maxSlippageBps", "venueShares", "polymarket 40 %", "from 0 to 10000"):
        assert words in html


@pytest.mark.parametrize(
    "key, typed, attribute, expected",
    [
        ("enabled", "on", "enabled", True),
        ("maxSlippageBps", "250", "slippage_bps_max", 250),
        ("priceMax", "0.45", "price_max", "0.45"),
    ],
)
def test_a_setting_is_set_with_a_reason_and_kept_with_a_name(officer, key, typed, attribute, expected):
    address = reverse("admin:hedging_hedgeconfigentry_set", args=[key])
    assert officer.post(address, {"value": typed, "reason": "agreed at the risk meeting"}).status_code == 302
    row = HedgeConfigEntry.objects.get(pk=key)
    assert (row.changed_by, row.reason) == ("risk.officer", "agreed at the risk meeting")
    assert str(getattr(config_read(), attribute)) == str(expected)


def test_shares_are_typed_as_json_and_must_add_up(officer):
    address = reverse("admin:hedging_hedgeconfigentry_set", args=["venueShares"])
    bad = officer.post(address, {"value": '{"polymarket": 0.5, "allianz": 0.2}', **WHY})
    assert bad.status_code == 400
    assert "must add up to 1" in bad.content.decode()
    assert officer.post(address, {"value": "half and half", **WHY}).status_code == 400
    assert officer.post(address, {"value": '{"polymarket": 0.8, "allianz": 0.2}', **WHY}).status_code == 302
    assert {code: str(share) for code, share in config_read().venue_shares.items()} == {
        "polymarket": "0.8",
        "allianz": "0.2",
    }


@pytest.mark.parametrize("typed", ["", "many", "-1", "10001", "1.5"])
def test_a_bad_value_is_refused_and_the_old_one_holds(officer, typed):
    address = reverse("admin:hedging_hedgeconfigentry_set", args=["maxSlippageBps"])
    assert officer.post(address, {"value": typed, **WHY}).status_code == 400
    assert config_read().slippage_bps_max == 100


def test_an_unknown_setting_has_no_page(officer):
    assert officer.get(reverse("admin:hedging_hedgeconfigentry_set", args=["leverage"])).status_code == 404


def test_looking_is_not_enough_to_set(guest):
    client = guest("hedging.view_hedgeconfigentry")
    address = reverse("admin:hedging_hedgeconfigentry_set", args=["enabled"])
    assert client.get(address).status_code == 403
    assert client.post(address, {"value": "on", **WHY}).status_code == 403
    assert config_read().enabled is False


def test_every_version_of_a_setting_is_shown(officer):
    address = reverse("admin:hedging_hedgeconfigentry_set", args=["maxSlippageBps"])
    officer.post(address, {"value": "150", "reason": "thin books in August"})
    officer.post(address, {"value": "200", "reason": "thinner still"})
    html = officer.get(
        reverse("admin:hedging_hedgeconfigentry_change", args=["maxSlippageBps"])
    ).content.decode()
    assert "thin books in August" in html
    assert "thinner still" in html


def test_a_row_that_does_not_exist_has_no_verbs(officer):
    assert officer.post(verb("mapping", 999999, "suspend"), WHY).status_code == 404
