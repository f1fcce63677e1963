"""Where our account may only close, nothing is opened; closing still goes; and it lifts by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hedging.models import Breaker, Order
from hedging.services.breakers import breaker_trip, venue_pause, venues_resume_due
from hedging.services.executor import intent_place
from hedging.services.standings import account_watch
from tests.desk import Desk
from tests.trading import VENUE, decide, settle
from tonsurance.kernel.clock import utc_now
from venues.domain.gateway import Side
from venues.models import Instrument

pytestmark = pytest.mark.django_db(transaction=True)


def breaker() -> Breaker:
    return Breaker.objects.get(scope=f"venue:{VENUE}")


def close_only(desk: Desk, *, on: bool = True) -> None:
    desk.exchange.post("account", address=desk.address, standing="closed_only" if on else "open")


def test_opening_is_refused_by_us_and_closing_goes(desk: Desk, market: Instrument) -> None:
    decide(market, size="1000", usd="40")
    settle()
    close_only(desk)
    account_watch(VENUE, now=utc_now())

    opening = decide(market, size="1000", usd="40")
    assert intent_place(opening.pk, now=utc_now()).word == "gated"
    assert Order.objects.filter(intent=opening, attempts__gt=0).count() == 0
    opening.state, opening.finished_at = "ABANDONED", utc_now()
    opening.save()
    closing = decide(market, side=Side.SELL, size="1000", usd="20", price="0.020")
    settle()

    assert Order.objects.get(intent=closing).filled_size == 1000
    assert breaker().reason.startswith("account: the venue lets the account only close positions")


def test_it_lifts_when_the_venue_says_so(desk: Desk, market: Instrument) -> None:
    close_only(desk)
    account_watch(VENUE, now=utc_now())
    assert (breaker().state, breaker().effect) == ("OPEN", "REDUCE_ONLY")

    close_only(desk, on=False)
    account_watch(VENUE, now=utc_now())

    assert breaker().state == "CLOSED"


def test_a_pause_that_ends_does_not_open_what_the_account_keeps_shut(desk: Desk, market: Instrument) -> None:
    from hedging.domain.pauses import Pause

    close_only(desk)
    account_watch(VENUE, now=utc_now())
    now = utc_now()
    venue_pause(VENUE, kind=Pause.RESTART, reason="restarting", until=now + timedelta(seconds=1), now=now)
    assert breaker().effect == "HALT"

    venues_resume_due(now=now + timedelta(seconds=2))

    assert (breaker().state, breaker().effect) == ("OPEN", "REDUCE_ONLY")
    assert breaker().reason.startswith("account: ")


def test_what_a_person_stopped_stays_stopped(desk: Desk, market: Instrument) -> None:
    breaker_trip(f"venue:{VENUE}", reason="lunch", actor="officer", now=utc_now())
    close_only(desk)
    account_watch(VENUE, now=utc_now())
    close_only(desk, on=False)
    account_watch(VENUE, now=utc_now())

    assert (breaker().state, breaker().effect, breaker().reason) == ("OPEN", "HALT", "lunch")
