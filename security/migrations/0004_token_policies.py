"""Limits of single access tokens and of single accounts; staff change them in the admin."""

from __future__ import annotations

from django.db import migrations

MINUTE, HOUR = 60, 3_600
# scope, whom it counts, requests, seconds
DEFAULTS = [
    ("reads", "token", 1_500, MINUTE),
    ("writes", "token", 300, MINUTE),
    ("search", "token", 120, MINUTE),
    ("render", "token", 120, MINUTE),
    ("export", "token", 15, HOUR),
    ("registration", "account", 10, HOUR),
    ("mail", "account", 10, HOUR),
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
    dependencies = [("security", "0003_ip_rules")]
    operations = [migrations.RunPython(add_defaults, migrations.RunPython.noop)]
