"""The watcher reads mapped markets again and suspends what is not what was approved; what is held can still be sold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from hedging.models import CycleLeg, Mapping, MappingEvent
from hedging.services.mapping_watch import mappings_watch
from policies.services.policies import policy_cancel
from tests.desk import Desk
from tests.trading import SLUG, configure, cycle, hedge, sell, settle, shares_there
from tonsurance.kernel.clock import utc_now
from venues.models import Instrument
from venues.registry import gateways_forget

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=5)


def watched(*, after: timedelta = LATER) -> Mapping:
    """One pass, `after` from now; the one mapping as it stands then."""
    mappings_watch(now=utc_now() + after)
    return Mapping.objects.select_related("instrument").get()


def set_terms(market: Instrument, **values: object) -> None:
    """What the venue would have said, read just now."""
    Instrument.objects.filter(pk=market.pk).update(refreshed_at=utc_now() + LATER, **values)


def test_a_sound_market_is_read_again_and_left_alone(desk: Desk, market: Instrument) -> None:
    done = mappings_watch(now=utc_now() + LATER)
    assert (done.refreshed, done.suspended, done.resumed) == (1, [], [])
    assert Instrument.objects.get().refreshed_at > market.refreshed_at
    assert mappings_watch(now=utc_now() + LATER).refreshed == 0


def test_a_changed_wording_suspends_until_a_person_has_read_it(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("market", slug=SLUG, description='It resolves to "Yes" if we say so.')
    row = watched()
    assert (row.state, row.suspended_kind, row.changed_by) == ("suspended", "wording", "system")
    assert row.suspended_reason == (
        "the market's rules are not worded as they were when they were approved; read them again"
    )
    # Worded back, the machine still leaves it to a person.
    Instrument.objects.update(wording_hash=row.approved_wording_hash, refreshed_at=utc_now() + LATER)
    assert watched().state == "suspended"


def test_a_pause_of_the_market_suspends_and_its_end_lifts_it(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("market", slug=SLUG, accepting_orders=False)
    row = watched()
    assert (row.suspended_kind, row.suspended_reason) == (
        "paused",
        "the market takes no orders at the moment",
    )
    desk.exchange.post("market", slug=SLUG, accepting_orders=True)
    row = watched(after=2 * LATER)
    assert (row.state, row.suspended_kind, row.reason) == (
        "approved", "", "over: the market takes no orders at the moment",
    )  # fmt: skip
    told = MappingEvent.objects.order_by("id").values_list("new", "who")
    assert list(told)[-2:] == [("suspended", "system"), ("approved", "system")]


@pytest.mark.parametrize(
    ("terms", "kind", "reason"),
    [
        ({"closed": True}, "closed", "the market is closed"),
        ({"resolution_status": "disputed"}, "settling", "its resolution has begun: disputed"),
    ],
)
def test_an_end_suspends_and_is_not_lifted_when_it_is_undone(
    desk: Desk, market: Instrument, terms: dict[str, object], kind: str, reason: str
) -> None:
    set_terms(market, **terms)
    row = watched()
    assert (row.suspended_kind, row.suspended_reason) == (kind, reason)
    set_terms(market, closed=False, resolution_status="")
    assert watched().state == "suspended"


def test_a_market_that_ends_within_the_set_days_is_suspended(desk: Desk, market: Instrument) -> None:
    end_at = utc_now() + LATER + timedelta(days=7, hours=1)
    set_terms(market, end_at=end_at)
    assert watched().state == "approved"
    configure(mappingSuspendDaysBeforeEnd=8)
    row = watched()
    assert (row.suspended_kind, row.suspended_reason) == (
        "ending", f"it ends on {end_at:%d %B %Y}, in less than 8 days",
    )  # fmt: skip


def test_a_market_that_the_venue_does_not_name_rests_until_it_does(desk: Desk, market: Instrument) -> None:
    Instrument.objects.update(instrument_id=str(int(market.instrument_id) ^ (1 << 200)))
    row = watched()
    assert (row.suspended_kind, row.suspended_reason) == (
        "unlisted", "the venue does not name this market any more",
    )  # fmt: skip
    assert watched().state == "suspended"
    Instrument.objects.update(instrument_id=market.instrument_id)
    assert watched().state == "approved"


def test_a_graver_cause_takes_the_place_of_a_passing_one(desk: Desk, market: Instrument) -> None:
    set_terms(market, accepting_orders=False)
    assert watched().suspended_kind == "paused"
    set_terms(market, accepting_orders=False, resolution_status="proposed")
    assert watched().suspended_kind == "settling"
    set_terms(market, accepting_orders=True, resolution_status="")
    assert watched().state == "suspended"


def test_silence_of_the_venue_suspends_nothing(desk: Desk, market: Instrument, free_port: int) -> None:
    nowhere = desk.polymarket() | {"clob_url": f"http://127.0.0.1:{free_port}/clob"}
    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        row = watched()
    gateways_forget()
    assert row.state == "approved"
    market.venue.refresh_from_db()
    assert market.venue.last_error != ""


def test_a_change_of_tick_is_read_and_suspends_nothing(desk: Desk, market: Instrument) -> None:
    desk.exchange.post("market", slug=SLUG, tick="0.01")
    row = watched()
    assert (row.state, str(row.instrument.tick_size.normalize())) == ("approved", "0.01")


def test_a_suspended_market_is_bought_no_more_and_says_so_on_the_leg(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    desk.exchange.post("market", slug=SLUG, description='It resolves to "Yes" if we say so.')
    watched()
    result = cycle()
    leg = CycleLeg.objects.get(cycle_id=result.cycle_id, venue_id="polymarket")
    assert (leg.reason, result.intents) == ("MAPPING_INACTIVE", [])
    assert leg.sentence.startswith("Suspended: the market's rules are not worded as they were")


def test_what_is_held_is_sold_through_a_suspended_mapping(desk: Desk, market: Instrument) -> None:
    policy_id = sell("P-1", 500)
    hedge(desk)
    held = shares_there(desk, market)
    assert held > 0
    desk.exchange.post("market", slug=SLUG, description='It resolves to "Yes" if we say so.')
    assert watched().state == "suspended"

    policy_cancel(policy_id, reason="the holder left", actor="tester", now=utc_now())
    cycle()
    settle()

    assert shares_there(desk, market) == 0
