"""The tables of the product."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import cloudscribe.lib.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("path", models.CharField(db_collation="C", db_default="", editable=False, max_length=200)),
                ("depth", models.PositiveSmallIntegerField(db_default=0, editable=False)),
                ("position", models.CharField(db_collation="C", max_length=200)),
                ("inherits_access", models.BooleanField(default=True)),
                ("scope_id", models.BigIntegerField(db_default=0, editable=False)),
                (
                    "reach",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), db_default=[], editable=False, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("archived", "Archived"), ("draft", "Draft"), ("published", "Published")],
                        default="published",
                        max_length=10,
                    ),
                ),
                ("template", models.BooleanField(default=False)),
                ("title", models.CharField(max_length=500)),
                ("language", models.CharField(max_length=16)),
                ("icon", models.CharField(blank=True, default="", max_length=64)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_actor", models.JSONField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("updated_actor", models.JSONField(blank=True, null=True)),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("trashed_at", models.DateTimeField(blank=True, null=True)),
                ("lock_expires_at", models.DateTimeField(blank=True, null=True)),
                ("lock_reason", models.CharField(blank=True, default="", max_length=500)),
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
                    "locked_by",
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
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="children",
                        to="documents.document",
                    ),
                ),
                (
                    "trash_root",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "trashed_by",
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
                    "updated_by",
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
            options={
                "permissions": [
                    ("read_document", "Can read the document"),
                    ("comment_document", "Can comment on the document"),
                    ("edit_document", "Can edit the document"),
                    ("manage_document", "Can manage the document"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveIntegerField()),
                ("author_actor", models.JSONField(blank=True, null=True)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                ("parent", models.PositiveIntegerField(blank=True, null=True)),
                ("base", models.PositiveIntegerField(blank=True, null=True)),
                ("meta", models.JSONField(default=dict)),
                ("sha256", models.BinaryField(max_length=32)),
                ("size", models.PositiveIntegerField()),
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="documents.document",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ScopeCount",
            fields=[
                ("scope_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("n", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="RevisionPayload",
            fields=[
                (
                    "revision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="payload",
                        serialize=False,
                        to="documents.revision",
                    ),
                ),
                ("base_number", models.PositiveIntegerField(blank=True, null=True)),
                ("payload", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="Workspace",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("slug", models.CharField(db_collation="C", max_length=80, unique=True)),
                ("description", models.CharField(blank=True, default="", max_length=2000)),
                ("default_language", models.CharField(default="en", max_length=16)),
                ("links_allowed", models.BooleanField(default=True)),
                ("link_lifetime_days", models.PositiveIntegerField(blank=True, null=True)),
                ("trash_days", models.PositiveIntegerField(default=30)),
                ("revision_retention_days", models.PositiveIntegerField(blank=True, null=True)),
                ("reads_audited", models.BooleanField(default=False)),
                ("busy_job", models.UUIDField(blank=True, editable=False, null=True)),
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
            ],
            options={
                "permissions": [
                    ("read_workspace", "Can read the workspace's documents"),
                    ("comment_workspace", "Can comment on the workspace's documents"),
                    ("edit_workspace", "Can edit the workspace's documents"),
                    ("manage_workspace", "Can manage the workspace"),
                    ("own_workspace", "Owns the workspace"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("position", models.CharField(db_collation="C", max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[("archived", "Archived"), ("draft", "Draft"), ("published", "Published")],
                        max_length=10,
                    ),
                ),
                ("trashed", models.BooleanField(default=False)),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(blank=True, null=True)),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="placements",
                        to="documents.document",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="documents.workspace",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="document",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.RESTRICT, to="documents.workspace"
            ),
        ),
        migrations.CreateModel(
            name="WorkspaceGroupPermission",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("break_glass", "Break Glass"),
                            ("draft", "Draft"),
                            ("override", "Override"),
                            ("standing", "Standing"),
                            ("temporary", "Temporary"),
                        ],
                        default="standing",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
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
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="group_grants",
                        to="documents.workspace",
                    ),
                ),
                (
                    "granted_by",
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
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.permission",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WorkspaceUserPermission",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("break_glass", "Break Glass"),
                            ("draft", "Draft"),
                            ("override", "Override"),
                            ("standing", "Standing"),
                            ("temporary", "Temporary"),
                        ],
                        default="standing",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
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
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="user_grants",
                        to="documents.workspace",
                    ),
                ),
                (
                    "granted_by",
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
                    "permission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.permission",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DocumentBody",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="body",
                        serialize=False,
                        to="documents.document",
                    ),
                ),
                ("content", models.TextField(blank=True, default="")),
                ("sha256", models.BinaryField(max_length=32)),
                ("size", models.PositiveIntegerField(default=0)),
                (
                    "search_vector",
                    django.contrib.postgres.search.SearchVectorField(blank=True, editable=False, null=True),
                ),
                ("search_config", models.CharField(default="cs_simple", editable=False, max_length=32)),
                ("search_length", models.IntegerField(default=0, editable=False)),
            ],
            options={
                "verbose_name_plural": "document bodies",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("size__lte", 2097152)), name="documents_body_size"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentGroupPermission",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("break_glass", "Break Glass"),
                            ("draft", "Draft"),
                            ("override", "Override"),
                            ("standing", "Standing"),
                            ("temporary", "Temporary"),
                        ],
                        default="standing",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
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
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="group_grants",
                        to="documents.document",
                    ),
                ),
                (
                    "granted_by",
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
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.permission",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "content_object", "origin"),
                        include=("permission", "expires_at"),
                        name="documents_document_group_grant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("origin__in", ["break_glass", "draft", "override", "standing", "temporary"])
                        ),
                        name="documents_dgg_origin",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_at__isnull", True), ("origin__in", ["standing", "draft"])),
                            models.Q(
                                models.Q(("origin__in", ["standing", "draft"]), _negated=True),
                                ("expires_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="documents_dgg_expiry",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentUserPermission",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "uid",
                    cloudscribe.lib.fields.UidField(
                        default=uuid_utils.compat.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("break_glass", "Break Glass"),
                            ("draft", "Draft"),
                            ("override", "Override"),
                            ("standing", "Standing"),
                            ("temporary", "Temporary"),
                        ],
                        default="standing",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=500)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
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
                    "content_object",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="user_grants",
                        to="documents.document",
                    ),
                ),
                (
                    "granted_by",
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
                    "permission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.permission",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "content_object", "origin"),
                        include=("permission", "expires_at"),
                        name="documents_document_user_grant",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("origin__in", ["break_glass", "draft", "override", "standing", "temporary"])
                        ),
                        name="documents_dug_origin",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("expires_at__isnull", True), ("origin__in", ["standing", "draft"])),
                            models.Q(
                                models.Q(("origin__in", ["standing", "draft"]), _negated=True),
                                ("expires_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="documents_dug_expiry",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.UniqueConstraint(
                fields=("document", "number"),
                include=("author", "created_at", "size"),
                name="documents_revision_number",
            ),
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="documents_revision_counted"
            ),
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("base__isnull", True), ("number", 1), ("parent__isnull", True)),
                    models.Q(
                        ("base__isnull", False),
                        (
                            "base__lte",
                            django.db.models.expressions.CombinedExpression(
                                models.F("number"), "-", models.Value(1)
                            ),
                        ),
                        ("number__gt", 1),
                        (
                            "parent",
                            django.db.models.expressions.CombinedExpression(
                                models.F("number"), "-", models.Value(1)
                            ),
                        ),
                    ),
                    _connector="OR",
                ),
                name="documents_revision_gapless",
            ),
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__lte", 2097152)), name="documents_revision_size"
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="documents_workspace_named"
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("slug__regex", "^[a-z0-9]+(-[a-z0-9]+)*$")),
                name="documents_workspace_slug",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("default_language", ""), _negated=True),
                name="documents_workspace_language",
            ),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(fields=["document", "valid_from"], name="documents_placement_history"),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(fields=["workspace", "parent", "valid_from"], name="documents_placement_tree"),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("valid_to__isnull", True)),
                fields=("document",),
                name="documents_placement_current",
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_to__isnull", True), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                ),
                name="documents_placement_order",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", True)),
                fields=["updated_at", "id"],
                name="documents_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", True)),
                fields=["scope_id", "updated_at", "id"],
                name="documents_scope",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", True)),
                fields=["workspace", "updated_at", "id"],
                name="documents_workspace_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", True)),
                fields=["owner", "updated_at", "id"],
                name="documents_owner_recent",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["parent", "position"], name="documents_children"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("parent__isnull", True)),
                fields=["workspace", "position"],
                name="documents_roots",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("trash_root__isnull", False)),
                fields=["trash_root"],
                name="documents_trash_root",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("trashed_at__isnull", True), _negated=True),
                fields=["workspace", "trashed_at"],
                name="documents_trash",
            ),
        ),
        migrations.AddIndex(
            model_name="document",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["reach"], gin_pending_list_limit=64, name="documents_reach"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(
                fields=("id", "workspace"), name="documents_document_in_workspace"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.UniqueConstraint(fields=("path",), name="documents_document_path"),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("depth__gte", 1), ("depth__lte", 20)), name="documents_document_depth"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("position", ""), _negated=True), name="documents_document_positioned"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", models.F("id")), _negated=True),
                name="documents_document_not_in_itself",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("title", ""), _negated=True), name="documents_document_titled"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("language", ""), _negated=True), name="documents_document_language"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["archived", "draft", "published"])),
                name="documents_document_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("tags__len__lte", 50)), name="documents_document_tags"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("revision__gte", 1)), name="documents_document_revised"
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("trash_root__isnull", True), ("trashed_at__isnull", True)),
                    models.Q(("trash_root__isnull", False), ("trashed_at__isnull", False)),
                    _connector="OR",
                ),
                name="documents_document_trash",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("scope_id", models.F("id")),
                        models.Q(("inherits_access", False), ("state", "draft"), _connector="OR"),
                    ),
                    models.Q(
                        models.Q(("scope_id", models.F("id")), _negated=True),
                        ("inherits_access", True),
                        models.Q(("state", "draft"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="documents_document_cut",
            ),
        ),
        migrations.AddConstraint(
            model_name="document",
            constraint=models.CheckConstraint(
                condition=models.Q(("reach__0", models.F("id"))), name="documents_document_reach"
            ),
        ),
        migrations.AddConstraint(
            model_name="workspacegrouppermission",
            constraint=models.UniqueConstraint(
                fields=("group", "content_object", "origin"),
                include=("permission", "expires_at"),
                name="documents_workspace_group_grant",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspacegrouppermission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("origin__in", ["break_glass", "draft", "override", "standing", "temporary"])
                ),
                name="documents_wgg_origin",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspacegrouppermission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_at__isnull", True), ("origin__in", ["standing", "draft"])),
                    models.Q(
                        models.Q(("origin__in", ["standing", "draft"]), _negated=True),
                        ("expires_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="documents_wgg_expiry",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspaceuserpermission",
            constraint=models.UniqueConstraint(
                fields=("user", "content_object", "origin"),
                include=("permission", "expires_at"),
                name="documents_workspace_user_grant",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspaceuserpermission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("origin__in", ["break_glass", "draft", "override", "standing", "temporary"])
                ),
                name="documents_wug_origin",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspaceuserpermission",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("expires_at__isnull", True), ("origin__in", ["standing", "draft"])),
                    models.Q(
                        models.Q(("origin__in", ["standing", "draft"]), _negated=True),
                        ("expires_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="documents_wug_expiry",
            ),
        ),
    ]
