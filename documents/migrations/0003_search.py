"""Full text search: configurations that fold accents, the vector's function and indexes, the words of all documents."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

SNOWBALL = [
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
]

# `asciiword` stays with the stemmer: a word of ASCII letters has no accent to fold.
CONFIGURATION = """
CREATE TEXT SEARCH CONFIGURATION cs_{name} (COPY = pg_catalog.{name});
ALTER TEXT SEARCH CONFIGURATION cs_{name} ALTER MAPPING FOR hword, hword_part, word WITH unaccent, {dictionary};
"""

# STABLE, not IMMUTABLE: a configuration can be changed. Nothing is indexed by the function itself.
VECTOR = """
CREATE FUNCTION cs_search_vector(config text, title text, headings text, body text) RETURNS tsvector
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector(config::regconfig, title), 'A')
        || setweight(to_tsvector(config::regconfig, headings), 'B')
        || to_tsvector(config::regconfig, body)
$$;
"""


class Migration(migrations.Migration):
    """After the tables and their triggers stand."""

    dependencies = [("documents", "0002_triggers")]

    operations = [
        UnaccentExtension(),
        TrigramExtension(),
        *[
            migrations.RunSQL(
                CONFIGURATION.format(name=name, dictionary=f"{name}_stem" if name != "simple" else "simple"),
                f"DROP TEXT SEARCH CONFIGURATION cs_{name}",
            )
            for name in ["simple", *SNOWBALL]
        ],
        migrations.RunSQL(VECTOR, "DROP FUNCTION cs_search_vector(text, text, text, text)"),
        migrations.CreateModel(
            name="SearchStatistic",
            fields=[
                ("config", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("documents", models.BigIntegerField(default=0)),
                ("average_length", models.FloatField(default=0)),
                ("refreshed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Lexeme",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("config", models.CharField(db_collation="C", max_length=32)),
                ("word", models.TextField(db_collation="C")),
                ("documents", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["word"],
                        gin_pending_list_limit=64,
                        name="documents_lexeme_trigrams",
                        opclasses=["gin_trgm_ops"],
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("config", "word"), include=("documents",), name="documents_lexeme_word"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportSource",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(db_collation="C", max_length=1000)),
                ("sha256", models.BinaryField(max_length=32)),
                ("revision", models.PositiveIntegerField()),
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="import_source",
                        to="documents.document",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="documents.workspace",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "key"), name="documents_importsource_key")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="documentbody",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["search_vector"], gin_pending_list_limit=64, name="documents_body_search"
            ),
        ),
        migrations.AddIndex(
            model_name="documentbody",
            index=models.Index(
                condition=models.Q(("search_vector__isnull", True)),
                fields=["document"],
                name="documents_body_unindexed",
            ),
        ),
        migrations.AddIndex(
            model_name="documentbody",
            index=models.Index(fields=["search_config"], name="documents_body_config"),
        ),
    ]
