"""`manage.py stream_markets`: keeps the books of what we trade current, from the venues' own streams."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from tonsurance.plumbing.bells import ring
from venues.services.streaming import Streaming


class Command(BaseCommand):
    help = (
        "Stream the books of mapped and held instruments into PostgreSQL. Reads only; needs no key. "
        "Stops on SIGTERM."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        streaming = Streaming(
            wanted=import_string(settings.STREAMED_INSTRUMENTS),
            on_move=lambda: ring("hedging.watch_prices"),
        )
        asyncio.run(_until_told(streaming))


async def _until_told(streaming: Streaming) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, streaming.stop)
    await streaming.run()
