"""No migration drops or loosens a rule of the database unseen: the rules are compared with `schema_rules.golden.txt`.

After a change that is meant, write the file anew and read its difference before committing it:
`REFRESH_GOLDEN=1 python3 manage.py test tests/house/test_schema_rules.py`
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.db import connection

from tests.house.schema_rules import schema_rules

GOLDEN = Path(__file__).with_name("schema_rules.golden.txt")
REMEDY = "if this is meant: REFRESH_GOLDEN=1 python3 manage.py test tests/house/test_schema_rules.py"

pytestmark = pytest.mark.django_db


def test_the_rules_of_the_database_are_the_golden_ones() -> None:
    found = schema_rules()
    if os.environ.get("REFRESH_GOLDEN"):
        GOLDEN.write_text("\n".join(found) + "\n", encoding="utf-8")
    golden = GOLDEN.read_text(encoding="utf-8").splitlines()
    lost, new = sorted(set(golden) - set(found)), sorted(set(found) - set(golden))
    assert (lost, new) == ([], []), REMEDY


def test_a_dropped_constraint_a_disabled_trigger_and_a_rewritten_function_are_seen() -> None:
    before = schema_rules()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE hedging_order DROP CONSTRAINT order_not_overfilled")
        cursor.execute("ALTER TABLE hedging_order DISABLE TRIGGER a_send_gate")
        cursor.execute("DROP INDEX order_one_live_per_intent")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION hedging_append_only() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'"
        )
    lost = [line.split(":")[0] for line in before if line not in set(schema_rules())]
    assert lost == [
        "constraint hedging_order order_not_overfilled",
        "function hedging_append_only()",
        "index hedging_order order_one_live_per_intent",
        "trigger hedging_order a_send_gate",
    ]
