"""`manage.py setup_roles`: the two roles and the database, on a PostgreSQL server of the operator's own."""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from django.core.management.base import BaseCommand, CommandParser
from psycopg import sql

from cloudscribe.lib import env
from cloudscribe.lib.commands import UsageError

BUILTIN_LOCALE_SINCE = 170_000


@dataclasses.dataclass(frozen=True, slots=True)
class Login:
    """Who a database URL signs in as, and where."""

    role: str
    password: str
    database: str

    def masked(self) -> Login:
        """The same, fit to be printed."""
        return dataclasses.replace(self, password="***" if self.password else "")

    @classmethod
    def of(cls, url: str, variable: str) -> Login:
        """Read it from a URL; raises UsageError where role or database are not named."""
        parts = urlsplit(url)
        role = unquote(parts.username or "") or parse_qs(parts.query).get("user", [""])[0]
        database = unquote(parts.path.lstrip("/"))
        if not role or not database:
            raise UsageError(f"{variable} must name a role and a database.")
        return cls(role, unquote(parts.password or ""), database)


class Command(BaseCommand):
    """Make the role that owns, the role that the application uses, and the database; safe to run again."""

    help = (
        "Make the roles and the database that DATABASE_OWNER_URL and DATABASE_URL name, over a connection "
        "that may create both. The application's role then owns nothing: it can't alter the audit trail."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One argument: how to connect as a superuser."""
        parser.add_argument(
            "--superuser-url", required=True, help="for example postgres://postgres@localhost/postgres"
        )
        parser.add_argument("--dry-run", action="store_true", help="print the statements, run nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Each statement stands alone, since CREATE DATABASE allows no transaction."""
        owner = Login.of(env.raw("DATABASE_OWNER_URL") or "", "DATABASE_OWNER_URL")
        app = Login.of(env.raw("DATABASE_URL") or "", "DATABASE_URL")
        if owner.role == app.role or owner.database != app.database:
            raise UsageError("DATABASE_URL and DATABASE_OWNER_URL must name one database and two roles.")
        if options["dry_run"]:
            owner, app = owner.masked(), app.masked()
        with psycopg.connect(options["superuser_url"], autocommit=True) as connection:
            for statement in self._statements(connection, owner, app):
                if options["dry_run"]:
                    self.stdout.write(statement.as_string(connection) + ";")
                else:
                    connection.execute(statement)
        if not options["dry_run"]:
            self.stdout.write(
                f"{owner.role} owns {owner.database}, {app.role} uses it. Now run `manage.py migrate`."
            )

    def _statements(
        self, connection: psycopg.Connection[Any], owner: Login, app: Login
    ) -> list[sql.Composed]:
        statements = [self._role(connection, login) for login in (owner, app)]
        found = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [owner.database]
        ).fetchone()
        if not found:
            statements.append(self._database(connection, owner))
        database = sql.Identifier(owner.database)
        statements += [
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(owner.role)),
            sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
                database, sql.Identifier(app.role)
            ),
        ]
        return statements

    @staticmethod
    def _role(connection: psycopg.Connection[Any], login: Login) -> sql.Composed:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login.role]).fetchone()
        verb = sql.SQL("ALTER" if found else "CREATE")
        role = sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE").format(verb, sql.Identifier(login.role))
        if login.password:
            role += sql.SQL(" PASSWORD {}").format(sql.Literal(login.password))
        return sql.Composed([role])

    @staticmethod
    def _database(connection: psycopg.Connection[Any], owner: Login) -> sql.Composed:
        locale = sql.SQL("LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
        if connection.info.server_version >= BUILTIN_LOCALE_SINCE:
            locale = sql.SQL(
                "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
            )
        return sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' {}").format(
            sql.Identifier(owner.database), sql.Identifier(owner.role), locale
        )
