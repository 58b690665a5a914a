"""Changes of address, identities elsewhere, the inbox, and accounts that were closed."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_challenges_by_hash_alone"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="deactivated_at",
            field=models.DateTimeField(blank=True, help_text="When they closed it themselves.", null=True),
        ),
        migrations.AddField(
            model_name="user",
            name="deleted_at",
            field=models.DateTimeField(blank=True, help_text="Since when the row names nobody.", null=True),
        ),
        migrations.AlterField(
            model_name="ceremony",
            name="kind",
            field=models.CharField(
                choices=[
                    ("oidc_link", "Oidc Link"),
                    ("oidc_sign_in", "Oidc Sign In"),
                    ("passkey_registration", "Passkey Registration"),
                    ("passkey_sign_in", "Passkey Sign In"),
                    ("passkey_step_up", "Passkey Step Up"),
                ],
                max_length=24,
            ),
        ),
        migrations.CreateModel(
            name="EmailChange",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("email", models.EmailField(max_length=254)),
                ("email_key", models.CharField(max_length=320)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="accounts_emailchange_expiry")],
            },
        ),
        migrations.CreateModel(
            name="Identity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("issuer", models.CharField(max_length=500)),
                ("subject", models.CharField(max_length=255)),
                ("email", models.EmailField(blank=True, default="", max_length=254)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["user", "-id"], name="accounts_identity_user")],
                "constraints": [
                    models.UniqueConstraint(fields=("issuer", "subject"), name="accounts_identity_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("kind", models.CharField(max_length=60)),
                ("actor_uid", models.UUIDField(blank=True, null=True)),
                ("actor_name", models.CharField(blank=True, default="", max_length=200)),
                ("target_type", models.CharField(blank=True, default="", max_length=40)),
                ("target_uid", models.UUIDField(blank=True, null=True)),
                ("workspace_uid", models.UUIDField(blank=True, null=True)),
                ("facts", models.JSONField(blank=True, default=dict)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("digest", "Digest"),
                            ("email", "Email"),
                            ("in_app", "In App"),
                            ("none", "None"),
                        ],
                        default="in_app",
                        max_length=10,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["user", "-id"], name="accounts_notification_inbox"),
                    models.Index(
                        condition=models.Q(
                            ("channel__in", ["in_app", "email", "digest"]), ("read_at__isnull", True)
                        ),
                        fields=["user"],
                        name="accounts_notification_unread",
                    ),
                    models.Index(
                        condition=models.Q(("channel", "digest"), ("mailed_at__isnull", True)),
                        fields=["user", "id"],
                        name="accounts_notification_digest",
                    ),
                    models.Index(fields=["created_at"], name="accounts_notification_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationPreference",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=60)),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("digest", "Digest"),
                            ("email", "Email"),
                            ("in_app", "In App"),
                            ("none", "None"),
                        ],
                        max_length=10,
                    ),
                ),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_preferences",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "kind"), name="accounts_preference_once")
                ],
            },
        ),
    ]
