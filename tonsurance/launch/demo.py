"""Says what `manage.py demo` does: the whole back office on this machine, from nothing to a settled hedge.

Everything it starts is real (PostgreSQL, Valkey, Celery, the engine, an exchange over HTTP); only the money is not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from rich.console import Console

from tonsurance.launch.commands import CommandRoom
from tonsurance.launch.demo_database import Remark, database_ensure, remark_write
from tonsurance.launch.demo_environment import NO_CREDENTIALS, DemoEnvironment, demo_environment
from tonsurance.launch.demo_processes import STAGE as PRODUCT_STAGE
from tonsurance.launch.demo_processes import product_start, web_wait
from tonsurance.launch.failure import LaunchFailed
from tonsurance.launch.interrupts import interrupts_ignored, signals_interrupt
from tonsurance.launch.keeper import Keeper, environment_of_children
from tonsurance.launch.leftovers import leftovers_stop, the_only_one
from tonsurance.launch.paths import ROOT, VAR, UnsafeDirectory
from tonsurance.launch.ports import port_chosen, port_is_free
from tonsurance.launch.practice import PracticeExchange, practice_exchange_start
from tonsurance.launch.progress import Steps
from tonsurance.launch.servers import Servers, servers_choose

POLICIES = 5000
POLICIES_MAX = 2_000_000
EXCHANGE_SEED = 1
WALLET_PUSD = "1000000"
CYCLE_S_MAX = 120
WATCH_S = 1.0
WEB_PORT = 8000

HOME = VAR / "demo"
EXCHANGE_HOME = VAR / "exchange"
LOGS = VAR / "logs"


def run_demo(arguments: list[str]) -> int:
    """Run the demo; return the exit code: 0 when it worked, 1 when anything did not, 130 when interrupted early."""
    options = _options(arguments)
    console = Console(highlight=False, markup=True, soft_wrap=True)
    try:
        with signals_interrupt(), the_only_one(VAR / "demo.lock") as lock:
            leftovers_stop(ROOT)
            keeper = Keeper(keep_open=[lock])
            try:
                Demo(options, console, keeper).run()
            finally:
                with interrupts_ignored():
                    keeper.stop()
                    leftovers_stop(ROOT)
    except (LaunchFailed, UnsafeDirectory) as failure:
        console.print(f"demo: {failure}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class Demo:
    """One run of the demo, step by step."""

    def __init__(self, options: argparse.Namespace, console: Console, keeper: Keeper) -> None:
        self.options = options
        self.console = console
        self.keeper = keeper

    def run(self) -> None:
        """Start, fill, hedge, check; then serve until Ctrl-C, unless it was asked to do it once."""
        self.console.print("[bold]Tonsurance[/bold]: the back office on this machine, with an invented book")
        with Steps(self.console) as steps:
            servers, exchange, environment = self._foundations(steps)
            remark = database_ensure(servers.database_url, ours=servers.postgres is not None)
            wanted = self._book_wanted(remark)
            if not remark.policies:
                # A new book has no orders anywhere: what an earlier book left at the exchange is not its own.
                exchange.post("reset", seed=EXCHANGE_SEED)
                environment = environment.with_variables(NO_CREDENTIALS)
            room, environment = self._tables(steps, exchange, environment)
            port = port_chosen(asked=self.options.port, first=WEB_PORT)
            workers = room.workers()
            product_start(
                self.keeper, workers=workers, port=port, environment=environment.for_children(), logs=LOGS
            )
            with steps.step("Seeding products, venues, mappings and a login"):
                room.run("seed_demo", "--credentials-file", str(HOME / "credentials.json"))
            if not remark.policies:
                self._book_import(steps, room, wanted)
                remark_write(servers.database_url, Remark(policies=wanted))
            if not remark.is_hedged:
                self._hedge(steps, room)
            report = self._compare(steps, room)
            remark_write(servers.database_url, Remark(policies=wanted, is_hedged=True))
            with steps.step("Opening the back office") as told:
                address = web_wait(self.keeper, port=port)
                told.append(address)
            room.close()
            elapsed_s = steps.elapsed_s()
        self.console.print(f"\n{report.rstrip()}\n", markup=False)
        self.console.print(f"Everything is up after {elapsed_s:.0f} s.")
        if not self.options.once:
            self._serve(address)

    def _foundations(self, steps: Steps) -> tuple[Servers, PracticeExchange, DemoEnvironment]:
        """PostgreSQL, Valkey and the practice exchange, all at once."""
        with steps.step("Starting PostgreSQL, Valkey and the practice exchange") as told:
            servers = servers_choose(self.keeper, home=VAR, environ=environment_of_children(), durable=True)
            shutil.rmtree(LOGS, ignore_errors=True)
            if self.options.fresh:
                servers.wipe()
                for folder in (HOME, EXCHANGE_HOME):
                    shutil.rmtree(folder, ignore_errors=True)
            environment = demo_environment(HOME / "env")
            with ThreadPoolExecutor(max_workers=1) as pool:
                starting = pool.submit(servers.start, self.keeper)
                exchange = self._exchange_start(environment)
                starting.result()
            environment = environment.with_variables({**servers.environment(), **exchange.environment()})
            told.append(f"{servers.words()}, exchange at {exchange.base_url}")
        return servers, exchange, environment

    def _exchange_start(self, environment: DemoEnvironment) -> PracticeExchange:
        """At the port of the last run where that is free, so that addresses somebody noted stay right."""
        last = urlsplit(environment.variables.get("POLYMARKET_CLOB_API_URL", "")).port or 0
        return practice_exchange_start(
            self.keeper,
            home=EXCHANGE_HOME,
            log=LOGS / "exchange.log",
            environment=environment.for_children(),
            port=self.options.exchange_port or (last if port_is_free(last) else 0),
        )

    def _book_wanted(self, remark: Remark) -> int:
        asked: int | None = self.options.policies
        if remark.policies and asked not in (None, remark.policies):
            raise LaunchFailed(
                f"this demo's book has {remark.policies:,} policies already; "
                f"add --fresh to start again with {asked:,}"
            )
        return remark.policies or asked or POLICIES

    def _tables(
        self, steps: Steps, exchange: PracticeExchange, environment: DemoEnvironment
    ) -> tuple[CommandRoom, DemoEnvironment]:
        """Migrate; at the first run also open an account at the exchange, whose key later processes need."""
        room = CommandRoom(
            self.keeper,
            environment=environment.for_children(),
            log=LOGS / "commands.log",
            stage=PRODUCT_STAGE,
        )
        with steps.step("Bringing the tables up to date"):
            room.run("migrate", "--verbosity", "0")
        if not environment.has_credentials:
            with steps.step("Opening an account at the exchange"):
                exchange.post("fund", address=environment.signer, pusd=WALLET_PUSD)
                lines = room.run("venue_credentials", "polymarket").splitlines()
                credentials = dict(line.split("=", 1) for line in lines if "=" in line)
                environment = environment.with_variables(credentials)
                room.learn(credentials)
        return room, environment

    def _book_import(self, steps: Steps, room: CommandRoom, policies: int) -> None:
        book = HOME / "sample-book.csv"
        with steps.step(f"Selling {policies:,} policies"):
            room.run("make_sample_book", "--policies", str(policies), "--output", str(book))
            room.run("import_policies", str(book))

    def _hedge(self, steps: Steps, room: CommandRoom) -> None:
        """One hedge cycle through the queues, until the exchange has settled its last trade."""
        with steps.step("Hedging through the queues"):
            wait = str(CYCLE_S_MAX)
            room.run("hedge_orchestrator", "--via-queue", "--wait", wait, seconds_max=CYCLE_S_MAX + 60)

    def _compare(self, steps: Steps, room: CommandRoom) -> str:
        """The report; then our book must agree with itself and with the exchange's."""
        with steps.step("Comparing our book with itself and with the exchange") as told:
            report = room.run("hedge_report")
            room.run("verify")
            told.append(room.run("reconcile", "polymarket").strip())
        return report

    def _serve(self, address: str) -> None:
        """Tell how to get in, and stay until Ctrl-C; a process that ends by itself ends the demo."""
        credentials = json.loads((HOME / "credentials.json").read_text())
        for name, value in (
            ("back office", f"{address}/admin/"),
            ("login", f"{credentials['login']} / {credentials['password']}"),
            ("API", f"{address}/api/docs/"),
            ("API key", f"{credentials['api_key']}   (header: Authorization: Token <key>)"),
            ("second terminal", "TONSURANCE_ENV_FILE=var/demo/env .venv/bin/python manage.py hedge_report"),
        ):
            self.console.print(f"  {name:16} {value}", markup=False)
        self.console.print("Ctrl-C stops everything; the data stays in var/ for the next time.")
        try:
            while True:
                self.keeper.check_alive()
                time.sleep(WATCH_S)
        except KeyboardInterrupt:
            self.console.print("\nStopping.")


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py demo", description="The back office on this machine.")
    parser.add_argument(
        "--once", action="store_true", help="stop after the report; exit 1 if anything did not work"
    )
    parser.add_argument(
        "--policies", type=int, metavar="N", help=f"size of the invented book (default {POLICIES:,})"
    )
    parser.add_argument(
        "--port", type=int, default=0, help=f"of the web server (default: free, from {WEB_PORT})"
    )
    parser.add_argument(
        "--exchange-port", type=int, default=0, help="of the practice exchange (default: a free one)"
    )
    parser.add_argument("--fresh", action="store_true", help="forget the last demo's data first")
    options = parser.parse_args(arguments)
    if options.policies is not None and not 1 <= options.policies <= POLICIES_MAX:
        parser.error(f"--policies must lie between 1 and {POLICIES_MAX:,}")
    return options
