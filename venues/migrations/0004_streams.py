"""Lines of market data, and the newest book of each instrument from them."""

import django.db.models.deletion
import tonsurance.plumbing.columns
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("venues", "0003_venue_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="StreamState",
            fields=[
                ("name", models.SlugField(max_length=60, primary_key=True, serialize=False)),
                (
                    "instruments",
                    models.PositiveIntegerField(default=0, help_text="Books that the line carries."),
                ),
                (
                    "sound",
                    models.PositiveIntegerField(default=0, help_text="Of these, books without a doubt."),
                ),
                (
                    "connected_since",
                    models.DateTimeField(blank=True, help_text="Empty while the line is down.", null=True),
                ),
                (
                    "heard_at",
                    models.DateTimeField(
                        blank=True, help_text="Last data, or last agreement with REST.", null=True
                    ),
                ),
                ("told_at", models.DateTimeField(help_text="When the process wrote this row.")),
                (
                    "messages",
                    models.PositiveBigIntegerField(
                        default=0, help_text="With data, since the process began."
                    ),
                ),
                ("messages_per_s", models.DecimalField(decimal_places=1, default=0, max_digits=12)),
                ("reconnects", models.PositiveIntegerField(default=0)),
                (
                    "resyncs",
                    models.PositiveIntegerField(default=0, help_text="Books replaced by what REST said."),
                ),
                ("gaps", models.PositiveIntegerField(default=0, help_text="Proven losses on the line.")),
                (
                    "false_alarms",
                    models.PositiveIntegerField(default=0, help_text="Doubts that REST dispelled."),
                ),
                (
                    "error",
                    models.TextField(
                        blank=True, default="", help_text="Why the line was last lost, or is down."
                    ),
                ),
                ("process", models.CharField(blank=True, default="", max_length=80)),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="streams", to="venues.venue"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="StreamBook",
            fields=[
                (
                    "instrument",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="streamed",
                        serialize=False,
                        to="venues.instrument",
                    ),
                ),
                ("bids", models.JSONField(default=list)),
                ("asks", models.JSONField(default=list)),
                (
                    "best_bid",
                    tonsurance.plumbing.columns.PriceField(
                        blank=True, decimal_places=10, max_digits=24, null=True
                    ),
                ),
                (
                    "best_ask",
                    tonsurance.plumbing.columns.PriceField(
                        blank=True, decimal_places=10, max_digits=24, null=True
                    ),
                ),
                ("is_sound", models.BooleanField(default=False)),
                (
                    "doubt",
                    models.CharField(
                        blank=True, default="", help_text="Why the book is not to be used.", max_length=120
                    ),
                ),
                ("venue_at", models.DateTimeField(help_text="The venue's time of the last change.")),
                (
                    "received_at",
                    models.DateTimeField(help_text="When we last heard a change, or knew it to be true."),
                ),
                ("book_hash", models.CharField(blank=True, default="", max_length=80)),
                (
                    "stream",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="books",
                        to="venues.streamstate",
                    ),
                ),
            ],
            options={
                "ordering": ["instrument"],
            },
        ),
    ]
