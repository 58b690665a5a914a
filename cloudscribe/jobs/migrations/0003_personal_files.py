"""Files for nobody but who asked. The column comes with its default, so that running code goes on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0002_files"),
    ]

    operations = [
        migrations.AddField(
            model_name="jobfile",
            name="personal",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
