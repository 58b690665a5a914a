"""A challenge comes back with its answer: the hash is enough. The table has been in no release yet."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_groups_keep_their_names"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="ceremony",
            name="sealed",
        ),
    ]
