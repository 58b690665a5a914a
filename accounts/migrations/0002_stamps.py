"""The triggers that make stamps rise, and the one that keeps Django permissions out of teams."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

FORWARDS = """
-- A stamp's row comes with its user or group, so that rising is always an UPDATE: while a user is being deleted an
-- upsert would bring the row back and break the foreign key.
CREATE FUNCTION cs_make_user_stamps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_userstamp (user_id) SELECT id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION cs_make_group_stamps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_groupstamp (group_id) SELECT id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER cs_user_stamp AFTER INSERT ON accounts_user REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION cs_make_user_stamps();
CREATE TRIGGER cs_group_stamp AFTER INSERT ON auth_group REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION cs_make_group_stamps();
INSERT INTO accounts_groupstamp (group_id) SELECT id FROM auth_group ON CONFLICT DO NOTHING;

-- Rows are locked in the order of their keys, since an UPDATE alone takes them in any order and two would deadlock.
CREATE FUNCTION cs_bump_user_stamps(users bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM accounts_userstamp WHERE user_id = ANY (users) ORDER BY user_id FOR NO KEY UPDATE;
    UPDATE accounts_userstamp SET stamp = stamp + 1 WHERE user_id = ANY (users);
END $$;
CREATE FUNCTION cs_bump_group_stamps(groups bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM accounts_groupstamp WHERE group_id = ANY (groups) ORDER BY group_id FOR NO KEY UPDATE;
    UPDATE accounts_groupstamp SET stamp = stamp + 1 WHERE group_id = ANY (groups);
END $$;

CREATE FUNCTION cs_membership_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT user_id) INTO touched FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT user_id) INTO touched FROM removed;
    ELSE
        SELECT array_agg(DISTINCT user_id) INTO touched
        FROM (SELECT user_id FROM added UNION SELECT user_id FROM removed) AS both_sides;
    END IF;
    IF touched IS NOT NULL THEN
        PERFORM cs_bump_user_stamps(touched);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cs_membership_added AFTER INSERT ON accounts_user_groups REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION cs_membership_changed();
CREATE TRIGGER cs_membership_removed AFTER DELETE ON accounts_user_groups REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION cs_membership_changed();
CREATE TRIGGER cs_membership_moved AFTER UPDATE ON accounts_user_groups
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION cs_membership_changed();

CREATE FUNCTION cs_refuse_team_permission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM auth_group WHERE id = NEW.group_id AND name LIKE 'team:%') THEN
        RAISE EXCEPTION 'a team carries no platform permission' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cs_team_permission BEFORE INSERT OR UPDATE ON auth_group_permissions
    FOR EACH ROW EXECUTE FUNCTION cs_refuse_team_permission();
"""

BACKWARDS = """
DROP TRIGGER cs_team_permission ON auth_group_permissions;
DROP TRIGGER cs_membership_added ON accounts_user_groups;
DROP TRIGGER cs_membership_removed ON accounts_user_groups;
DROP TRIGGER cs_membership_moved ON accounts_user_groups;
DROP TRIGGER cs_user_stamp ON accounts_user;
DROP TRIGGER cs_group_stamp ON auth_group;
DROP FUNCTION cs_refuse_team_permission();
DROP FUNCTION cs_membership_changed();
DROP FUNCTION cs_bump_group_stamps(bigint[]);
DROP FUNCTION cs_bump_user_stamps(bigint[]);
DROP FUNCTION cs_make_group_stamps();
DROP FUNCTION cs_make_user_stamps();
"""


class Migration(migrations.Migration):
    """Statement-level triggers: one change of a thousand memberships is one change of the stamps."""

    dependencies: ClassVar = [("accounts", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(FORWARDS, BACKWARDS)]
