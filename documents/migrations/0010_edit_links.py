"""Whether share links of a workspace may let their holders write."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("documents", "0008_marks_and_keeping")]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="edit_links_allowed",
            field=models.BooleanField(default=True, db_default=True),
        ),
    ]
