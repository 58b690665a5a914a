"""The audit tables: partitioned by sequence, stamped by the database, closed to change.

Plain SQL makes them, since Django knows neither partitions nor GENERATED ALWAYS; the state operations tell Django
what stands there. Runs on PostgreSQL 15 and later.
"""

import django.db.models.deletion
from django.db import migrations, models

TABLES = """
CREATE TABLE audit_event (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    epoch integer NOT NULL,
    xid bigint NOT NULL,
    at timestamptz NOT NULL,
    actor_kind varchar(16) NOT NULL,
    actor_uid uuid,
    on_behalf_of uuid,
    credential_kind varchar(16) NOT NULL,
    credential_uid uuid,
    request_id varchar(80) NOT NULL,
    action varchar(64) NOT NULL,
    target_type varchar(32) NOT NULL,
    target_uid uuid,
    workspace_uid uuid,
    facts jsonb NOT NULL,
    count integer NOT NULL,
    log_entry bigint,
    detail_hash bytea NOT NULL
) PARTITION BY RANGE (sequence);
CREATE INDEX audit_event_at ON audit_event (at, sequence);
CREATE INDEX audit_event_order ON audit_event (epoch, xid, sequence);
CREATE INDEX audit_event_actor ON audit_event (actor_uid, sequence);
CREATE INDEX audit_event_action ON audit_event (action, sequence);
CREATE INDEX audit_event_target ON audit_event (target_uid, sequence);
CREATE INDEX audit_event_workspace ON audit_event (workspace_uid, sequence);
CREATE INDEX audit_event_request ON audit_event (request_id, sequence);

CREATE TABLE audit_eventdetail (
    sequence bigint PRIMARY KEY,
    salt bytea NOT NULL,
    address inet,
    body text NOT NULL
) PARTITION BY RANGE (sequence);
CREATE INDEX audit_eventdetail_address ON audit_eventdetail (address, sequence);

CREATE TABLE audit_event_default PARTITION OF audit_event DEFAULT;
CREATE TABLE audit_eventdetail_default PARTITION OF audit_eventdetail DEFAULT;
"""

# A stamp can't be chosen by who inserts: OVERRIDING SYSTEM VALUE would allow a foreign sequence, so that it must be
# the one that this very insert drew. A BEFORE trigger can't move a row to another partition, hence the refusal.
STAMP = """
CREATE FUNCTION cs_audit_stamp() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    drawn bigint;
BEGIN
    BEGIN
        drawn := currval('audit_event_sequence_seq');
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
        drawn := NULL;
    END;
    IF NEW.sequence IS DISTINCT FROM drawn THEN
        RAISE EXCEPTION 'the audit trail numbers its events itself' USING ERRCODE = 'insufficient_privilege';
    END IF;
    NEW.epoch := (SELECT number FROM audit_epoch);
    NEW.xid := pg_current_xact_id()::text::bigint;
    NEW.at := clock_timestamp();
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_event_stamp BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION cs_audit_stamp();
"""

# Row triggers are inherited by partitions; TRUNCATE is a statement's, so that each partition needs its own.
REFUSE = """
CREATE FUNCTION cs_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_event_keep BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_eventdetail_keep BEFORE UPDATE OR DELETE ON audit_eventdetail
    FOR EACH ROW EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON audit_event_default
    FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON audit_eventdetail
    FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON audit_eventdetail_default
    FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse();
"""

# Takes no argument, so that the application's role can make what is due and nothing else. ATTACH instead of
# PARTITION OF: it doesn't lock out the writers of the parent. A range whose first rows already fell into the default
# partition stays there, since PostgreSQL refuses to attach a partition over them.
PARTITIONS = """
CREATE FUNCTION cs_audit_partitions_ensure() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    width CONSTANT bigint := 1000000;
    ahead CONSTANT bigint := 2;
    newest bigint;
    following bigint;
    made integer := 0;
    parent text;
    child text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('cs_audit_partitions_ensure'));
    newest := (SELECT last_value / width FROM audit_event_sequence_seq);
    following := greatest(
        (SELECT coalesce(max(substring(c.relname FROM '_r([0-9]+)$')::bigint) + 1, 0)
           FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
          WHERE i.inhparent = 'audit_event'::regclass),
        (SELECT coalesce(max(sequence) / width + 1, 0) FROM audit_event_default),
        (SELECT coalesce(max(sequence) / width + 1, 0) FROM audit_eventdetail_default)
    );
    WHILE following <= newest + ahead LOOP
        FOREACH parent IN ARRAY ARRAY['audit_event', 'audit_eventdetail'] LOOP
            child := parent || '_r' || following;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
                           parent, child, following * width, (following + 1) * width);
            EXECUTE format('CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON %I'
                           ' FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse()', child);
        END LOOP;
        following := following + 1;
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
REVOKE EXECUTE ON FUNCTION cs_audit_partitions_ensure() FROM PUBLIC;
SELECT cs_audit_partitions_ensure();
"""

# One round trip writes any number of events with their details; the plan is kept by plpgsql. The two inserts meet by
# the hash, which the salt makes unique.
RECORD = """
CREATE FUNCTION cs_audit_record(entries jsonb)
RETURNS TABLE (sequence bigint, epoch integer, xid bigint, at timestamptz, detail_hash bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH given AS MATERIALIZED (
        SELECT r.*, decode(r.salt, 'hex') AS salt_bytes,
               sha256(decode(r.salt, 'hex') || convert_to(r.body, 'UTF8')) AS hash
        FROM jsonb_to_recordset(entries) AS r (
            n integer, actor_kind text, actor_uid uuid, on_behalf_of uuid, credential_kind text, credential_uid uuid,
            request_id text, action text, target_type text, target_uid uuid, workspace_uid uuid, facts jsonb,
            count integer, log_entry bigint, salt text, address inet, body text)
    ), event AS (
        INSERT INTO public.audit_event AS e (
            epoch, xid, at, actor_kind, actor_uid, on_behalf_of, credential_kind, credential_uid, request_id, action,
            target_type, target_uid, workspace_uid, facts, count, log_entry, detail_hash)
        SELECT 0, 0, now(), g.actor_kind, g.actor_uid, g.on_behalf_of, g.credential_kind, g.credential_uid,
               g.request_id, g.action, g.target_type, g.target_uid, g.workspace_uid, g.facts, g.count, g.log_entry,
               g.hash
        FROM given g ORDER BY g.n
        RETURNING e.sequence, e.epoch, e.xid, e.at, e.detail_hash
    ), detail AS (
        INSERT INTO public.audit_eventdetail (sequence, salt, address, body)
        SELECT event.sequence, g.salt_bytes, g.address, g.body FROM event JOIN given g ON g.hash = event.detail_hash
    )
    SELECT event.sequence, event.epoch, event.xid, event.at, event.detail_hash FROM event ORDER BY event.sequence;
END
$$;
"""

DROP = """
DROP TABLE audit_event, audit_eventdetail;
DROP FUNCTION cs_audit_record(jsonb), cs_audit_partitions_ensure(), cs_audit_stamp(), cs_audit_refuse();
"""


def make_epoch(apps, _schema_editor):
    """The first epoch is 1."""
    apps.get_model("audit", "Epoch").objects.create(id=1, number=1)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Epoch",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("number", models.IntegerField(default=1)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="audit_epoch_single")
                ]
            },
        ),
        migrations.RunPython(make_epoch, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(TABLES + STAMP + REFUSE + PARTITIONS + RECORD, DROP),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        ("sequence", models.BigAutoField(primary_key=True, serialize=False)),
                        ("epoch", models.IntegerField()),
                        ("xid", models.BigIntegerField()),
                        ("at", models.DateTimeField()),
                        ("actor_kind", models.CharField(blank=True, max_length=16)),
                        ("actor_uid", models.UUIDField(null=True)),
                        ("on_behalf_of", models.UUIDField(null=True)),
                        ("credential_kind", models.CharField(blank=True, max_length=16)),
                        ("credential_uid", models.UUIDField(null=True)),
                        ("request_id", models.CharField(blank=True, max_length=80)),
                        ("action", models.CharField(max_length=64)),
                        ("target_type", models.CharField(max_length=32)),
                        ("target_uid", models.UUIDField(null=True)),
                        ("workspace_uid", models.UUIDField(null=True)),
                        ("facts", models.JSONField(default=dict)),
                        ("count", models.IntegerField(default=1)),
                        ("log_entry", models.BigIntegerField(null=True)),
                        ("detail_hash", models.BinaryField(max_length=32)),
                    ],
                ),
                migrations.CreateModel(
                    name="EventDetail",
                    fields=[
                        (
                            "event",
                            models.OneToOneField(
                                db_column="sequence",
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                related_name="detail",
                                serialize=False,
                                to="audit.event",
                            ),
                        ),
                        ("salt", models.BinaryField(max_length=16)),
                        ("address", models.GenericIPAddressField(null=True)),
                        ("body", models.TextField()),
                    ],
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["at", "sequence"], name="audit_event_at"),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["epoch", "xid", "sequence"], name="audit_event_order"),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["actor_uid", "sequence"], name="audit_event_actor"),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["action", "sequence"], name="audit_event_action"),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["target_uid", "sequence"], name="audit_event_target"),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["workspace_uid", "sequence"], name="audit_event_workspace"),
                ),
                migrations.AddIndex(
                    model_name="event",
                    index=models.Index(fields=["request_id", "sequence"], name="audit_event_request"),
                ),
                migrations.AddIndex(
                    model_name="eventdetail",
                    index=models.Index(fields=["address", "event"], name="audit_eventdetail_address"),
                ),
            ],
        ),
    ]
