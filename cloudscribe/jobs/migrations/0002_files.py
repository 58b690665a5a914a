"""Files that jobs make."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobFile",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("path", models.CharField(max_length=200, unique=True)),
                (
                    "name",
                    models.CharField(help_text="What it is called where it is downloaded.", max_length=200),
                ),
                ("media_type", models.CharField(max_length=100)),
                ("size", models.BigIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="file", to="jobs.job"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="jobs_jobfile_expiry")],
            },
        ),
    ]
