"""How far the answer of a market is, in the venue's own word."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('venues', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='instrument',
            name='resolution_status',
            field=models.CharField(blank=True, default='', help_text="The venue's word: how far the answer is; empty: not begun.", max_length=40),
        ),
    ]
