"""Grants that end, by their end."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

INDEXES = {
    "documentgrouppermission": "documents_dgg_ends",
    "documentuserpermission": "documents_dug_ends",
    "workspacegrouppermission": "documents_wgg_ends",
    "workspaceuserpermission": "documents_wug_ends",
}


class Migration(migrations.Migration):
    """An index on each table of grants."""

    # Built beside the writers, which a transaction would hold up.
    atomic = False

    dependencies = [("documents", "0014_webhooks")]

    operations = [
        AddIndexConcurrently(
            model_name=model,
            index=models.Index(
                fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name=name
            ),
        )
        for model, name in INDEXES.items()
    ]
