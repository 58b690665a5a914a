"""The Merkle tree over the events and its signed checkpoints; closed to change as the events are."""

from django.db import migrations, models

TABLES = ("audit_eventleaf", "audit_treenode", "audit_seal")

KEEP = "".join(
    f"""
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse();
"""
    for table in TABLES
)
LET_GO = "".join(
    f"DROP TRIGGER audit_keep ON {table}; DROP TRIGGER audit_truncate_refused ON {table};" for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="EventLeaf",
            fields=[
                ("leaf", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("sequence",), name="audit_eventleaf_sequence")
                ]
            },
        ),
        migrations.CreateModel(
            name="TreeNode",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level", "position", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("position", models.BigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("tree_size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("first_leaf", models.BigIntegerField()),
                ("last_leaf", models.BigIntegerField()),
                ("first_sequence", models.BigIntegerField()),
                ("last_sequence", models.BigIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("note", models.TextField()),
                ("epoch", models.IntegerField()),
                ("xid", models.BigIntegerField()),
                ("sequence", models.BigIntegerField()),
                ("sealed_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(KEEP, LET_GO),
    ]
