"""Threads on passages of documents, comments, mentions and reactions."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0010_edit_links"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="documentbody",
            name="anchored",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.CreateModel(
            name="Thread",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "anchor",
                    models.CharField(
                        choices=[
                            ("anchored", "anchored"),
                            ("changed", "changed"),
                            ("gone", "gone"),
                            ("none", "none"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("revision", models.PositiveIntegerField(blank=True, null=True)),
                ("quote", models.TextField(blank=True, default="")),
                ("prefix", models.CharField(blank=True, default="", max_length=64)),
                ("suffix", models.CharField(blank=True, default="", max_length=64)),
                ("quote_now", models.TextField(blank=True, default="")),
                ("start", models.PositiveIntegerField(blank=True, null=True)),
                ("end", models.PositiveIntegerField(blank=True, null=True)),
                ("author_actor", models.JSONField(blank=True, null=True)),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_actor", models.JSONField(blank=True, null=True)),
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
                    "author",
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
                        related_name="threads",
                        to="documents.document",
                    ),
                ),
                (
                    "resolved_by",
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
            name="Comment",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("author_actor", models.JSONField(blank=True, null=True)),
                ("body", models.TextField(blank=True, default="")),
                ("edited_at", models.DateTimeField(blank=True, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "author",
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
                    "link",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="documents.sharelink",
                    ),
                ),
                (
                    "thread",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="documents.thread",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Mention",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "comment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mentions",
                        to="documents.comment",
                    ),
                ),
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
                "constraints": [
                    models.UniqueConstraint(fields=("comment", "user"), name="documents_mention_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reaction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("emoji", models.CharField(max_length=16)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "comment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reactions",
                        to="documents.comment",
                    ),
                ),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("comment", "user", "emoji"), name="documents_reaction_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="thread",
            index=models.Index(fields=["document", "created_at", "id"], name="documents_thread_made"),
        ),
        migrations.AddIndex(
            model_name="thread",
            index=models.Index(fields=["document", "updated_at", "id"], name="documents_thread_moved"),
        ),
        migrations.AddIndex(
            model_name="thread",
            index=models.Index(
                condition=models.Q(("anchor", "none"), _negated=True),
                fields=["document"],
                name="documents_thread_anchored",
            ),
        ),
        migrations.AddConstraint(
            model_name="thread",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("anchor", "none"),
                        ("end", None),
                        ("quote", ""),
                        ("quote_now", ""),
                        ("revision", None),
                        ("start", None),
                    ),
                    models.Q(
                        ("anchor__in", ["anchored", "changed"]),
                        ("revision__isnull", False),
                        ("start__lt", models.F("end")),
                    ),
                    models.Q(("anchor", "gone"), ("revision__isnull", False), ("start", models.F("end"))),
                    _connector="OR",
                ),
                name="documents_thread_anchor",
            ),
        ),
        migrations.AddConstraint(
            model_name="thread",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("resolved_at__isnull", False),
                    models.Q(("resolved_actor", None), ("resolved_by", None)),
                    _connector="OR",
                ),
                name="documents_thread_resolved",
            ),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(fields=["thread", "id"], name="documents_comment_thread"),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(fields=["author", "id"], name="documents_comment_author"),
        ),
        migrations.AddIndex(
            model_name="comment",
            index=models.Index(
                condition=models.Q(("link__isnull", False)),
                fields=["link", "created_at"],
                name="documents_comment_link",
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("deleted_at", None), models.Q(("body", ""), _negated=True)),
                    models.Q(("body", ""), ("deleted_at__isnull", False)),
                    _connector="OR",
                ),
                name="documents_comment_said",
            ),
        ),
    ]
