"""What the application's database role may do: everything but to alter the trail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections
from psycopg import sql

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND pg_get_userbyid(c.relowner) = current_user
"""
_SEQUENCES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'S' AND pg_get_userbyid(c.relowner) = current_user
"""
# What the application may have the owner's role do, within the bounds that the functions keep to.
_FUNCTIONS = ("public.cs_audit_partitions_ensure()", "public.cs_audit_erase(uuid, jsonb)")
# And what it may not.
_OWNERS_FUNCTIONS = ("public.cs_audit_archive(jsonb, jsonb)",)
_APPENDED = {
    "audit_archive",
    "audit_event",
    "audit_eventdetail",
    "audit_eventleaf",
    "audit_seal",
    "audit_treenode",
}


def grant_application_rights(using: str = "default", **_: Any) -> None:
    """Give the application's role its rights on what was just migrated; receives post_migrate.

    Does nothing where both roles are one (`doctor` and `check --deploy` say so) or on the application's own
    connection.
    """
    connection = connections[using]
    application = settings.APP_DATABASE_ROLE
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [application])
        current, known = cursor.fetchone()
        if not application or current == application or not known:
            return
        cursor.execute(_TABLES)
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute(_SEQUENCES)
        sequences = [name for (name,) in cursor.fetchall()]
        for statement in _statements(application, tables, sequences):
            cursor.execute(statement)


def _statements(application: str, tables: list[str], sequences: list[str]) -> list[sql.Composed]:
    role = sql.Identifier(application)
    statements = [sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role)]
    for table in tables:
        name = sql.Identifier("public", table)
        statements.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(name, role))
        rights = _rights(table)
        if rights:
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(rights), name, role))
    statements += [
        sql.SQL("GRANT USAGE, SELECT ON SEQUENCE {} TO {}").format(sql.Identifier("public", name), role)
        for name in sequences
        if not name.startswith("audit_")
    ]
    # As their migrations say; a restored backup has lost it.
    statements += [
        sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function))
        for function in (*_FUNCTIONS, *_OWNERS_FUNCTIONS)
    ]
    for function in _FUNCTIONS:
        statements.append(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), role))
    return statements


def _rights(table: str) -> str:
    """The rights on one table; none on a partition, which is reached through its parent."""
    if table in _APPENDED:
        return "SELECT, INSERT"
    if table.startswith(("audit_event_", "audit_eventdetail_")):
        return ""
    if table == "audit_epoch":
        return "SELECT"
    if table == "auditlog_logentry":
        return "SELECT, INSERT, UPDATE (actor_id)"  # a deleted user leaves the entries without a key
    return "SELECT, INSERT, UPDATE, DELETE"
