"""The one way in which something personal leaves the trail: on a deleted person's demand, on the record."""

from django.db import migrations

# Rows of details may go while an erasure is at work, and only who owns the tables may delete them at all.
KEEP = """
CREATE FUNCTION cs_audit_keep_detail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('cloudscribe.erasing', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP TRIGGER audit_eventdetail_keep ON audit_eventdetail;
CREATE TRIGGER audit_eventdetail_keep BEFORE UPDATE OR DELETE ON audit_eventdetail
    FOR EACH ROW EXECUTE FUNCTION cs_audit_keep_detail();
"""

# The event that lists what was erased is written by the function itself, so that no erasure is without one.
ERASE = """
CREATE FUNCTION cs_audit_erase(person uuid, entry jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM accounts_user WHERE uid = person AND deleted_at IS NOT NULL) THEN
        RAISE EXCEPTION 'only what concerns a deleted person is erased' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('cloudscribe.erasing', 'on', true);
    WITH concerned AS MATERIALIZED (
        SELECT sequence FROM audit_event WHERE actor_uid = person OR on_behalf_of = person OR target_uid = person
            OR strpos(facts::text, person::text) > 0
    ), deleted AS (
        DELETE FROM audit_eventdetail d USING concerned c WHERE d.sequence = c.sequence RETURNING d.sequence
    )
    SELECT coalesce(array_agg(sequence ORDER BY sequence), '{}') INTO gone FROM deleted;
    PERFORM set_config('cloudscribe.erasing', 'off', true);
    DELETE FROM auditlog_logentry l USING accounts_user u
    WHERE u.uid = person AND (l.actor_id = u.id OR l.object_id = u.id AND l.content_type_id = (
        SELECT id FROM django_content_type WHERE app_label = 'accounts' AND model = 'user'));
    IF gone <> '{}' THEN
        PERFORM cs_audit_record(jsonb_build_array(jsonb_set(entry, '{facts,sequences}', to_jsonb(gone))));
    END IF;
    RETURN cardinality(gone);
END
$$;
REVOKE EXECUTE ON FUNCTION cs_audit_erase(uuid, jsonb) FROM PUBLIC;
"""

UNDO = """
DROP FUNCTION cs_audit_erase(uuid, jsonb);
DROP TRIGGER audit_eventdetail_keep ON audit_eventdetail;
CREATE TRIGGER audit_eventdetail_keep BEFORE UPDATE OR DELETE ON audit_eventdetail
    FOR EACH ROW EXECUTE FUNCTION cs_audit_refuse();
DROP FUNCTION cs_audit_keep_detail();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_export_permission")]

    operations = [
        migrations.AlterModelOptions(
            name="event",
            options={
                "permissions": [
                    ("erase_person", "Can erase what the trail holds of a deleted person"),
                    ("export_event", "Can export the audit trail"),
                ]
            },
        ),
        migrations.RunSQL(KEEP + ERASE, UNDO),
    ]
