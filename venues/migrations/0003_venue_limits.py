"""What a venue says of how often it may be asked."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("venues", "0002_resolution_status")]

    operations = [
        migrations.CreateModel(
            name="VenueLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("bucket", models.CharField(max_length=40)),
                ("tier", models.CharField(blank=True, default="", max_length=40)),
                ("noted_at", models.DateTimeField(help_text="When the venue named this tier first.")),
                (
                    "warned_at",
                    models.DateTimeField(
                        blank=True, help_text="When it last said that it would have refused us.", null=True
                    ),
                ),
                (
                    "venue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="limits", to="venues.venue"
                    ),
                ),
            ],
            options={
                "ordering": ["venue", "bucket"],
                "constraints": [
                    models.UniqueConstraint(fields=("venue", "bucket"), name="venuelimit_one_per_bucket")
                ],
            },
        ),
    ]
