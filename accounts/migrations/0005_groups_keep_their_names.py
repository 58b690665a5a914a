"""The triggers that keep a team's group from becoming a role's, and a role's from becoming a team's."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

FORWARDS = """
CREATE FUNCTION cs_refuse_group_rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name IS DISTINCT FROM OLD.name AND (OLD.name ~ '^(team|role):' OR NEW.name ~ '^(team|role):') THEN
        RAISE EXCEPTION 'the group of a team or a role keeps its name' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cs_group_rename BEFORE UPDATE OF name ON auth_group
    FOR EACH ROW EXECUTE FUNCTION cs_refuse_group_rename();

CREATE FUNCTION cs_refuse_foreign_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM auth_group WHERE id = NEW.group_id AND name LIKE 'team:%') THEN
        RAISE EXCEPTION 'a team stands over a group of its own' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cs_team_group BEFORE INSERT OR UPDATE OF group_id ON accounts_team
    FOR EACH ROW EXECUTE FUNCTION cs_refuse_foreign_group();
"""

BACKWARDS = """
DROP TRIGGER cs_team_group ON accounts_team;
DROP TRIGGER cs_group_rename ON auth_group;
DROP FUNCTION cs_refuse_foreign_group();
DROP FUNCTION cs_refuse_group_rename();
"""


class Migration(migrations.Migration):
    """What the services never do, the database refuses to whoever goes past them."""

    dependencies: ClassVar = [("accounts", "0004_tokens_and_second_factors")]
    operations: ClassVar = [migrations.RunSQL(FORWARDS, BACKWARDS)]
