"""`manage.py stream_markets`: keeps the books of what we trade current, from the venues' own streams."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.module_loading import import_string

from tonsurance.plumbing.bells import ring
from venues.services.streaming import Streaming


class Command(BaseCommand):
    help = "Stream the books of mapped and held instruments into PostgreSQL. Reads only. Stops on SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--user",
            action="store_true",
            help="Hear of our own orders too, and look them up at once. Needs the API key, not the private one.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        streaming = Streaming(
            wanted=import_string(settings.STREAMED_INSTRUMENTS),
            on_move=lambda: ring("hedging.watch_prices"),
            on_order=_order_heard if options["user"] else None,
        )
        asyncio.run(_until_told(streaming))


def _order_heard(venue_code: str, order_name: str) -> None:
    ring("hedging.hear", venue_code, order_name, queue=f"resolve.{venue_code}")


async def _until_told(streaming: Streaming) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, streaming.stop)
    await streaming.run()
