"""Resolved markets are redeemed by an order of its own kind: a transaction, at a payout that may be zero."""

from pathlib import Path

from django.db import migrations, models

RULES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

UNDO = """
DELETE FROM hedging_order_transition WHERE old = 'PREPARED' AND new = 'ACKED';
DROP FUNCTION IF EXISTS hedging_order_adopted, hedging_fill_priced CASCADE;
"""


def _replace(model: str, name: str, condition: models.Q) -> list:
    """The constraint `name` with another condition."""
    return [
        migrations.RemoveConstraint(model_name=model, name=name),
        migrations.AddConstraint(
            model_name=model, constraint=models.CheckConstraint(condition=condition, name=name)
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("hedging", "0005_resting_orders"),
    ]

    operations = [
        migrations.AlterField(
            model_name="intent",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("open", "Open a hedge"),
                    ("close", "Close a hedge"),
                    ("redeem", "Redeem at the payout"),
                ],
                max_length=10,
            ),
        ),
        *_replace(
            "intent",
            "intent_notional_positive",
            models.Q(
                ("notional_usd__gt", 0), models.Q(("notional_usd", 0), ("purpose", "redeem")), _connector="OR"
            ),
        ),
        *_replace(
            "intent",
            "intent_price_positive",
            models.Q(
                ("price_limit__gt", 0), models.Q(("price_limit", 0), ("purpose", "redeem")), _connector="OR"
            ),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("price_limit__lte", 1),
                        ("purpose", "redeem"),
                        ("side", "SELL"),
                        ("time_in_force", "TX"),
                    ),
                    models.Q(
                        models.Q(("purpose", "redeem"), _negated=True),
                        models.Q(("time_in_force", "TX"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="intent_redeems_by_transaction",
            ),
        ),
        *_replace(
            "order",
            "order_notional_positive",
            models.Q(
                ("notional_usd__gt", 0),
                models.Q(("notional_usd", 0), ("time_in_force", "TX")),
                _connector="OR",
            ),
        ),
        *_replace(
            "order",
            "order_sent_has_attempt",
            models.Q(
                ("state__in", ["PREPARED", "ABORTED", "MANUAL", "FILLED", "CANCELLED"]),
                ("attempts__gte", 1),
                models.Q(("client_order_id__startswith", "adopted:"), ("state", "ACKED")),
                _connector="OR",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("client_order_id__startswith", "adopted:"), _negated=True),
                    ("state__in", ["PREPARED", "SENDING", "UNKNOWN", "ACKED", "PARTIAL"]),
                    ("time_in_force", "TX"),
                ),
                fields=("venue",),
                name="order_one_transaction_in_flight",
            ),
        ),
        *_replace("fill", "fill_price_positive", models.Q(("price__gte", 0))),
        migrations.RunSQL(sql=RULES, reverse_sql=UNDO),
    ]
