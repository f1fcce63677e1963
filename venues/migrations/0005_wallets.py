"""Answers of markets, our account's standing, and what the wallet does on the chain by a person's order."""

from pathlib import Path

import django.db.models.deletion
import tonsurance.kernel.ids
import tonsurance.plumbing.columns
import venues.domain.resolutions
from django.db import migrations, models

RULES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

UNDO = """
DROP TABLE IF EXISTS venues_walletjob_transition;
DROP FUNCTION IF EXISTS venues_resolution_stays, venues_append_only, venues_walletjob_move CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("venues", "0004_streams"),
    ]

    operations = [
        migrations.CreateModel(
            name="Resolution",
            fields=[
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="resolution",
                        serialize=False,
                        to="venues.instrument",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("proposed", "Proposed"),
                            ("disputed", "Disputed"),
                            ("resolved", "Resolved"),
                        ],
                        default=venues.domain.resolutions.ResolutionState["OPEN"],
                        max_length=10,
                    ),
                ),
                (
                    "payout",
                    tonsurance.plumbing.columns.PriceField(
                        blank=True,
                        decimal_places=10,
                        help_text="US dollars per unit; empty until it is final.",
                        max_digits=24,
                        null=True,
                    ),
                ),
                ("sentence", models.CharField(blank=True, default="", max_length=300)),
                (
                    "conflict",
                    models.TextField(
                        blank=True, default="", help_text="What the sources contradict each other on."
                    ),
                ),
                ("agreed_by", models.CharField(blank=True, default="", max_length=100)),
                (
                    "resolved_at",
                    models.DateTimeField(blank=True, help_text="When we first heard it from two.", null=True),
                ),
                ("checked_at", models.DateTimeField(help_text="When the venue last answered.")),
            ],
            options={
                "ordering": ["-checked_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "proposed", "disputed", "resolved"])),
                        name="resolution_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("payout__isnull", False),
                                ("resolved_at__isnull", False),
                                ("state", "resolved"),
                            ),
                            models.Q(
                                models.Q(("state", "resolved"), _negated=True),
                                ("payout__isnull", True),
                                ("resolved_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="resolution_paid_when_final",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("payout__isnull", True),
                            models.Q(("payout__gte", 0), ("payout__lte", 1)),
                            _connector="OR",
                        ),
                        name="resolution_payout_within_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WalletJob",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tonsurance.kernel.ids.time_ordered_uuid,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kind", models.CharField(choices=[("approve", "Approve"), ("wrap", "Wrap")], max_length=10)),
                ("title", models.CharField(max_length=200)),
                ("lines", models.JSONField(help_text="Contract, function and values, for people.")),
                ("calls", models.JSONField(help_text="[[contract, call data], ...]")),
                (
                    "amount_usd",
                    tonsurance.plumbing.columns.MoneyField(
                        blank=True, decimal_places=6, max_digits=24, null=True
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("WAITING", "Waiting for its turn"),
                            ("PREPARED", "Signed, not sent"),
                            ("SENDING", "Sending"),
                            ("UNKNOWN", "On its way"),
                            ("DONE", "Done"),
                            ("FAILED", "Failed on the chain"),
                            ("REJECTED", "Refused"),
                            ("VOID", "Void: can never take effect"),
                            ("ABORTED", "Never sent"),
                        ],
                        default="WAITING",
                        max_length=10,
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Of the signed bytes, known in advance.",
                        max_length=80,
                    ),
                ),
                ("payload", models.BinaryField(default=b"")),
                ("relay_id", models.CharField(blank=True, default="", max_length=80)),
                ("transaction_hash", models.CharField(blank=True, default="", max_length=80)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("fence_at", models.DateTimeField(blank=True, null=True)),
                ("outcome", models.CharField(blank=True, default="", max_length=300)),
                ("requested_by", models.CharField(max_length=150)),
                ("reason", models.CharField(max_length=300)),
                ("created_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wallet_jobs",
                        to="venues.venue",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="WalletJobEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("old", models.CharField(blank=True, default="", max_length=10)),
                ("new", models.CharField(max_length=10)),
                ("outcome", models.CharField(blank=True, default="", max_length=300)),
                ("who", models.CharField(blank=True, default="", max_length=120)),
                ("at", models.DateTimeField()),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="venues.walletjob",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="AccountStanding",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("first_read_at", models.DateTimeField()),
                ("checked_at", models.DateTimeField(help_text="When it was last found to be so.")),
                ("wallet", models.CharField(blank=True, default="", max_length=60)),
                ("signer", models.CharField(blank=True, default="", max_length=60)),
                ("signature_type", models.PositiveSmallIntegerField(default=0)),
                ("is_geoblocked", models.BooleanField(null=True)),
                (
                    "place",
                    models.CharField(
                        blank=True, default="", help_text="Where the venue thinks we are.", max_length=60
                    ),
                ),
                ("is_closed_only", models.BooleanField(null=True)),
                ("is_banned", models.BooleanField(null=True)),
                ("is_key_valid", models.BooleanField(null=True)),
                ("is_wallet_ours", models.BooleanField(null=True)),
                ("opening_refusal", models.CharField(blank=True, default="", max_length=200)),
                (
                    "faults",
                    models.JSONField(
                        default=list, help_text="What a person should put right, a sentence each."
                    ),
                ),
                ("unread", models.JSONField(default=list, help_text="What could not be asked, and why.")),
                ("approvals", models.JSONField(default=list)),
                ("balances", models.JSONField(default=dict)),
                (
                    "seen_usd",
                    tonsurance.plumbing.columns.MoneyField(
                        decimal_places=6,
                        help_text="Money as the order book sees it.",
                        max_digits=24,
                        null=True,
                    ),
                ),
                ("clock_offset_s", models.DecimalField(decimal_places=3, max_digits=12, null=True)),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="standings",
                        to="venues.venue",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["venue", "-id"], name="standing_newest")],
            },
        ),
        migrations.CreateModel(
            name="ResolutionWord",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=20)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("proposed", "Proposed"),
                            ("disputed", "Disputed"),
                            ("resolved", "Resolved"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "payout",
                    tonsurance.plumbing.columns.PriceField(
                        blank=True, decimal_places=10, max_digits=24, null=True
                    ),
                ),
                ("words", models.TextField(help_text="The venue's own.")),
                ("heard_at", models.DateTimeField()),
                (
                    "instrument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resolution_words",
                        to="venues.instrument",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["instrument", "source", "-id"], name="resolutionword_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["open", "proposed", "disputed", "resolved"])),
                        name="resolutionword_state_known",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="walletjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "WAITING",
                            "PREPARED",
                            "SENDING",
                            "UNKNOWN",
                            "DONE",
                            "FAILED",
                            "REJECTED",
                            "VOID",
                            "ABORTED",
                        ],
                    )
                ),
                name="walletjob_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reason", ""), _negated=True), models.Q(("requested_by", ""), _negated=True)
                ),
                name="walletjob_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["WAITING", "ABORTED"]),
                    models.Q(("name", ""), _negated=True),
                    _connector="OR",
                ),
                name="walletjob_named_when_signed",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletjob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["PREPARED", "SENDING", "UNKNOWN"])),
                fields=("venue",),
                name="walletjob_one_on_its_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="walletjob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("name", ""), _negated=True),
                fields=("name",),
                name="walletjob_bytes_never_reused",
            ),
        ),
        migrations.RunSQL(sql=RULES, reverse_sql=UNDO),
    ]
