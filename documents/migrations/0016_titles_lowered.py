"""Titles in small letters beside their words, so that those that start as typed are told without their documents."""

from django.db import migrations, models

# As in 0013, but that the title is kept as well. Replaced before the rows of before are filled: what is written
# meanwhile has it from the first on.
ADDED = """
CREATE OR REPLACE FUNCTION cs_titles_added() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO documents_documenttitle (document_id, words{column})
    SELECT id, cs_title_words(title){added} FROM added;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION cs_title_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO documents_documenttitle (document_id, words{column})
    VALUES (NEW.id, cs_title_words(NEW.title){changed})
    ON CONFLICT (document_id) DO UPDATE SET words = EXCLUDED.words{updated};
    RETURN NULL;
END $$;
"""
KEEP = ADDED.format(
    column=", lowered",
    added=", lower(title)",
    changed=", lower(NEW.title)",
    updated=", lowered = EXCLUDED.lowered",
)
UNKEEP = ADDED.format(column="", added="", changed="", updated="")

FILL = """
WITH next AS MATERIALIZED (
    SELECT id, title FROM documents_document WHERE id > %s ORDER BY id LIMIT 5000
), filled AS (
    UPDATE documents_documenttitle t SET lowered = lower(next.title)
    FROM next WHERE t.document_id = next.id AND t.lowered = ''
)
SELECT max(id) FROM next
"""


def fill(apps, schema_editor):
    """In batches, each a transaction of its own."""
    last = 0
    with schema_editor.connection.cursor() as cursor:
        while last is not None:
            cursor.execute(FILL, [last])
            (last,) = cursor.fetchone()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("documents", "0015_grant_ends")]

    operations = [
        migrations.AddField(
            model_name="documenttitle",
            name="lowered",
            field=models.TextField(default="", db_default=""),
        ),
        migrations.RunSQL(KEEP, UNKEEP),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
