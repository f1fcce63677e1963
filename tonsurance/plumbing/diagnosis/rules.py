"""Whether every trigger, function and constraint of the migrations stands in the database, as it was written.

The rules that money depends on are in the database; one that was dropped or switched off by hand during a repair is
not missed by any program until it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from django.apps import apps
from django.db import connection
from django.db.migrations import RunSQL
from django.db.migrations.executor import MigrationExecutor

from tonsurance.kernel.findings import Finding, fault, ok

OWN_APPS = ("plumbing", "policies", "venues", "hedging")
_TRIGGER = re.compile(
    r"(?P<verb>CREATE|DROP)(?: OR REPLACE)?(?: CONSTRAINT)? TRIGGER (?:IF EXISTS )?(?P<name>\w+)"
    r"\s[^;]*?\bON (?P<table>\w+)"
)
_FUNCTION = re.compile(
    r"CREATE(?: OR REPLACE)? FUNCTION (?P<name>\w+)\s*\([^)]*\).*?AS (?P<mark>\$\w*\$)(?P<body>.*?)(?P=mark)"
    r"|DROP FUNCTION (?:IF EXISTS )?(?P<dropped>[^;]*)",
    re.DOTALL,
)


def rules_ask(*, now: datetime) -> list[Finding]:
    """Compare what the migrations made with what is there."""
    texts = list(_forward_sql())
    return [_triggers(texts), _functions(texts), _constraints()]


def _forward_sql() -> Iterator[str]:
    """Every statement that the migrations of our apps run by hand, in their order, without comments."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    for migration, _ in plan:
        for operation in migration.operations if migration.app_label in OWN_APPS else ():
            if isinstance(operation, RunSQL):
                parts = [operation.sql] if isinstance(operation.sql, str) else list(operation.sql)
                for part in parts:
                    text = part if isinstance(part, str) else part[0]
                    yield re.sub(r"--[^\n]*", "", text)


def _triggers(texts: list[str]) -> Finding:
    tables = {model._meta.db_table for label in OWN_APPS for model in apps.get_app_config(label).get_models()}
    wanted: set[tuple[str, str]] = set()
    for match in (match for text in texts for match in _TRIGGER.finditer(text)):
        change = wanted.add if match["verb"] == "CREATE" else wanted.discard
        change((match["table"], match["name"]))
    wanted = {(table, name) for table, name in wanted if table in tables}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        )
        standing = set(cursor.fetchall())
    missing = sorted(f"{name} on {table}" for table, name in wanted - standing)
    return _judge("triggers", missing, count=len(wanted), thing="triggers", verb="missing or switched off")


def _functions(texts: list[str]) -> Finding:
    wanted: dict[str, str] = {}
    for match in (match for text in texts for match in _FUNCTION.finditer(text)):
        if match["dropped"] is None:
            wanted[match["name"]] = _bare(match["body"])
        for name in re.findall(r"\w+", match["dropped"] or ""):
            wanted.pop(name, None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, prosrc FROM pg_proc WHERE proname = ANY(%s)", [list(wanted)])
        standing = {(name, _bare(body)) for name, body in cursor.fetchall()}
    changed = sorted(name for name, body in wanted.items() if (name, body) not in standing)
    return _judge("functions", changed, count=len(wanted), thing="functions", verb="missing or rewritten")


def _constraints() -> Finding:
    wanted = {
        constraint.name
        for label in OWN_APPS
        for model in apps.get_app_config(label).get_models()
        if model._meta.managed
        for constraint in model._meta.constraints
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE convalidated"
            " UNION SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE i.indisvalid"
        )
        standing = {name for (name,) in cursor.fetchall()}
    return _judge(
        "constraints",
        sorted(wanted - standing),
        count=len(wanted),
        thing="constraints",
        verb="missing or not valid",
    )


def _bare(body: str) -> str:
    """A function's body without comments and layout."""
    return " ".join(re.sub(r"--[^\n]*", "", body).split())


def _judge(code: str, wrong: list[str], *, count: int, thing: str, verb: str) -> Finding:
    if not wrong:
        return ok(code, f"All {count} {thing} of the migrations stand")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return fault(
        code,
        f"{len(wrong)} of {count} {thing} are {verb}: {', '.join(wrong[:3])}{more}",
        remedy="Stop trading, then put them back from the migrations' SQL; find out who removed them",
        runbook="rules-missing",
    )
