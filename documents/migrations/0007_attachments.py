"""Files of documents."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0006_share_links"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Blob",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("sha256", models.BinaryField(max_length=32, unique=True)),
                ("size", models.BigIntegerField()),
                ("content_type", models.CharField(max_length=100)),
                ("inline", models.BooleanField(default=False)),
                ("width", models.PositiveIntegerField(blank=True, null=True)),
                ("height", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("infected", "Infected"), ("ready", "Ready"), ("scanning", "Scanning")],
                        default="ready",
                        max_length=8,
                    ),
                ),
                ("finding", models.CharField(blank=True, default="", max_length=200)),
                ("has_thumbnail", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("unused_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("unused_since__isnull", False)),
                        fields=["unused_since"],
                        name="documents_blob_unused",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("size__gte", 0)), name="documents_blob_size"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["infected", "ready", "scanning"])),
                        name="documents_blob_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("created_actor", models.JSONField(blank=True, null=True)),
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
                (
                    "created_by",
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
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="documents.document",
                    ),
                ),
                (
                    "blob",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="attachments",
                        to="documents.blob",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["document", "id"], name="documents_attachment_of")],
            },
        ),
    ]
