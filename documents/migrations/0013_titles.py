"""The words of titles with an index of their own, kept by triggers."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# The letters of scripts whose words no space parts; what stands in a row of them becomes pairs of letters and
# the last one alone, as in `documents.search.languages.spaced`.
SPACELESS = (
    "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u0e01-\u0e4e\u0e81-\u0ece\u1780-\u17d3\u1000-\u109f\U00020000-\U0002fa1f"
)

# The body is read when it is made, so that it hangs on no search path.
WORDS = f"""
CREATE FUNCTION cs_title_words(title text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_tsvector('cs_simple'::regconfig, CASE WHEN title !~ '[{SPACELESS}]' THEN title ELSE (
    SELECT string_agg(
        CASE WHEN this !~ '[{SPACELESS}]' THEN this || CASE WHEN next ~ '[{SPACELESS}]' THEN ' ' ELSE '' END
            WHEN next ~ '[{SPACELESS}]' THEN this || next || ' '
            ELSE this || ' ' END,
        '' ORDER BY i)
    FROM (
        SELECT i, substr(title, i, 1) AS this, substr(title, i + 1, 1) AS next
        FROM generate_series(1, length(title)) AS i
    ) AS letters
) END)
"""  # noqa: S608 (of this file)

# With the rights of the owner: the application gets its own on the new table only when all is migrated, and it
# goes on writing meanwhile. A title that changes before its row was made makes it.
KEEP = """
CREATE FUNCTION cs_titles_added() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO documents_documenttitle (document_id, words) SELECT id, cs_title_words(title) FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER cs_titles_added AFTER INSERT ON documents_document
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION cs_titles_added();

CREATE FUNCTION cs_title_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO documents_documenttitle (document_id, words) VALUES (NEW.id, cs_title_words(NEW.title))
    ON CONFLICT (document_id) DO UPDATE SET words = EXCLUDED.words;
    RETURN NULL;
END $$;
CREATE TRIGGER cs_title_changed AFTER UPDATE OF title ON documents_document
    FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION cs_title_changed();
"""

UNKEEP = """
DROP TRIGGER cs_title_changed ON documents_document;
DROP FUNCTION cs_title_changed();
DROP TRIGGER cs_titles_added ON documents_document;
DROP FUNCTION cs_titles_added();
"""

FILL = """
WITH next AS MATERIALIZED (
    SELECT id, title FROM documents_document WHERE id > %s ORDER BY id LIMIT 5000
), filled AS (
    INSERT INTO documents_documenttitle (document_id, words)
    SELECT id, cs_title_words(title) FROM next ON CONFLICT (document_id) DO NOTHING
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

    dependencies = [("documents", "0012_revision_names")]

    operations = [
        migrations.CreateModel(
            name="DocumentTitle",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="documents.document",
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.RunSQL(WORDS, "DROP FUNCTION cs_title_words(text)"),
        migrations.RunSQL(KEEP, UNKEEP),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="documenttitle",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["words"], gin_pending_list_limit=64, name="documents_title_words"
            ),
        ),
    ]
