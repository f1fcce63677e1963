"""A cycle can say in a sentence what woke it, for instance which price moved from where to where."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("hedging", "0006_redemptions")]

    operations = [
        migrations.AddField(
            model_name="cycle",
            name="cause_detail",
            field=models.CharField(
                max_length=300,
                blank=True,
                default="",
                help_text="The same in a sentence, where a word is too little.",
            ),
        ),
        migrations.AlterField(
            model_name="cycle",
            name="cause",
            field=models.CharField(
                max_length=40, help_text="What woke it: beat, sale, expiry, claim, price, operator …"
            ),
        ),
    ]
