"""Requests for access, and the permission to break the glass."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0004_invitations"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="document",
            options={
                "permissions": [
                    ("read_document", "Can read the document"),
                    ("comment_document", "Can comment on the document"),
                    ("edit_document", "Can edit the document"),
                    ("manage_document", "Can manage the document"),
                    ("break_glass", "Can open any document for an hour, on the record"),
                ]
            },
        ),
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("document_uid", models.UUIDField()),
                ("role", models.CharField(max_length=12)),
                ("message", models.CharField(blank=True, default="", max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("expires_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("approved", "Approved"), ("closed", "Closed"), ("declined", "Declined")],
                        default="",
                        max_length=8,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asker",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="requests",
                        to="documents.document",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["asker", "id"], name="documents_request_asker"),
                    models.Index(
                        condition=models.Q(("decided_at__isnull", True)),
                        fields=["expires_at"],
                        name="documents_request_expiry",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("decided_at__isnull", True)),
                        fields=("document_uid", "asker"),
                        name="documents_request_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("decision", "")),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decision__in", ["approved", "closed", "declined"]),
                            ),
                            _connector="OR",
                        ),
                        name="documents_request_decided",
                    ),
                ],
            },
        ),
    ]
