"""What is tried to get SQL in: classic payloads, and every place of every operation that takes a text."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import connection

SLEEP = 30
PAYLOADS: tuple[str, ...] = (
    # ends of strings and statements
    "'",
    '"',
    "''",
    "`",
    "\\",
    "\\'",
    "';--",
    "' -- ",
    "'/*",
    "*/ OR 1=1 --",
    "')",
    "'));--",
    "';",
    "\u02bc OR \u02bc1\u02bc=\u02bc1",
    "\uff07 OR 1=1 --",
    "x' || 'y",
    # always true, always false
    "' OR '1'='1",
    "' OR 1=1--",
    "1 OR 1=1",
    "1) OR (1=1",
    "' AND 1=0 --",
    "-1 OR true",
    "admin@example.org'--",
    "' OR email_key IS NOT NULL --",
    # other tables
    "' UNION SELECT NULL--",
    "' UNION ALL SELECT email, password FROM accounts_user --",
    "0 UNION SELECT usename FROM pg_user",
    "(SELECT password FROM accounts_user LIMIT 1)",
    "id,(SELECT password FROM accounts_user LIMIT 1)",
    "owner__password",
    "owner__password__startswith",
    # more than one statement
    "'; DROP TABLE documents_document; --",
    "'; DELETE FROM accounts_user; --",
    "'; UPDATE accounts_user SET is_superuser = true; --",
    "1; INSERT INTO auth_group (name) VALUES ('role:owned')",
    "'; TRUNCATE audit_event; --",
    "'; SET ROLE postgres; --",
    "'; COMMIT; --",
    "'; ROLLBACK; DELETE FROM documents_document; --",
    # time
    f"'; SELECT pg_sleep({SLEEP}); --",
    f"' || pg_sleep({SLEEP}) || '",
    f"1 AND (SELECT 1 FROM pg_sleep({SLEEP})) IS NOT NULL",
    f"(SELECT CASE WHEN true THEN pg_sleep({SLEEP}) END)",
    f"$$; SELECT pg_sleep({SLEEP}); $$",
    # errors that tell
    "' AND CAST((SELECT version()) AS int)=1 --",
    "1/(SELECT 0)",
    "99999999999999999999999999",
    "-9223372036854775809",
    "NaN",
    # the server's files and programs
    "'; COPY accounts_user TO '/tmp/x'; --",
    "'; COPY accounts_user FROM PROGRAM 'id'; --",
    "' || pg_read_file('/etc/passwd') || '",
    "' || lo_import('/etc/passwd') || '",
    # what stands for values and patterns
    "%s",
    "%(user)s",
    "%%",
    "$1",
    "{0.__class__}",
    "%_",
    "a:* & !b | (c",
    "<-> & ''",
    '{"a","b"}',
    "{NULL}",
    "$.x ? (@ == 1)",
    "id; DROP TABLE x",
    "-updated_at,(SELECT 1)",
    "updated_at DESC NULLS LAST",
    "E'\\x27'",
    "U&'\\0027'",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """One place of an operation that takes a text: `kind` is query, path, header or body."""

    kind: str
    name: str
    free: bool = True

    def payloads(self, operation: str, count: int) -> list[str]:
        """`count` of the payloads, others at each point; all of them over the points of a few operations."""
        start = zlib.crc32(f"{operation} {self.kind} {self.name}".encode())
        step = 29  # no divisor of their number: a few already come from every group
        return [PAYLOADS[(start + step * at) % len(PAYLOADS)] for at in range(min(count, len(PAYLOADS)))]


def points(operation: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[Point]:
    """What the schema says that an operation takes."""
    for each in operation.get("parameters", []):
        parameter = _resolved(each, components)
        kind = parameter.get("schema", {})
        free = kind.get("type") == "string" and "format" not in kind and "enum" not in kind
        yield Point(parameter["in"], parameter["name"], free)
    content = operation.get("requestBody", {}).get("content", {})
    body = _resolved(content.get("application/json", {}).get("schema", {}), components)
    for name in body.get("properties", {}):
        yield Point("body", name)


def _resolved(node: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        _, section, name = node["$ref"].rsplit("/", 2)
        node = components[section][name]
    return dict(node)


_TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""


def table_names() -> list[str]:
    """Every table, of those in partitions the whole."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [name for (name,) in cursor.fetchall()]


def digest(apart: frozenset[str] = frozenset()) -> dict[str, str]:
    """Each table's number of rows with the MD5 of all of them in their order; `apart` are left out."""
    tables = [name for name in table_names() if name not in apart]
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*) || ' ' || md5(coalesce(string_agg(t::text, '\n' "
                f"ORDER BY t::text COLLATE \"C\"), '')) FROM {name} t"
                for name in tables
            )
        )
        return dict(cursor.fetchall())
