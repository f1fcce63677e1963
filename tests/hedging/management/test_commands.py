"""The operators' commands: what they print, how they end, and what they leave."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from hedging.models import Cycle, HedgePosition, Intent, Order
from hedging.services.config import config_override
from tests.desk import Desk
from tests.trading import ASKS, BIDS, SETTINGS, SLUG, configure, hedge, map_market, orders_there, sell, settle
from venues.models import Instrument
from venues.registry import gateways_forget

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def market(desk: Desk) -> Instrument:
    """The USDC depeg market, mapped, with trading on."""
    desk.book(SLUG, bids=BIDS, asks=ASKS)
    configure(**SETTINGS)
    return map_market(desk).instrument


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Commands take signals and settings for their process; this process gets its own back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
    config_override({})


def run(*words: str) -> str:
    """What a command prints."""
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


# ------------------------------------------------------------------------------------------------- hedge_orchestrator
def test_one_cycle_decides_places_and_says_why(desk: Desk, market: Instrument) -> None:
    configure(venueShares={"polymarket": "0.4", "binance_futures": "0.4", "allianz": "0.2"})
    sell("P-1", 1_000)

    said = run("hedge_orchestrator", "--once").splitlines()

    cycle = Cycle.objects.get()
    assert said[0] == (
        f"cycle {cycle.pk} (Sends orders, PRACTICE): 1 products, $1,000.00 cover, $200.00 to hedge,"
        f" ${cycle.planned_usd:,.2f} planned"
    )
    assert said[1].startswith("  BUY 1000 of USDC depeg by December 31, 2027? · Yes at 0.04 = $40.00: Buys")
    assert said[2:] == ["  2 legs left unhedged: no gateway", "  acked: the venue has it: matched"]
    settle()
    assert (Order.objects.get().state, len(orders_there(desk))) == ("FILLED", 1)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)

    said = run("hedge_orchestrator", "--once", "--dry-run")

    assert "(Dry run, PRACTICE)" in said
    assert "BUY 1000 of" in said
    assert (Intent.objects.count(), orders_there(desk)) == (0, {})


def test_a_file_of_settings_holds_for_this_process_alone(
    desk: Desk, market: Instrument, tmp_path: Path
) -> None:
    sell("P-1", 1_000)
    file = tmp_path / "hedge.json"
    file.write_text(json.dumps({"priceMax": "0.03"}))

    run("hedge_orchestrator", "--once", "--config", str(file))

    assert Cycle.objects.get().config["priceMax"] == "0.03"
    assert Intent.objects.count() == 0
    config_override({})
    run("hedge_orchestrator", "--once")
    assert Intent.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "Expecting property name enclosed in double quotes"),
        ("[1]", "settings: give a JSON object of keys and values"),
        ('{"priceCap": 1}', "priceCap"),
        ('{"priceMax": 2}', "priceMax: give a number from 0.001 to 0.999, not 2"),
        ('{"enabled": "yes"}', "enabled: give true or false"),
        ('{"venueShares": {"polymarket": "0.5"}}', "venueShares: the shares must add up to 1"),
    ],
)
def test_a_bad_file_of_settings_is_refused_and_nothing_runs(
    desk: Desk, market: Instrument, tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "hedge.json"
    file.write_text(text)

    with pytest.raises(CommandError) as refusal:
        run("hedge_orchestrator", "--once", "--config", str(file))

    assert str(refusal.value).startswith(f"--config {file}: ")
    assert sentence in str(refusal.value)
    assert Cycle.objects.count() == 0


def test_a_file_of_settings_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"--config .*nowhere\.json: .*No such file"):
        run("hedge_orchestrator", "--once", "--config", str(tmp_path / "nowhere.json"))


def test_a_second_orchestrator_steps_back(desk: Desk, market: Instrument) -> None:
    from tonsurance.kernel.clock import utc_now

    Cycle.objects.create(cause="beat", mode="send", environment="PRACTICE", as_of=utc_now())

    assert run("hedge_orchestrator", "--once") == "another cycle is running; it will see the same book\n"


# ------------------------------------------------------------------------------------------------- run_engine
def test_the_engine_stops_after_its_ticks(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)

    assert run("run_engine", "--max-ticks", "2", "--interval", "0.05") == ""

    assert Cycle.objects.get().cause == "engine"
    settle()
    assert HedgePosition.objects.get().size == 1000


# ------------------------------------------------------------------------------------------------- verify, reconcile
def test_a_sound_book_verifies_and_reconciles(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    hedge(desk)

    assert run("verify") == "18 invariants hold\n"
    assert run("reconcile", "polymarket") == "1 orders, 1 fills, 1 positions compared: equal\n"


def test_a_broken_book_is_told_row_by_row_and_exits_1(desk: Desk, market: Instrument) -> None:
    sell("P-1", 1_000)
    hedge(desk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE hedging_position SET size = size + 7")
    out = StringIO()

    with pytest.raises(CommandError, match="1 violations of 18 invariants") as refusal:
        call_command("verify", stderr=out)
    assert refusal.value.returncode == 1
    assert out.getvalue().startswith(
        f"VIOLATED  a position's size equals confirmed purchases less confirmed sales: {market.pk}, 1007"
    )

    out = StringIO()
    with pytest.raises(CommandError, match="1 orders, 1 fills, 1 positions compared: 1 differences"):
        call_command("reconcile", "polymarket", stderr=out)
    assert (
        out.getvalue() == f"POSITION_DIFF  {market.instrument_id}: ours 1007.00000000; theirs 1000.000000\n"
    )


def test_a_venue_without_an_answer_is_not_called_equal(
    desk: Desk, market: Instrument, free_port: int
) -> None:
    nowhere = desk.polymarket() | {"clob_url": f"http://127.0.0.1:{free_port}/clob"}

    with override_settings(POLYMARKET=nowhere):
        gateways_forget()
        with pytest.raises(CommandError, match="polymarket gave no answer: fills: "):
            run("reconcile", "polymarket")
    gateways_forget()


def test_a_venue_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'kraken'"):
        run("reconcile", "kraken")
