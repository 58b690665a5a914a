"""Jobs and schedules."""

import uuid_utils.compat
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("name", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("slot", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("kind", models.CharField(max_length=64)),
                ("queue", models.CharField(max_length=16)),
                ("payload", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("run_at", models.DateTimeField()),
                ("dedupe_key", models.CharField(max_length=200, null=True)),
                ("actor", models.JSONField()),
                ("actor_uid", models.UUIDField(null=True)),
                ("request_id", models.CharField(blank=True, max_length=80)),
                ("attempts", models.IntegerField(default=0)),
                ("attempts_forgiven", models.IntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("claimed_by", models.CharField(blank=True, max_length=120)),
                ("cancel_requested_at", models.DateTimeField(null=True)),
                ("progress_done", models.BigIntegerField(default=0)),
                ("progress_total", models.BigIntegerField(null=True)),
                ("result", models.JSONField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=64)),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "permissions": [
                    ("view_all_jobs", "Can see everybody's jobs"),
                    ("manage_jobs", "Can cancel and retry any job"),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "queued")), fields=["run_at"], name="jobs_job_due"
                    ),
                    models.Index(
                        condition=models.Q(("state", "running")),
                        fields=["lease_until"],
                        name="jobs_job_leases",
                    ),
                    models.Index(fields=["actor_uid", "-id"], name="jobs_job_own"),
                    models.Index(
                        condition=models.Q(("finished_at__isnull", False)),
                        fields=["finished_at"],
                        name="jobs_job_finished",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "queued")),
                        fields=("dedupe_key",),
                        name="jobs_job_dedupe",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["queued", "running", "succeeded", "failed", "cancelled"])
                        ),
                        name="jobs_job_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "running"), _negated=True),
                            ("lease_until__isnull", False),
                            _connector="OR",
                        ),
                        name="jobs_job_lease",
                    ),
                ],
            },
        ),
        # Each job is updated a few times soon after its insert: room on the page keeps those updates off the indexes,
        # and the table is vacuumed by its dead rows, not by a fifth of its size.
        migrations.RunSQL(
            "ALTER TABLE jobs_job SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)",
            migrations.RunSQL.noop,
        ),
    ]
