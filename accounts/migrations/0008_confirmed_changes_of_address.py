"""A confirmed change of address stays for the mail to the old one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_addresses_identities_notifications"),
    ]

    operations = [
        migrations.AddField(
            model_name="emailchange",
            name="confirmed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="emailchange",
            name="old_email",
            field=models.EmailField(blank=True, default="", max_length=254),
        ),
    ]
