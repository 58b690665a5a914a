"""What search knows about the words of all documents, and where imported documents came from."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class SearchStatistic(models.Model):
    """How many documents one text search configuration holds and how long they are, for the ranking.

    Refreshed by a job; it weighs words and chooses plans, it never decides what is found.
    """

    config = models.CharField(max_length=32, primary_key=True)
    documents = models.BigIntegerField(default=0)
    average_length = models.FloatField(default=0)
    refreshed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.documents} documents in {self.config}"


class Lexeme(models.Model):
    """In how many documents of a configuration a word stands, in the form in which the vectors hold it."""

    id = models.BigAutoField(primary_key=True)
    config = models.CharField(max_length=32, db_collation="C")
    word = models.TextField(db_collation="C")
    documents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["config", "word"], include=["documents"], name="documents_lexeme_word"
            )
        ]
        indexes = [
            GinIndex(
                fields=["word"],
                name="documents_lexeme_trigrams",
                opclasses=["gin_trgm_ops"],
                gin_pending_list_limit=64,
            )
        ]

    def __str__(self) -> str:
        return self.word


class DocumentTitle(models.Model):
    """The words of a document's title, as they are written, for suggestions; `lowered` is the title itself.

    Kept by the database's triggers with each document that is made or gets another title. Apart from the
    document's own row, which is written whenever anything about it changes: an index there would cost a move
    as much again.
    """

    document = models.OneToOneField(
        "documents.Document", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    words = SearchVectorField()
    lowered = models.TextField(default="", db_default="")

    class Meta:
        indexes = [GinIndex(fields=["words"], name="documents_title_words", gin_pending_list_limit=64)]

    def __str__(self) -> str:
        return f"title of {self.pk}"


class ImportSource(models.Model):
    """Which document a file became: what makes a second import of the same folder change nothing.

    `key` is the file's path below the imported folder, `sha256` that of the title and text last written by an
    import, `revision` the one it made: a changed file is merged with what people wrote since then.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(
        "documents.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=1_000, db_collation="C")
    document = models.OneToOneField(
        "documents.Document", on_delete=models.CASCADE, related_name="import_source"
    )
    sha256 = models.BinaryField(max_length=32)
    revision = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="documents_importsource_key"),
        ]

    def __str__(self) -> str:
        return self.key
