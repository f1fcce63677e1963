"""A mapping has a state, what a search compared, and a history; nothing is bought without an approved one."""

from pathlib import Path

import django.db.models.deletion
import tonsurance.plumbing.columns
from django.db import migrations, models

RULES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")

# What could be traded before stays approved; what was suspended or switched off stays so until a person resumes it.
CONVERT = """
UPDATE hedging_mapping SET state = 'approved', changed_by = approved_by, read_wording_hash = approved_wording_hash
  WHERE approved_at IS NOT NULL AND approved_by <> '' AND approved_wording_hash <> '' AND is_active
    AND suspended_reason = '' AND grade IN ('direct', 'proxy') AND basis_probability > 0;
UPDATE hedging_mapping SET state = 'suspended', suspended_kind = 'person', suspended_at = updated_at,
    changed_by = approved_by, suspended_reason = COALESCE(NULLIF(suspended_reason, ''), 'it was switched off')
  WHERE suspended_reason <> '' OR (approved_at IS NOT NULL AND NOT is_active);
SET CONSTRAINTS ALL IMMEDIATE;
"""

UNDO = """
DROP TRIGGER IF EXISTS intent_birth ON hedging_intent;
DROP TRIGGER IF EXISTS a_mapping_gate ON hedging_order;
DROP TRIGGER IF EXISTS never_deleted ON hedging_mapping;
DROP FUNCTION IF EXISTS hedging_mapping_guard, hedging_mapping_remember, hedging_intent_birth, hedging_mapping_gate,
  hedging_is_mapped CASCADE;
DROP TABLE IF EXISTS hedging_mapping_transition;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('hedging', '0003_attributions'),
        ('policies', '0003_catalogue'),
        ('venues', '0002_resolution_status'),
    ]

    operations = [
        migrations.CreateModel(
            name='MappingEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('old', models.CharField(blank=True, default='', max_length=10)),
                ('new', models.CharField(max_length=10)),
                ('reason', models.CharField(blank=True, default='', max_length=300)),
                ('who', models.CharField(blank=True, default='', max_length=150)),
                ('at', models.DateTimeField()),
                ('grade', models.CharField(max_length=10)),
                ('basis_probability', tonsurance.plumbing.columns.RatioField(decimal_places=6, max_digits=9)),
                ('wording_hash', models.CharField(blank=True, default='', max_length=64)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='mapping',
            name='mapping_approval_has_a_name',
        ),
        migrations.AddField(
            model_name='mapping',
            name='changed_by',
            field=models.CharField(blank=True, default='', max_length=150),
        ),
        migrations.AddField(
            model_name='mapping',
            name='comparison',
            field=models.JSONField(blank=True, default=dict, help_text='The market against the policy, line by line, as last compared.'),
        ),
        migrations.AddField(
            model_name='mapping',
            name='found_at',
            field=models.DateTimeField(blank=True, help_text='When a search last read its market.', null=True),
        ),
        migrations.AddField(
            model_name='mapping',
            name='found_by',
            field=models.CharField(blank=True, default='', help_text='The search, or the person.', max_length=200),
        ),
        migrations.AddField(
            model_name='mapping',
            name='read_wording_hash',
            field=models.CharField(blank=True, default='', help_text='The wording that the comparison was made on.', max_length=64),
        ),
        migrations.AddField(
            model_name='mapping',
            name='reason',
            field=models.CharField(blank=True, default='', help_text='Of the last change of state.', max_length=300),
        ),
        migrations.AddField(
            model_name='mapping',
            name='state',
            field=models.CharField(choices=[('proposed', 'Proposed: waits for a person'), ('approved', 'Approved: traded through'), ('suspended', 'Suspended: nothing is bought'), ('declined', 'Declined')], default='proposed', max_length=10),
        ),
        migrations.AddField(
            model_name='mapping',
            name='suspended_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='mapping',
            name='suspended_kind',
            field=models.CharField(blank=True, default='', max_length=10),
        ),
        migrations.AlterField(
            model_name='mapping',
            name='suspended_reason',
            field=models.CharField(blank=True, default='', max_length=300),
        ),
        migrations.RunSQL(sql=CONVERT, reverse_sql=migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='mapping',
            name='is_active',
        ),
        migrations.AddField(
            model_name='mapping',
            name='is_active',
            field=models.GeneratedField(db_persist=True, expression=models.Case(models.When(state='approved', then=models.Value(True)), default=models.Value(False)), output_field=models.BooleanField()),
        ),
        migrations.AddConstraint(
            model_name='mapping',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['proposed', 'approved', 'suspended', 'declined'])), name='mapping_state_known'),
        ),
        migrations.AddConstraint(
            model_name='mapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(models.Q(('approved_by', ''), _negated=True), ('approved_at__isnull', False), models.Q(('approved_wording_hash', ''), _negated=True)), _connector='OR'), name='mapping_approval_has_a_name'),
        ),
        migrations.AddConstraint(
            model_name='mapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'approved'), _negated=True), models.Q(('grade__in', ['direct', 'proxy']), ('basis_probability__gt', 0)), _connector='OR'), name='mapping_approved_is_a_hedge'),
        ),
        migrations.AddConstraint(
            model_name='mapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'suspended'), ('suspended_at__isnull', False), ('suspended_kind__in', ['wording', 'closed', 'settling', 'ending', 'unlisted', 'paused', 'person']), models.Q(('suspended_reason', ''), _negated=True)), models.Q(models.Q(('state', 'suspended'), _negated=True), ('suspended_at__isnull', True), ('suspended_kind', ''), ('suspended_reason', '')), _connector='OR'), name='mapping_suspension_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='mapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'declined'), _negated=True), models.Q(models.Q(('reason', ''), _negated=True), models.Q(('changed_by', ''), _negated=True)), _connector='OR'), name='mapping_decline_has_a_reason'),
        ),
        migrations.AddField(
            model_name='mappingevent',
            name='mapping',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='hedging.mapping'),
        ),
        migrations.RunSQL(sql=RULES, reverse_sql=UNDO),
    ]
