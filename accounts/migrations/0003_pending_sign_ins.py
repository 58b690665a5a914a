from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_stamps")]
    operations = [
        migrations.AddField("signinfailure", "pending", models.BooleanField(db_default=False)),
    ]
