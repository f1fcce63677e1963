"""What a line of market data is called on screens."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("venues", "0006_exchange_contracts")]

    operations = [
        migrations.AlterModelOptions(
            name="streamstate", options={"ordering": ["name"], "verbose_name": "market data line"}
        ),
    ]
