"""Files of documents."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields

# Bulk writes and cascades can't miss them. The usage row is written before the blobs are locked, everywhere.
COUNT = """
CREATE FUNCTION cs_attachments_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO documents_attachmentusage AS u (workspace_id, files, size)
    SELECT d.workspace_id, count(*), sum(b.size)
    FROM added a JOIN documents_document d ON d.id = a.document_id JOIN documents_blob b ON b.id = a.blob_id
    GROUP BY d.workspace_id ORDER BY d.workspace_id
    ON CONFLICT (workspace_id) DO UPDATE SET files = u.files + EXCLUDED.files, size = u.size + EXCLUDED.size;
    UPDATE documents_blob SET unused_since = NULL
    WHERE id IN (SELECT blob_id FROM added) AND unused_since IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER cs_attachments_added AFTER INSERT ON documents_attachment
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION cs_attachments_added();

CREATE FUNCTION cs_attachments_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE documents_attachmentusage u SET files = u.files - g.files, size = u.size - g.size
    FROM (SELECT d.workspace_id, count(*) AS files, sum(b.size) AS size
          FROM removed r JOIN documents_document d ON d.id = r.document_id
          JOIN documents_blob b ON b.id = r.blob_id GROUP BY d.workspace_id) g
    WHERE u.workspace_id = g.workspace_id;
    -- Two who remove the last two each would see the other's still there; so the second waits and looks again.
    PERFORM FROM documents_blob WHERE id IN (SELECT blob_id FROM removed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE documents_blob b SET unused_since = now()
    WHERE b.id IN (SELECT blob_id FROM removed) AND b.unused_since IS NULL
      AND NOT EXISTS (SELECT FROM documents_attachment a WHERE a.blob_id = b.id);
    RETURN NULL;
END $$;
CREATE TRIGGER cs_attachments_removed AFTER DELETE ON documents_attachment
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION cs_attachments_removed();

CREATE FUNCTION cs_attachments_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved record;
BEGIN
    SELECT count(*) AS files, coalesce(sum(b.size), 0) AS size INTO moved
    FROM documents_attachment a JOIN documents_blob b ON b.id = a.blob_id WHERE a.document_id = NEW.id;
    IF moved.files > 0 THEN
        UPDATE documents_attachmentusage SET files = files - moved.files, size = size - moved.size
        WHERE workspace_id = OLD.workspace_id;
        INSERT INTO documents_attachmentusage AS u (workspace_id, files, size)
        VALUES (NEW.workspace_id, moved.files, moved.size)
        ON CONFLICT (workspace_id) DO UPDATE
            SET files = u.files + EXCLUDED.files, size = u.size + EXCLUDED.size;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cs_attachments_moved AFTER UPDATE OF workspace_id ON documents_document
    FOR EACH ROW WHEN (OLD.workspace_id IS DISTINCT FROM NEW.workspace_id)
    EXECUTE FUNCTION cs_attachments_moved();
"""

UNCOUNT = """
DROP TRIGGER cs_attachments_moved ON documents_document;
DROP FUNCTION cs_attachments_moved();
DROP TRIGGER cs_attachments_removed ON documents_attachment;
DROP FUNCTION cs_attachments_removed();
DROP TRIGGER cs_attachments_added ON documents_attachment;
DROP FUNCTION cs_attachments_added();
"""


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
                ("sha256", models.BinaryField(max_length=32)),
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
                ("removing", models.BooleanField(default=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("unused_since__isnull", False)),
                        fields=["unused_since"],
                        name="documents_blob_unused",
                    ),
                    models.Index(
                        condition=models.Q(("state", "scanning")),
                        fields=["id"],
                        name="documents_blob_scanning",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removing", False)),
                        fields=("sha256",),
                        name="documents_blob_once",
                    ),
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
        migrations.CreateModel(
            name="AttachmentUsage",
            fields=[
                (
                    "workspace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="attachment_usage",
                        serialize=False,
                        to="documents.workspace",
                    ),
                ),
                ("files", models.BigIntegerField(default=0)),
                ("size", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunSQL(COUNT, UNCOUNT),
    ]
