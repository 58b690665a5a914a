"""The row that freezes an installation. A new table: code that runs meanwhile doesn't know it."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("security", "0004_token_policies"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReadOnly",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                (
                    "since",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="security_readonly_single")
                ],
            },
        ),
    ]
