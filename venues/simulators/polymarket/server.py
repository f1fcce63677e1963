"""How the practice exchange runs as a process: one port, one line when it is up, a clean end on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from venues.simulators.polymarket.app import create_app
from venues.simulators.polymarket.budgets import MODES
from venues.simulators.polymarket.config import Config, ProductionRefused, amoy
from venues.simulators.polymarket.recordings import RecordingRefused

SHUTDOWN_SECONDS = 1.0
logger = logging.getLogger("practice-exchange")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `simulate polymarket` to a parser."""
    defaults = Config()
    parser.add_argument("--host", default=defaults.host, help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--state", type=Path, help="SQLite file that survives a restart")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="markets and books follow from it")
    parser.add_argument("--port-file", type=Path, help="file to write the port to, once listening")
    parser.add_argument("--chain-id", type=int, default=defaults.chain_id)
    parser.add_argument("--exchange", default=defaults.standard_exchange, help="standard exchange contract")
    parser.add_argument("--neg-risk-exchange", default=defaults.neg_risk_exchange)
    parser.add_argument(
        "--amoy",
        action="store_true",
        help="the test network's chain and contracts, for clients that know no others",
    )
    parser.add_argument("--mined-seconds", type=float, default=defaults.mined_seconds)
    parser.add_argument("--confirmed-seconds", type=float, default=defaults.confirmed_seconds)
    parser.add_argument(
        "--limits", choices=MODES, default=defaults.limits, help="rate limits: refuse, only warn, or none"
    )
    parser.add_argument("--clock-skew", type=float, default=defaults.clock_skew_seconds, metavar="SECONDS")
    _add_play_arguments(parser)
    parser.add_argument(
        "--replenish", type=float, default=0.0, metavar="SECONDS", help="books refill a tenth each; 0: never"
    )


def _add_play_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--play", type=Path, metavar="FILE", help="recording of market frames to play")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast as it was recorded")
    parser.add_argument("--play-as", default="", metavar="SLUG", help="market for assets of unknown id")


def config_of(options: argparse.Namespace) -> Config:
    """Return the configuration the options ask for; ProductionRefused when they name the real venue."""
    chosen: dict[str, Any] = {
        "host": options.host,
        "port": options.port,
        "state": options.state,
        "seed": options.seed,
        "port_file": options.port_file,
        "mined_seconds": options.mined_seconds,
        "confirmed_seconds": options.confirmed_seconds,
        "clock_skew_seconds": options.clock_skew,
        "replenish_seconds": options.replenish,
    }
    chosen |= {
        "limits": options.limits,
        "play": options.play,
        "play_speed": options.speed,
        "play_as": options.play_as,
    }
    if options.amoy:
        return amoy(**chosen)
    return Config(
        chain_id=options.chain_id,
        standard_exchange=options.exchange,
        neg_risk_exchange=options.neg_risk_exchange,
        **chosen,
    )


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(create_app(config), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.host, config.port)
        await site.start()
        port = runner.addresses[0][1]
        address = f"http://{config.host}:{port}"
        logger.info("Polymarket practice exchange on %s (chain %s)", address, config.chain_id)
        if config.port_file is not None:
            _write_port(config.port_file, port)
        await stop.wait()
    finally:
        await runner.cleanup()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the practice exchange from a command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="simulate polymarket", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run with parsed options; 2 and a sentence when they name something of the real venue."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        config = config_of(options)
    except ProductionRefused as refused:
        sys.stderr.write(f"refused: {refused}\n")
        return 2
    try:
        asyncio.run(serve(config))
    except RecordingRefused as refused:
        sys.stderr.write(f"refused: {refused}\n")
        return 2
    return 0


def _write_port(path: Path, port: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(f"{port}\n", encoding="ascii")
    draft.replace(path)
