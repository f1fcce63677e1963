"""Purchases are divided by decision, in one attribution; the sums of slices are kept; ended policies are noted.

What was attributed trade by trade before becomes one attribution a trade.
"""

from pathlib import Path

import django.db.models.deletion
import tonsurance.plumbing.columns
from django.db import migrations, models


RULES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

CONVERT = """
INSERT INTO hedging_attribution (id, venue_id, instrument_id, policy_id, order_id, fills_count, slices_count, size,
    cost_usd, ownerless_size, entry_price, entry_time, made_at)
  SELECT f.id, f.venue_id, f.instrument_id, i.policy_id, f.order_id, 1, count(h.id), coalesce(sum(h.size), 0),
         coalesce(sum(h.hedge_amount_usd), 0), f.size - coalesce(sum(h.size), 0), f.price, f.matched_at,
         coalesce(max(h.created_at), f.settled_at, f.matched_at)
  FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id JOIN hedging_intent i ON i.id = o.intent_id
  LEFT JOIN hedging_hedgeposition h ON h.fill_id = f.id
  WHERE f.side = 'BUY' AND f.settlement = 'confirmed' GROUP BY f.id, i.policy_id;
SELECT setval(pg_get_serial_sequence('hedging_attribution', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM hedging_attribution));
UPDATE hedging_fill f SET attribution_id = f.id WHERE f.side = 'BUY' AND f.settlement = 'confirmed';
UPDATE hedging_hedgeposition SET attribution_id = fill_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""

UNDO = """
DROP FUNCTION IF EXISTS hedging_attribution_adds_up, hedging_policy_ended CASCADE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('hedging', '0002_rules'),
        ('policies', '0003_catalogue'),
        ('venues', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Attribution',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('fills_count', models.PositiveIntegerField()),
                ('slices_count', models.PositiveIntegerField()),
                ('size', tonsurance.plumbing.columns.SizeField(decimal_places=8, max_digits=28)),
                ('cost_usd', tonsurance.plumbing.columns.MoneyField(decimal_places=6, help_text='Paid, fees included.', max_digits=24)),
                ('ownerless_size', tonsurance.plumbing.columns.SizeField(decimal_places=8, default=0, max_digits=28)),
                ('entry_price', tonsurance.plumbing.columns.PriceField(decimal_places=10, help_text='Average price per unit without fees.', max_digits=24)),
                ('entry_time', models.DateTimeField(help_text='When the newest of the trades matched.')),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='EndedPolicy',
            fields=[
                ('policy', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='+', serialize=False, to='policies.policy')),
                ('ended_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='HeldShare',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('open_size', tonsurance.plumbing.columns.SizeField(decimal_places=8, default=0, max_digits=28)),
                ('open_cost_usd', tonsurance.plumbing.columns.MoneyField(decimal_places=6, default=0, max_digits=24)),
                ('open_count', models.BigIntegerField(default=0)),
                ('closed_count', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AlterField(
            model_name='hedgeposition',
            name='instrument',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='venues.instrument'),
        ),
        migrations.AlterField(
            model_name='hedgeposition',
            name='policy',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='hedge_positions', to='policies.policy'),
        ),
        migrations.AlterField(
            model_name='hedgeposition',
            name='product',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policies.product'),
        ),
        migrations.AlterField(
            model_name='hedgeposition',
            name='venue',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='venues.venue'),
        ),
        migrations.AddField(
            model_name='attribution',
            name='instrument',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attributions', to='venues.instrument'),
        ),
        migrations.AddField(
            model_name='attribution',
            name='order',
            field=models.ForeignKey(help_text='The newest order of the purchases; all of them are found through the trades.', on_delete=django.db.models.deletion.PROTECT, related_name='+', to='hedging.order'),
        ),
        migrations.AddField(
            model_name='attribution',
            name='policy',
            field=models.ForeignKey(blank=True, help_text='Set when the purchases were decided for one policy alone.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policies.policy'),
        ),
        migrations.AddField(
            model_name='attribution',
            name='venue',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='venues.venue'),
        ),
        migrations.AddField(
            model_name='fill',
            name='attribution',
            field=models.ForeignKey(blank=True, help_text='Set once, when a confirmed purchase has been divided among policies.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fills', to='hedging.attribution'),
        ),
        migrations.AddField(
            model_name='hedgeposition',
            name='attribution',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hedge_positions', to='hedging.attribution'),
        ),
        migrations.RunSQL(sql=CONVERT, reverse_sql=migrations.RunSQL.noop),
        migrations.RemoveConstraint(
            model_name='hedgeposition',
            name='hedgeposition_one_per_fill_and_policy',
        ),
        migrations.RemoveField(
            model_name='hedgeposition',
            name='fill',
        ),
        migrations.AlterField(
            model_name='hedgeposition',
            name='attribution',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='hedge_positions', to='hedging.attribution'),
        ),
        migrations.AddIndex(
            model_name='fill',
            index=models.Index(condition=models.Q(('attribution__isnull', True), ('settlement', 'confirmed'), ('side', 'BUY')), fields=['instrument'], name='fill_waiting'),
        ),
        migrations.AddConstraint(
            model_name='fill',
            constraint=models.CheckConstraint(condition=models.Q(('attribution__isnull', True), models.Q(('settlement', 'confirmed'), ('side', 'BUY')), _connector='OR'), name='fill_attributed_when_bought'),
        ),
        migrations.AddConstraint(
            model_name='hedgeposition',
            constraint=models.UniqueConstraint(fields=('attribution', 'policy'), name='hedgeposition_one_per_attribution_and_policy'),
        ),
        migrations.AddField(
            model_name='heldshare',
            name='instrument',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='venues.instrument'),
        ),
        migrations.AddField(
            model_name='heldshare',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='policies.product'),
        ),
        migrations.AddConstraint(
            model_name='attribution',
            constraint=models.CheckConstraint(condition=models.Q(('cost_usd__gte', 0), ('ownerless_size__gte', 0), ('size__gte', 0)), name='attribution_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='attribution',
            constraint=models.CheckConstraint(condition=models.Q(('fills_count__gt', 0)), name='attribution_of_some_fill'),
        ),
        migrations.AddConstraint(
            model_name='heldshare',
            constraint=models.UniqueConstraint(fields=('instrument', 'product'), name='heldshare_one_per_pair'),
        ),
        migrations.AddConstraint(
            model_name='heldshare',
            constraint=models.CheckConstraint(condition=models.Q(('closed_count__gte', 0), ('open_cost_usd__gte', 0), ('open_count__gte', 0), ('open_size__gte', 0)), name='heldshare_not_negative'),
        ),
        migrations.RunSQL(sql=RULES, reverse_sql=UNDO),
    ]
