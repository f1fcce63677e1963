"""Orders that rest and end by themselves; cancels on record; a venue's pauses by kind; a gate that adds up once."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


RULES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

_BEFORE = Path(__file__).with_name("0002_rules.sql").read_text(encoding="utf-8")
_GATE = _BEFORE[
    _BEFORE.index("CREATE FUNCTION hedging_send_gate") : _BEFORE.index("-- Triggers fire in the order")
]

UNDO = f"""
DROP FUNCTION IF EXISTS hedging_order_rests, hedging_order_rest_frozen, hedging_intent_rest_frozen,
  hedging_ordercancel_guard CASCADE;
DROP TRIGGER IF EXISTS never_deleted ON hedging_ordercancel;
{_GATE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")}
"""


class Migration(migrations.Migration):
    dependencies = [
        ("hedging", "0004_mappings"),
        ("policies", "0003_catalogue"),
        ("venues", "0002_resolution_status"),
    ]

    operations = [
        migrations.CreateModel(
            name="OrderCancel",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("requested_by", models.CharField(max_length=150)),
                ("reason", models.CharField(max_length=300)),
                ("requested_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "is_cancelled",
                    models.BooleanField(
                        help_text="The venue said so; empty when it did not answer.", null=True
                    ),
                ),
                (
                    "answer",
                    models.CharField(blank=True, default="", help_text="The venue's words.", max_length=300),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="breaker",
            name="breaker_effect_known",
        ),
        migrations.AddField(
            model_name="breaker",
            name="pause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("restart", "The venue's engine restarts"),
                    ("post_only", "Only resting orders and cancels"),
                    ("cancel_only", "Only cancels"),
                    ("disabled", "Trading is disabled"),
                    ("rate_limit", "Too many requests"),
                ],
                default="",
                help_text="What the venue said it does meanwhile.",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="cycletarget",
            name="leg",
            field=models.CharField(
                default="main", help_text="The lane: main takes, resting rests.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="intent",
            name="rest_until",
            field=models.DateTimeField(
                blank=True, help_text="A resting order of it ends by itself at this moment.", null=True
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="expires_at",
            field=models.DateTimeField(help_text="A resting order ends by itself at this moment.", null=True),
        ),
        migrations.AddField(
            model_name="order",
            name="post_only",
            field=models.BooleanField(
                default=False, help_text="The venue refuses it rather than let it take."
            ),
        ),
        migrations.AlterField(
            model_name="breaker",
            name="effect",
            field=models.CharField(
                choices=[
                    ("HALT", "Nothing is sent"),
                    ("REDUCE_ONLY", "Only orders that make positions smaller"),
                    ("POST_ONLY", "Only orders that rest"),
                ],
                default="HALT",
                max_length=12,
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    ("side", "BUY"), ("state__in", ["SENDING", "UNKNOWN", "MANUAL", "ACKED", "PARTIAL"])
                ),
                fields=["venue"],
                include=("notional_usd", "fee_usd_max"),
                name="order_at_risk",
            ),
        ),
        migrations.AddConstraint(
            model_name="breaker",
            constraint=models.CheckConstraint(
                condition=models.Q(("effect__in", ["HALT", "REDUCE_ONLY", "POST_ONLY"])),
                name="breaker_effect_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="breaker",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("pause", ""),
                    models.Q(
                        ("latched", False),
                        ("pause__in", ["restart", "post_only", "cancel_only", "disabled", "rate_limit"]),
                        ("resume_at__isnull", False),
                        ("state", "OPEN"),
                    ),
                    _connector="OR",
                ),
                name="breaker_pause_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="intent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("rest_until__isnull", False), ("time_in_force", "GTD")),
                    models.Q(models.Q(("time_in_force", "GTD"), _negated=True), ("rest_until__isnull", True)),
                    _connector="OR",
                ),
                name="intent_resting_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_at__isnull", False), ("time_in_force", "GTD")),
                    models.Q(
                        models.Q(("time_in_force", "GTD"), _negated=True),
                        ("expires_at__isnull", True),
                        ("post_only", False),
                    ),
                    _connector="OR",
                ),
                name="order_resting_expires",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("time_in_force", "GTC"), _negated=True), name="order_never_rests_for_ever"
            ),
        ),
        migrations.AddField(
            model_name="ordercancel",
            name="order",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="cancels", to="hedging.order"
            ),
        ),
        migrations.AddConstraint(
            model_name="ordercancel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), _negated=True), models.Q(("requested_by", ""), _negated=True)
                ),
                name="ordercancel_has_a_reason",
            ),
        ),
        migrations.RunSQL(sql=RULES, reverse_sql=UNDO),
    ]
