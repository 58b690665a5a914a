"""A right of its own for who takes the trail along as a file."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_seals")]

    operations = [
        migrations.AlterModelOptions(
            name="event", options={"permissions": [("export_event", "Can export the audit trail")]}
        )
    ]
