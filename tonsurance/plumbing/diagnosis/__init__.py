"""The checks of the foundations: settings, database, clock, broker, queues, beat, rate budgets."""

from __future__ import annotations

from tonsurance.plumbing.checkups import DATABASE, Check
from tonsurance.plumbing.diagnosis.beat import jobs_ask
from tonsurance.plumbing.diagnosis.broker import broker_ask, queues_ask
from tonsurance.plumbing.diagnosis.clock import clock_ask
from tonsurance.plumbing.diagnosis.database import (
    connections_ask,
    database_ask,
    disk_ask,
    migrations_ask,
    transactions_ask,
)
from tonsurance.plumbing.diagnosis.environment import environment_ask
from tonsurance.plumbing.diagnosis.rates import rates_ask
from tonsurance.plumbing.diagnosis.rules import rules_ask

CHECKS = (
    Check(name="settings", group="Settings", ask=environment_ask, needs_database=False),
    Check(name=DATABASE, group="Database", ask=database_ask),
    Check(name="migrations", group="Database", ask=migrations_ask),
    Check(name="rules", group="Database", ask=rules_ask),
    Check(name="connections", group="Database", ask=connections_ask),
    Check(name="transactions", group="Database", ask=transactions_ask),
    Check(name="disk", group="Database", ask=disk_ask),
    Check(name="clock", group="Clock", ask=clock_ask),
    Check(name="broker", group="Workers", ask=broker_ask, needs_database=False),
    Check(name="queues", group="Workers", ask=queues_ask, needs_database=False, wait_s=8),
    Check(name="beat", group="Workers", ask=jobs_ask),
    Check(name="rates", group="Workers", ask=rates_ask),
)
