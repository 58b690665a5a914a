"""Find what people were told of somebody who is deleted. The index is made while all goes on."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0008_confirmed_changes_of_address"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(fields=["actor_uid"], name="accounts_notification_actor"),
        ),
    ]
