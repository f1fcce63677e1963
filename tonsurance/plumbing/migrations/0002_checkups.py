# The runs of the doctor that a person asked for, and the scope `ops` of API keys.

import django.contrib.postgres.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('plumbing', '0001_initial'),
        migrations.swappable_dependency(settings.KNOX_TOKEN_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Checkup',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('started_at', models.DateTimeField()),
                ('took_ms', models.PositiveIntegerField()),
                ('is_quick', models.BooleanField(help_text='No venue was asked.')),
                ('asked_by', models.CharField(max_length=150)),
                ('level', models.CharField(choices=[('ok', 'ok'), ('warning', 'warning'), ('fault', 'fault')], max_length=10)),
                ('faults_count', models.PositiveIntegerField()),
                ('warnings_count', models.PositiveIntegerField()),
                ('found', models.JSONField(help_text='The run as `manage.py doctor --json` prints it.')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='apikey',
            name='api_key_scopes_known',
        ),
        migrations.AlterField(
            model_name='apikey',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'read'), ('write', 'write'), ('ops', 'ops')], max_length=16), size=3),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.CheckConstraint(condition=models.Q(('scopes__contained_by', ['read', 'write', 'ops']), ('scopes__len__gt', 0)), name='api_key_scopes_known'),
        ),
        migrations.AddConstraint(
            model_name='checkup',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', ['ok', 'warning', 'fault'])), name='checkup_level_known'),
        ),
    ]
