"""A stamp that changes with anybody's name, so that processes may keep names until then."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

FORWARDS = """
-- A new row in place of those that nobody else is replacing: whoever renames waits for nobody, or two who hold
-- other rows would wait for each other. By chance, not by one more: no stamp comes back with other names,
-- whatever was rolled back.
CREATE FUNCTION cs_renew_people_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM accounts_peoplestamp
    WHERE stamp IN (SELECT stamp FROM accounts_peoplestamp FOR UPDATE SKIP LOCKED);
    INSERT INTO accounts_peoplestamp (stamp) VALUES (hashtextextended(gen_random_uuid()::text, 0));
    RETURN NULL;
END $$;
CREATE TRIGGER cs_user_named AFTER UPDATE OF name ON accounts_user
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION cs_renew_people_stamp();
INSERT INTO accounts_peoplestamp (stamp) VALUES (hashtextextended(gen_random_uuid()::text, 0));
"""

BACKWARDS = """
DROP TRIGGER cs_user_named ON accounts_user;
DROP FUNCTION cs_renew_people_stamp();
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0010_plural_of_identity")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="PeopleStamp",
            fields=[("stamp", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
