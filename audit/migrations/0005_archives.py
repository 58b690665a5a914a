"""Ranges of events that left the database for a file, and the one way in which a range may leave."""

from django.db import migrations, models

KEEP = """
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_archive
    FOR EACH ROW EXECUTE FUNCTION cs_audit_refuse();
CREATE TRIGGER audit_truncate_refused BEFORE TRUNCATE ON audit_archive
    FOR EACH STATEMENT EXECUTE FUNCTION cs_audit_refuse();
"""

# Runs as who calls it, so that only the owner of the tables gets anything done. What takes long is done under a lock
# that keeps writers out of this one range, where nobody writes any more. The parents are locked last and for as long
# as it takes to unlink files; where somebody reads or writes for longer it lets go, so that nobody queues behind it.
ARCHIVE = """
CREATE FUNCTION cs_audit_archive(archived jsonb, entry jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    given CONSTANT audit_archive := jsonb_populate_record(NULL::audit_archive, archived);
    child name;
    found bigint;
    details bigint;
BEGIN
    SELECT c.relname INTO child FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_event'::regclass AND pg_get_expr(c.relpartbound, c.oid)
        = format('FOR VALUES FROM (%L) TO (%L)', given.first_sequence::text, (given.last_sequence + 1)::text);
    IF child IS NULL THEN
        RAISE EXCEPTION 'no such range' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('LOCK TABLE ONLY %I, ONLY %I IN SHARE ROW EXCLUSIVE MODE', child,
                   replace(child, 'audit_event_', 'audit_eventdetail_'));
    IF EXISTS (SELECT FROM audit_event WHERE sequence < given.first_sequence) THEN
        RAISE EXCEPTION 'an earlier range is still there' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF NOT EXISTS (SELECT FROM audit_event WHERE sequence > given.last_sequence) THEN
        RAISE EXCEPTION 'the range is not full' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    SELECT count(l.leaf) FILTER (WHERE l.leaf < given.tree_size), count(d.sequence) INTO found, details
    FROM audit_event e
    LEFT JOIN audit_eventleaf l ON l.sequence = e.sequence
    LEFT JOIN audit_eventdetail d ON d.sequence = e.sequence
    WHERE e.sequence BETWEEN given.first_sequence AND given.last_sequence
    HAVING count(*) = given.events;
    IF (found, details) IS DISTINCT FROM (given.events, given.events - given.erased) THEN
        RAISE EXCEPTION 'the range is not what was archived' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    FOR attempt IN REVERSE 20..1 LOOP
        BEGIN
            LOCK TABLE ONLY audit_event, ONLY audit_eventdetail IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF attempt = 1 THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.1);
    END LOOP;
    EXECUTE format('DROP TABLE %I, %I', child, replace(child, 'audit_event_', 'audit_eventdetail_'));
    INSERT INTO audit_archive (
        first_sequence, last_sequence, events, erased, tree_size, path, size, sha256, archived_at)
    VALUES (given.first_sequence, given.last_sequence, given.events, given.erased, given.tree_size, given.path,
            given.size, given.sha256, clock_timestamp());
    PERFORM cs_audit_record(jsonb_build_array(entry));
END
$$;
REVOKE EXECUTE ON FUNCTION cs_audit_archive(jsonb, jsonb) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_erasure")]

    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("first_sequence", models.BigIntegerField(db_index=True)),
                ("last_sequence", models.BigIntegerField()),
                ("events", models.BigIntegerField()),
                ("erased", models.BigIntegerField()),
                ("tree_size", models.BigIntegerField()),
                ("path", models.CharField(max_length=200)),
                ("size", models.BigIntegerField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("archived_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(KEEP + ARCHIVE, "DROP FUNCTION cs_audit_archive(jsonb, jsonb);"),
    ]
