"""What the database does by itself: it places new documents, bumps the stamps of rights, keeps revisions as written."""

from __future__ import annotations

from django.conf import settings
from django.db import migrations

PLACE = """
CREATE FUNCTION cs_document_place() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above documents_document%ROWTYPE;
    label text := lpad(to_hex(NEW.id), 10, '0');
    cut boolean := NOT NEW.inherits_access OR NEW.state = 'draft';
BEGIN
    IF NEW.parent_id IS NULL THEN
        NEW.path := label;
        NEW.depth := 1;
        NEW.reach := CASE WHEN cut THEN ARRAY[NEW.id] ELSE ARRAY[NEW.id, -NEW.workspace_id] END;
        NEW.scope_id := CASE WHEN cut THEN NEW.id ELSE -NEW.workspace_id END;
        RETURN NEW;
    END IF;
    SELECT * INTO above FROM documents_document WHERE id = NEW.parent_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the parent of document % does not exist', NEW.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'documents_document_parent';
    END IF;
    NEW.path := above.path || label;
    NEW.depth := above.depth + 1;
    NEW.reach := CASE WHEN cut THEN ARRAY[NEW.id] ELSE NEW.id || above.reach END;
    NEW.scope_id := CASE WHEN cut THEN NEW.id ELSE above.scope_id END;
    RETURN NEW;
END $$;
CREATE TRIGGER cs_document_place BEFORE INSERT ON documents_document
    FOR EACH ROW EXECUTE FUNCTION cs_document_place();

-- The parent stands in the same workspace; deferred, since a move rewrites a whole subtree and a purge removes it.
ALTER TABLE documents_document ADD CONSTRAINT documents_document_parent
    FOREIGN KEY (parent_id, workspace_id) REFERENCES documents_document (id, workspace_id)
    DEFERRABLE INITIALLY DEFERRED;
"""

UNPLACE = """
ALTER TABLE documents_document DROP CONSTRAINT documents_document_parent;
DROP TRIGGER cs_document_place ON documents_document;
DROP FUNCTION cs_document_place();
"""

KEEP = """
CREATE FUNCTION cs_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is written once', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER cs_revision_written_once BEFORE UPDATE ON documents_revision
    FOR EACH STATEMENT EXECUTE FUNCTION cs_refuse_update();
CREATE TRIGGER cs_revisionpayload_written_once BEFORE UPDATE ON documents_revisionpayload
    FOR EACH STATEMENT EXECUTE FUNCTION cs_refuse_update();
"""

UNKEEP = """
DROP TRIGGER cs_revision_written_once ON documents_revision;
DROP TRIGGER cs_revisionpayload_written_once ON documents_revisionpayload;
DROP FUNCTION cs_refuse_update();
"""

# Only what bulk writes can't miss: statement triggers, and three a table, since transition tables allow neither two
# events nor UPDATE OF.
STAMP_FUNCTIONS = """
CREATE FUNCTION cs_stamp_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cs_bump_user_stamps((SELECT array_agg(DISTINCT user_id ORDER BY user_id) FROM changed));
    RETURN NULL;
END $$;
CREATE FUNCTION cs_stamp_users_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cs_bump_user_stamps((SELECT array_agg(DISTINCT user_id ORDER BY user_id)
        FROM (SELECT user_id FROM before UNION SELECT user_id FROM after) AS touched));
    RETURN NULL;
END $$;
CREATE FUNCTION cs_stamp_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cs_bump_group_stamps((SELECT array_agg(DISTINCT group_id ORDER BY group_id) FROM changed));
    RETURN NULL;
END $$;
CREATE FUNCTION cs_stamp_groups_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM cs_bump_group_stamps((SELECT array_agg(DISTINCT group_id ORDER BY group_id)
        FROM (SELECT group_id FROM before UNION SELECT group_id FROM after) AS touched));
    RETURN NULL;
END $$;
"""

UNSTAMP_FUNCTIONS = """
DROP FUNCTION cs_stamp_users();
DROP FUNCTION cs_stamp_users_updated();
DROP FUNCTION cs_stamp_groups();
DROP FUNCTION cs_stamp_groups_updated();
"""

GRANT_TABLES = [
    ("documents_workspaceuserpermission", "cs_stamp_users"),
    ("documents_workspacegrouppermission", "cs_stamp_groups"),
    ("documents_documentuserpermission", "cs_stamp_users"),
    ("documents_documentgrouppermission", "cs_stamp_groups"),
]

STAMP_TABLE = """
CREATE TRIGGER cs_stamp_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER cs_stamp_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
CREATE TRIGGER cs_stamp_update AFTER UPDATE ON {table} REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION {function}_updated();
"""

UNSTAMP_TABLE = """
DROP TRIGGER cs_stamp_insert ON {table};
DROP TRIGGER cs_stamp_delete ON {table};
DROP TRIGGER cs_stamp_update ON {table};
"""

# Payloads are compressed already; listings and moves leave room for updates in place.
STORAGE = """
ALTER TABLE documents_revisionpayload ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE documents_document SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE documents_documentbody SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE documents_placement SET (fillfactor = 90);
"""

UNSTORAGE = """
ALTER TABLE documents_revisionpayload ALTER COLUMN payload SET STORAGE EXTENDED;
ALTER TABLE documents_document RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE documents_documentbody RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor);
ALTER TABLE documents_placement RESET (fillfactor);
"""


class Migration(migrations.Migration):
    """After the tables stand."""

    dependencies = [
        ("documents", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(PLACE, UNPLACE),
        migrations.RunSQL(KEEP, UNKEEP),
        migrations.RunSQL(STAMP_FUNCTIONS, UNSTAMP_FUNCTIONS),
        *[
            migrations.RunSQL(
                STAMP_TABLE.format(table=table, function=function),
                UNSTAMP_TABLE.format(table=table),
            )
            for table, function in GRANT_TABLES
        ],
        migrations.RunSQL(STORAGE, UNSTORAGE),
    ]
