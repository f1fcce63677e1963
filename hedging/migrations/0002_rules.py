"""Triggers: the state machine, the send gate, frozen bytes, fills counted once, history that only grows."""

from pathlib import Path

from django.db import migrations

RULES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

UNDO = """
DROP TABLE IF EXISTS hedging_order_transition, hedging_settlement_transition;
DROP FUNCTION IF EXISTS hedging_order_birth, hedging_order_move, hedging_order_remember, hedging_send_gate,
  hedging_attempt_guard, hedging_attempt_frozen, hedging_send_on_record, hedging_fill_birth, hedging_fill_apply,
  hedging_fill_move, hedging_intent_move, hedging_intent_announce, hedging_breaker_move, hedging_breaker_birth,
  hedging_hedgeposition_move, hedging_append_only, hedging_never_deleted, hedging_beyond_intent,
  hedging_need_read_committed CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("hedging", "0001_initial")]

    operations = [migrations.RunSQL(sql=RULES, reverse_sql=UNDO)]
