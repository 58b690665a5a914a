"""Links by which documents are shared, and their visits."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0005_access_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("secret_hash", models.BinaryField(max_length=32, unique=True)),
                ("role", models.CharField(default="viewer", max_length=12)),
                ("include_children", models.BooleanField(default=False)),
                ("password", models.CharField(blank=True, default="", max_length=128)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("max_uses", models.PositiveIntegerField(blank=True, null=True)),
                ("use_count", models.PositiveIntegerField(default=0)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
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
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="documents.document",
                    ),
                ),
                (
                    "revoked_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LinkVisit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("device", models.CharField(blank=True, default="", max_length=200)),
                (
                    "link",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="documents.sharelink",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["viewer", "commenter", "editor"])),
                name="documents_link_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("max_uses__isnull", True), ("use_count__lte", models.F("max_uses")), _connector="OR"
                ),
                name="documents_link_uses",
            ),
        ),
        migrations.AddIndex(
            model_name="linkvisit",
            index=models.Index(fields=["link", "id"], name="documents_visit_link"),
        ),
    ]
