"""The checks of `manage.py doctor`: each looks at one dependency or setting and says what to do about it."""

from __future__ import annotations

import dataclasses
import enum
import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.cache import caches
from django.core.checks import WARNING, run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from cloudscribe.lib.breaker import redis_call
from cloudscribe.lib.errors import DomainError
from cloudscribe.lib.storage import file_pieces, file_remove, file_save
from documents.scanning import ScannerUnavailable, scanner_version
from security.models import ReadOnly

OLDEST_SUPPORTED = 150_000
LONG_WRITER_SECONDS = 60
LOW_DISK_BYTES = 1 << 30


class Verdict(enum.StrEnum):
    """How a check came out; `warn` works but should be mended, `fail` does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's answer; `remedy` is empty where all is well."""

    subject: str
    verdict: Verdict
    detail: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def diagnose() -> Iterator[Finding]:
    """Run every check in order; without PostgreSQL those that ask it are left out."""
    yield from check_postgresql()
    if connection.connection is not None:
        for check in (check_locale, check_roles, check_migrations, check_read_only, check_writers):
            yield from check()
    for check in (check_redis, check_data_folder, check_files, check_scanner, check_settings):
        yield from check()


def _query(sql: str) -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return tuple(row or ())


def check_postgresql() -> Iterator[Finding]:
    """Whether PostgreSQL answers and is new enough."""
    try:
        connection.ensure_connection()
        (version,) = _query("SELECT current_setting('server_version_num')::int")
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[-1]
        remedy = "Start it, correct DATABASE_URL, or make roles and database by `manage.py setup_roles`."
        yield Finding("PostgreSQL", Verdict.FAIL, reason, remedy)
        return
    if int(str(version)) < OLDEST_SUPPORTED:
        yield Finding("PostgreSQL", Verdict.FAIL, f"version {version}", "Use PostgreSQL 15 or newer.")
    else:
        yield Finding("PostgreSQL", Verdict.OK, f"version {version}")


def check_locale() -> Iterator[Finding]:
    """Whether the database knows letters outside ASCII; search and canonical addresses stand on it."""
    (lowered,) = _query("SELECT lower('É')")
    if lowered == "é":
        yield Finding("Locale", Verdict.OK, "letters outside ASCII fold")
    else:
        yield Finding(
            "Locale",
            Verdict.FAIL,
            "lower('É') does nothing",
            "Make the database anew with LC_CTYPE 'C.UTF-8' (on 17 and newer LOCALE_PROVIDER builtin "
            "BUILTIN_LOCALE 'PG_UNICODE_FAST') and TEMPLATE template0.",
        )


def check_roles() -> Iterator[Finding]:
    """Whether the application's role is kept from what only the owner may do."""
    (superuser, owner) = _query(
        "SELECT r.rolsuper, pg_has_role(current_user, d.datdba, 'MEMBER') FROM pg_roles r, pg_database d "
        "WHERE r.rolname = current_user AND d.datname = current_database()"
    )
    if superuser or owner:
        yield Finding(
            "Database roles",
            Verdict.WARN,
            "the application's role owns the database, so it could alter the audit trail",
            "Run `manage.py setup_roles` and set DATABASE_OWNER_URL apart from DATABASE_URL.",
        )
    else:
        yield Finding("Database roles", Verdict.OK, "the application's role owns nothing")


def check_migrations() -> Iterator[Finding]:
    """Whether the schema is the one that this code expects."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Finding(
            "Schema", Verdict.FAIL, f"{len(missing)} migrations are due", "Run `manage.py migrate`."
        )
    else:
        yield Finding("Schema", Verdict.OK, "every migration is applied")


def check_read_only() -> Iterator[Finding]:
    """Whether somebody has frozen the installation, since when and why."""
    if _query("SELECT to_regclass('security_readonly')") == (None,):
        return
    row = ReadOnly.objects.first()
    if row is None:
        yield Finding("Writing", Verdict.OK, "goes on")
        return
    because = f", because: {row.reason}" if row.reason else ""
    detail = f"read-only since {row.since.isoformat(timespec='seconds')}{because}"
    yield Finding("Writing", Verdict.WARN, detail, "When that is over, run `manage.py read_only off`.")


def check_writers() -> Iterator[Finding]:
    """How old the oldest transaction with writes is: the change feed and the sealer wait for it."""
    (age,) = _query(
        "SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0)::int FROM pg_stat_activity "
        "WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
    )
    verdict = Verdict.WARN if int(str(age)) > LONG_WRITER_SECONDS else Verdict.OK
    remedy = "End it: SELECT pg_terminate_backend(pid)." if verdict is Verdict.WARN else ""
    yield Finding("Oldest writer", verdict, f"{age} s", remedy)


def check_redis() -> Iterator[Finding]:
    """Whether Redis answers; everything works without it, only slower."""
    if redis_call(lambda: caches["default"].get("doctor", "answers"), default=None):
        yield Finding("Redis", Verdict.OK, "answers")
    else:
        remedy = "Start it, or correct REDIS_URL; until then everything works, and jobs start slower."
        yield Finding("Redis", Verdict.WARN, "does not answer", remedy)


def check_data_folder() -> Iterator[Finding]:
    """Whether the data folder can be written and has room."""
    folder = settings.DATA_DIR
    if not os.access(folder, os.W_OK):
        yield Finding(
            "Data folder", Verdict.FAIL, "not writable", "Give this user the folder of CLOUDSCRIBE_DATA."
        )
        return
    free = shutil.disk_usage(folder).free
    verdict = Verdict.WARN if free < LOW_DISK_BYTES else Verdict.OK
    remedy = "Free some space or move CLOUDSCRIBE_DATA." if verdict is Verdict.WARN else ""
    yield Finding("Data folder", verdict, f"{free >> 20} MiB free", remedy)


def check_files() -> Iterator[Finding]:
    """Whether files can be stored, read and removed where they lie."""
    name = f"doctor/{secrets.token_hex(8)}"
    try:
        file_save(name, io.BytesIO(name.encode()))
        whole = b"".join(file_pieces(name, 0, len(name))) == name.encode()
        file_remove(name)
    except DomainError as error:
        yield Finding("Files", Verdict.FAIL, error.message, "Look after the folder `media/`, or the bucket.")
        return
    if whole:
        yield Finding("Files", Verdict.OK, "can be stored and read")
    else:
        yield Finding("Files", Verdict.FAIL, "come back changed", "Look after the bucket's server.")


def check_scanner() -> Iterator[Finding]:
    """Whether the virus scanner answers, where one is set; files are held back until it does."""
    if not settings.CLAMAV_URL:
        return
    try:
        yield Finding("Scanner", Verdict.OK, scanner_version())
    except ScannerUnavailable:
        remedy = "Start clamd, or correct CLOUDSCRIBE_CLAMAV_URL; new files are held back until then."
        yield Finding("Scanner", Verdict.FAIL, "does not answer", remedy)


def check_settings() -> Iterator[Finding]:
    """What Django's own deployment checks and ours find."""
    found = [message for message in run_checks(include_deployment_checks=True) if message.level >= WARNING]
    for message in found:
        if not message.is_silenced():
            yield Finding("Settings", Verdict.WARN, f"{message.id}: {message.msg}", str(message.hint or ""))
    if not any(not message.is_silenced() for message in found):
        yield Finding("Settings", Verdict.OK, "no unsafe combination")
