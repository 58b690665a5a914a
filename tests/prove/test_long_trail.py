"""A million events: how long their verification takes."""

from __future__ import annotations

import io
import pathlib
import time
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from audit.services import events_seal
from tests.conftest import SERVERS

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 1_000_000
# Of an earlier epoch, so that they have settled whatever their transactions are called.
FILL_SQL = """
WITH given AS MATERIALIZED (
  SELECT n, gen_random_uuid() AS u, decode(md5(n::text), 'hex') AS salt,
         '{"actor":"Ann","address":"192.0.2.7","changes":{"title":{"after":"New","before":"Old"}},'
         '"reason":"","target":"Page ' || n || '"}' AS body
  FROM generate_series(1, %s) n
), event AS (
  INSERT INTO audit_event (epoch, xid, at, actor_kind, actor_uid, credential_kind, credential_uid, request_id,
    action, target_type, target_uid, workspace_uid, facts, count, detail_hash)
  SELECT 0, n / 3, now(), 'user', u, 'session', u, u::text, 'document.updated', 'document', u, u,
    jsonb_build_object('revision', n, 'root', u), 1, sha256(salt || convert_to(body, 'UTF8'))
  FROM given ORDER BY n RETURNING sequence, detail_hash
)
INSERT INTO audit_eventdetail (sequence, salt, address, body)
SELECT e.sequence, g.salt, '192.0.2.7', g.body
FROM event e JOIN given g ON sha256(g.salt || convert_to(g.body, 'UTF8')) = e.detail_hash
"""


def test_verify_a_million_events_in_a_minute(settings: Any, tmp_path: pathlib.Path) -> None:
    """In processor time of the command and of its connection's server process, which take turns."""
    settings.DATA_DIR = tmp_path
    with psycopg.connect(SERVERS.superuser_url()) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(FILL_SQL, [EVENTS])
    while events_seal():
        pass
    spent, out = time.process_time() + _server_seconds(), io.StringIO()
    call_command("verify_audit", stdout=out)
    seconds = time.process_time() + _server_seconds() - spent
    assert out.getvalue().startswith(f"{EVENTS} events are what was sealed")
    assert seconds < 60, f"{seconds:.1f} s of processor time"


def _server_seconds() -> float:
    """Processor time of the process that serves this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        fields = pathlib.Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
