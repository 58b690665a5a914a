"""The limits that a new installation starts with; staff change them in the admin."""

from __future__ import annotations

from django.db import migrations

MINUTE, HOUR = 60, 3_600
# scope, whom it counts, requests, seconds
DEFAULTS = [
    ("reads", "user", 3_000, MINUTE),
    ("reads", "address", 600, MINUTE),
    ("writes", "user", 600, MINUTE),
    ("writes", "address", 120, MINUTE),
    ("search", "user", 240, MINUTE),
    ("render", "user", 240, MINUTE),
    ("export", "user", 30, HOUR),
    ("sign_in", "user", 120, MINUTE),
    ("sign_in", "address", 120, MINUTE),
    ("registration", "address", 30, HOUR),
    ("mail", "user", 30, HOUR),
    ("mail", "address", 30, HOUR),
]


def add_defaults(apps, schema_editor):
    policy = apps.get_model("security", "RateLimitPolicy")
    policy.objects.bulk_create(
        [
            policy(scope=scope, key=key, requests=requests, seconds=seconds)
            for scope, key, requests, seconds in DEFAULTS
        ],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("security", "0001_initial")]
    operations = [migrations.RunPython(add_defaults, migrations.RunPython.noop)]
