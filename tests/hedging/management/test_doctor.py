"""The doctor as a machine meets it: its own process, real servers that are well, dead, mute or wrong."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.desk import Desk
from tests.trading import ASKS, BIDS, SETTINGS, SLUG, configure, environment, hedge, map_market, sell
from tonsurance.kernel.clock import monotonic_s
from tonsurance.plumbing.checkups import GROUPS, checks_all

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[3]
DOCTOR = [sys.executable, "manage.py", "doctor"]


def doctor(told: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """One run of the command in a process of its own."""
    return subprocess.run(
        [*DOCTOR, *words], cwd=ROOT, env=told, capture_output=True, text=True, timeout=120, check=False
    )


def levels(answer: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Code -> level of all that a run with --json found."""
    told = json.loads(answer.stdout)
    return {found["code"]: found["level"] for check in told["checks"] for found in check["findings"]}


def skipped(answer: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {
        check["name"]: check["skipped"] for check in json.loads(answer.stdout)["checks"] if check["skipped"]
    }


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def traded(desk: Desk) -> Desk:
    """A desk that has hedged a sale."""
    desk.book(SLUG, bids=BIDS, asks=ASKS)
    configure(**SETTINGS)
    map_market(desk)
    sell("P-1", 100)
    hedge(desk)
    return desk


def test_every_check_answers_on_a_desk_that_traded_and_no_secret_is_printed(traded: Desk) -> None:
    told = environment(traded)
    answer = doctor(told, "--json")

    found = levels(answer)
    assert "check_failed" not in found, answer.stdout
    assert "check_too_slow" not in found, answer.stdout
    assert not skipped(answer)
    assert {check["name"] for check in json.loads(answer.stdout)["checks"]} == {c.name for c in checks_all()}
    # No worker, beat or engine runs beside a test: these are its faults, and so the exit code is 1.
    faults = {code for code, level in found.items() if level == "fault"}
    assert (
        {"engine", "queue_consumers"}
        <= faults
        <= {"engine", "queue_consumers", "beat_jobs", "reconciliation"}
    )
    assert answer.returncode == 1
    for name in (
        "POLYMARKET_PRIVATE_KEY",
        "POLYMARKET_SECRET",
        "POLYMARKET_PASSPHRASE",
        "POLYMARKET_API_KEY",
    ):
        assert told[name] not in answer.stdout + answer.stderr
    assert told["DJANGO_SECRET_KEY"] not in answer.stdout + answer.stderr
    assert told["ORDER_SALT_SECRET"] not in answer.stdout + answer.stderr


def test_a_run_for_people_is_grouped_and_says_what_to_do(traded: Desk) -> None:
    answer = doctor(environment(traded))
    lines = answer.stdout.splitlines()
    assert [line for line in lines if line in GROUPS] == list(GROUPS)
    at = next(number for number, line in enumerate(lines) if "No engine has ever looked" in line)
    assert lines[at].startswith("  fault    No engine has ever looked at this book")
    assert lines[at].endswith("[engine]")
    assert lines[at + 1].strip().startswith("manage.py run_engine")
    assert lines[at + 2].strip() == "docs/runbooks/engine-silent.md"
    assert " faults, " in lines[-1]


def test_it_exits_0_without_a_fault_and_2_when_it_cannot_run(traded: Desk) -> None:
    told = environment(traded)
    assert doctor(told, "--only", "limits", "breakers", "migrations").returncode == 0
    unknown = doctor(told, "--only", "everything")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "no check named everything; checks are settings, database" in unknown.stderr
    misspelt = doctor(told, "--onyl", "limits")
    assert misspelt.returncode == 2
    refused = doctor({**told, "TRADING_ENVIRONMENT": "REAL"})
    assert refused.returncode == 2
    assert refused.stderr == (
        "The settings cannot be read: TRADING_ENVIRONMENT=REAL: use PAPER, PRACTICE or LIVE\n"
    )


def test_with_the_database_dead_the_rest_still_answers(desk: Desk, free_port: int) -> None:
    told = environment(desk) | {"DATABASE_URL": f"postgres://tonsurance:pw-9f8e@127.0.0.1:{free_port}/x"}
    answer = doctor(told, "--json")
    found = levels(answer)
    assert answer.returncode == 1
    assert (found["database_unreachable"], found["broker_latency"]) == ("fault", "ok")
    assert (found["venue_reachable"], found["venue_credentials"]) == ("ok", "ok")
    assert skipped(answer)["limits"] == "the database does not answer"
    assert "pw-9f8e" not in answer.stdout + answer.stderr


def test_with_the_database_mute_it_ends_in_time(desk: Desk, mute_port: int) -> None:
    told = environment(desk) | {"DATABASE_URL": f"postgres://tonsurance@127.0.0.1:{mute_port}/x"}
    started = monotonic_s()
    answer = doctor(told, "--json", "--quick")
    assert monotonic_s() - started < 60
    assert answer.returncode == 1
    assert levels(answer)["check_too_slow"] == "fault"
    assert skipped(answer)["limits"] == "the database does not answer"


def test_with_the_broker_dead_the_rest_still_answers(traded: Desk, free_port: int) -> None:
    told = environment(traded) | {"REDIS_URL": f"redis://:pw-9f8e@127.0.0.1:{free_port}/0"}
    answer = doctor(told, "--json")
    found = levels(answer)
    assert answer.returncode == 1
    assert (found["broker_unreachable"], found["queue_consumers"]) == ("fault", "warning")
    assert (found["database_version"], found["limits"], found["venue_reachable"]) == ("ok", "ok", "ok")
    assert "pw-9f8e" not in answer.stdout + answer.stderr


def test_with_the_broker_and_the_venue_mute_it_ends_in_time(traded: Desk, mute_port: int) -> None:
    mute = f"http://127.0.0.1:{mute_port}"
    told = environment(traded) | {
        "REDIS_URL": f"redis://127.0.0.1:{mute_port}/0",
        "POLYMARKET_CLOB_API_URL": mute,
    }
    started = monotonic_s()
    answer = doctor(told, "--json")
    assert monotonic_s() - started < 100
    found = levels(answer)
    assert answer.returncode == 1
    assert found["limits"] == "ok"
    assert "fault" in {found.get("broker_unreachable"), found.get("check_too_slow")}


def test_quick_asks_no_venue_even_when_one_is_dead(traded: Desk, free_port: int) -> None:
    told = environment(traded) | {"POLYMARKET_CLOB_API_URL": f"http://127.0.0.1:{free_port}"}
    quick = doctor(told, "--json", "--quick", "--only", "polymarket.reach", "polymarket.settings", "limits")
    assert quick.returncode == 0
    assert skipped(quick) == {"polymarket.reach": "venues are not asked in a quick run"}
    full = doctor(told, "--json", "--only", "polymarket.reach")
    assert (full.returncode, levels(full)) == (1, {"venue_reachable": "fault"})


def test_a_missing_trigger_is_found_and_named(traded: Desk) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hedging_order DISABLE TRIGGER a_send_gate")
    try:
        answer = doctor(environment(traded), "--only", "rules")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE hedging_order ENABLE TRIGGER a_send_gate")
    assert answer.returncode == 1
    assert "triggers are missing or switched off: a_send_gate on hedging_order" in answer.stdout


def test_it_changes_nothing(traded: Desk) -> None:
    """No row of any table is written: PostgreSQL counts them, and every session of the checks is read-only."""

    def written() -> dict[str, tuple[int, ...]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
            cursor.execute("SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables")
            return {name: tuple(counts) for name, *counts in cursor.fetchall()}

    before, there = written(), traded.truth()["orders"]
    assert sum(sum(counts) for counts in before.values()) > 0
    answer = doctor(environment(traded), "--json")
    assert answer.returncode == 1
    assert written() == before
    assert traded.truth()["orders"] == there


def test_called_from_a_program_it_prints_to_the_stream_given(desk: Desk) -> None:
    out = StringIO()
    call_command("doctor", "--only", "limits", "--json", stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    assert (told["level"], [check["name"] for check in told["checks"]]) == ("ok", ["limits"])
    with pytest.raises(CommandError):
        call_command("doctor", "--only", "nonsense", stdout=out)
