"""The contracts that orders are signed for become rows."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("venues", "0005_wallets")]

    operations = [
        migrations.CreateModel(
            name="ExchangeContract",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "chain_id",
                    models.PositiveIntegerField(help_text="137 is Polygon, 31337 a practice exchange."),
                ),
                ("domain_name", models.CharField(max_length=80)),
                ("domain_version", models.CharField(max_length=4)),
                (
                    "neg_risk",
                    models.BooleanField(
                        blank=True, help_text="Winner-takes-all groups; empty: both kinds.", null=True
                    ),
                ),
                ("contract", models.CharField(max_length=42)),
                (
                    "position_ids",
                    models.CharField(choices=[("ctf", "ctf"), ("protocol_v2", "protocol_v2")], max_length=16),
                ),
                (
                    "market_version",
                    models.CharField(
                        help_text="How the venue calls the protocol of these markets.", max_length=8
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                ("is_active", models.BooleanField(default=True)),
                ("added_by", models.CharField(max_length=150)),
                ("added_because", models.CharField(max_length=300)),
                ("added_at", models.DateTimeField()),
                ("retired_by", models.CharField(blank=True, default="", max_length=150)),
                ("retired_because", models.CharField(blank=True, default="", max_length=300)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contracts",
                        to="venues.venue",
                    ),
                ),
            ],
            options={
                "ordering": ["venue", "chain_id", "domain_version", "neg_risk", "-valid_from"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(is_active=True),
                        fields=("venue", "chain_id", "domain_version", "neg_risk", "valid_from"),
                        name="exchangecontract_one_per_market_and_moment",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=Q(contract__regex="^0x[0-9a-fA-F]{40}$"),
                        name="exchangecontract_is_an_address",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            is_active=True, retired_at__isnull=True, retired_by="", retired_because=""
                        )
                        | (
                            Q(is_active=False, retired_at__isnull=False)
                            & ~Q(retired_by="")
                            & ~Q(retired_because="")
                        ),
                        name="exchangecontract_retired_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=Q(position_ids__in=["ctf", "protocol_v2"]),
                        name="exchangecontract_position_ids_known",
                    ),
                ],
            },
        ),
    ]
