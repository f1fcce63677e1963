"""The private channel says which of our orders to look at, and nothing else is believed of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest
from django.conf import settings

from hedging.models import Order
from hedging.tasks import hear
from tests.desk import Desk
from tests.trading import ASKS, BIDS, SETTINGS, SLUG, VENUE, configure, decide, map_market, place
from tonsurance.kernel.errors import Refused
from venues.adapters.polymarket.stream_config import user_stream_config_from
from venues.adapters.polymarket.user_stream import UserStream, orders_of

pytestmark = pytest.mark.django_db(transaction=True)

WAIT_S = 15.0


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (b'{"event_type":"order","id":"0x1","type":"PLACEMENT"}', ["0x1"]),
        (
            b'{"event_type":"trade","id":"t","taker_order_id":"0x1","maker_orders":[{"order_id":"0x2"}]}',
            ["0x1", "0x2"],
        ),
        (b'{"event_type":"trade","id":"t","taker_order_id":"0x1","maker_orders":null}', ["0x1"]),
        (b'[{"event_type":"order","id":"0x1"},{"event_type":"order","id":"0x1"}]', ["0x1"]),
        (b'{"event_type":"something new","id":"0x1"}', []),
    ],
)
def test_the_orders_that_a_frame_is_about(frame, names):
    assert orders_of(frame) == names


def test_what_is_no_event_is_no_hint():
    with pytest.raises(msgspec.MsgspecError):
        orders_of(b'{"id":5}')


def listen(story: Callable[[], None], *, done: Callable[[set[str]], bool]) -> UserStream:
    """Run a story beside a stream until enough was heard."""
    heard: set[str] = set()
    stream = UserStream(
        user_stream_config_from(settings.POLYMARKET), name="polymarket-user", on_order=heard.add
    )

    async def run() -> None:
        task = asyncio.create_task(stream.run())
        deadline = time.monotonic() + WAIT_S
        while stream.health().connected_since is None:
            assert time.monotonic() < deadline, stream.health()
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        await asyncio.to_thread(story)
        while not done(heard):
            assert time.monotonic() < deadline, (heard, stream.health())
            await asyncio.sleep(0.02)
        stream.stop()
        await asyncio.wait_for(task, 5)

    asyncio.run(run())
    return stream


def test_an_order_of_ours_is_heard_of_and_looked_up(desk: Desk):
    desk.book(SLUG, bids=BIDS, asks=ASKS)
    configure(**SETTINGS)
    intent = decide(map_market(desk).instrument)
    placed: list[Order] = []

    def story() -> None:
        from django.db import connection

        placed.append(place(intent))
        connection.close()

    stream = listen(story, done=lambda heard: bool(placed) and placed[0].client_order_id in heard)
    assert stream.health().messages >= 1
    order = placed[0]
    assert hear(VENUE, order.client_order_id) in ("filled", "finished")
    assert Order.objects.get(pk=order.pk).state == "FILLED"
    assert hear(VENUE, "0x" + "00" * 32) == "not an order of ours"


def test_wrong_credentials_are_not_tried_every_second(desk: Desk):
    wrong = dict(settings.POLYMARKET) | {"passphrase": "wrong"}
    stream = UserStream(user_stream_config_from(wrong), name="polymarket-user", on_order=lambda _name: None)

    async def run() -> None:
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(3)
        stream.stop()
        await asyncio.wait_for(task, 5)

    asyncio.run(run())
    health = stream.health()
    assert "are the API key, secret and passphrase right?" in health.error
    assert 1 <= health.reconnects <= 4


def test_missing_credentials_are_refused_with_the_remedy(desk: Desk):
    with pytest.raises(Refused, match="POLYMARKET_SECRET: is missing"):
        user_stream_config_from(dict(settings.POLYMARKET) | {"secret": ""})


def test_credentials_are_in_no_words_of_ours(desk: Desk):
    config = user_stream_config_from(settings.POLYMARKET)
    for word in (config.api_key, config.secret, config.passphrase):
        assert word not in repr(config)
