"""When the asker of a request last changed it; a column without a default costs no rewrite."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0016_titles_lowered")]

    operations = [
        migrations.AddField(
            model_name="accessrequest",
            name="changed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
