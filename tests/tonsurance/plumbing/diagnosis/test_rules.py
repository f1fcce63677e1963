"""A rule that somebody took out of the database by hand is missed by the doctor, not by an order."""

from __future__ import annotations

import pytest
from django.db import connection

from tonsurance.kernel.clock import utc_now
from tonsurance.kernel.findings import Finding
from tonsurance.plumbing.diagnosis.rules import rules_ask

pytestmark = pytest.mark.django_db


def asked() -> dict[str, Finding]:
    return {found.code: found for found in rules_ask(now=utc_now())}


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_migrated_database_has_every_rule() -> None:
    found = asked()
    assert {code: finding.level.value for code, finding in found.items()} == {
        "triggers": "ok",
        "functions": "ok",
        "constraints": "ok",
    }
    # Each count is of rules that the migrations really make: the send gate alone has several.
    assert all(int(finding.sentence.split()[1]) >= 20 for finding in found.values())


def test_a_dropped_trigger_is_named() -> None:
    sql("DROP TRIGGER a_send_gate ON hedging_order")
    found = asked()["triggers"]
    assert found.level.value == "fault"
    assert found.sentence.endswith("triggers are missing or switched off: a_send_gate on hedging_order")
    assert found.runbook == "rules-missing"


def test_a_trigger_that_is_switched_off_is_named() -> None:
    sql("ALTER TABLE hedging_order DISABLE TRIGGER order_move")
    assert "order_move on hedging_order" in asked()["triggers"].sentence


def test_a_trigger_of_the_policies_is_missed_too() -> None:
    sql("DROP TRIGGER policy_never_deleted ON policies_policy")
    assert asked()["triggers"].sentence.endswith("policy_never_deleted on policies_policy")


def test_a_rewritten_function_is_named() -> None:
    sql(
        "CREATE OR REPLACE FUNCTION hedging_never_deleted() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN OLD; END'"
    )
    found = asked()["functions"]
    assert found.level.value == "fault"
    assert found.sentence.endswith("functions are missing or rewritten: hedging_never_deleted")


def test_a_dropped_constraint_is_named() -> None:
    sql("ALTER TABLE hedging_order DROP CONSTRAINT order_not_overfilled")
    sql("DROP INDEX order_one_live_per_intent")
    found = asked()["constraints"]
    assert found.level.value == "fault"
    assert found.sentence.endswith("missing or not valid: order_not_overfilled, order_one_live_per_intent")
