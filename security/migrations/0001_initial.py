import django.db.models.functions.datetime
import uuid_utils.compat
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key_hash", models.BinaryField(max_length=32, unique=True)),
                ("actor_uid", models.UUIDField()),
                ("route", models.CharField(max_length=200)),
                ("request_hash", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField(default=dict)),
                ("body", models.BinaryField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="security_idempotency_expiry")],
            },
        ),
        migrations.CreateModel(
            name="RateLimitPolicy",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("export", "Export"),
                            ("mail", "Mail"),
                            ("reads", "Reads"),
                            ("registration", "Registration"),
                            ("render", "Render"),
                            ("search", "Search"),
                            ("sign_in", "Sign In"),
                            ("writes", "Writes"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "key",
                    models.CharField(
                        choices=[("address", "Address"), ("user", "User")],
                        help_text="Whom it counts: the signed-in user, or the address of those who aren't.",
                        max_length=10,
                    ),
                ),
                ("requests", models.PositiveIntegerField(help_text="Requests a period.")),
                ("seconds", models.PositiveIntegerField(help_text="Length of the period.")),
                ("enabled", models.BooleanField(default=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "rate limit policies",
                "constraints": [
                    models.UniqueConstraint(fields=("scope", "key"), name="security_ratelimit_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("requests__gte", 1), ("seconds__gte", 1), ("seconds__lte", 86400)
                        ),
                        name="security_ratelimit_positive",
                    ),
                ],
            },
        ),
    ]
