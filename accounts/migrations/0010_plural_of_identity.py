"""What the admin calls more than one identity. Nothing in the database changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_find_news_by_actor"),
    ]

    operations = [
        migrations.AlterModelOptions(name="identity", options={"verbose_name_plural": "identities"}),
    ]
