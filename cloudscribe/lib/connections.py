"""How settings turn the addresses of PostgreSQL and Redis into Django's dictionaries."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import environ

# By kind of process: nothing waits for ever, and only an operator's own command may take its time.
_STATEMENT_LIMITS = {
    "web": {"statement_timeout": "10s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "15s"},
    "job": {"statement_timeout": "5min", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "15s"},
    "command": {"lock_timeout": "5s"},
}

# In seconds, for the client: so far above the server's that it is the server which ends a slow statement.
_ANSWER_LIMITS = {"web": 12, "job": 302}

# Of what `prepared_rows` sends: the server plans such a statement once, whatever the values, and not the
# first five times anew.
_PREPARED = {"plan_cache_mode": "force_generic_plan"}

# Left alone, a server compiles what it takes to be costly: for seconds, where statements then run for a
# millisecond, as the estimates for many joins and for tables without statistics are high.
_COMPILED = {"jit": "off"}

# A join that merges stops where the statistics say that the column ends. Of a row that is newer than they are
# (somebody who has just registered signs in) it then walks all of the other table's index: 97 ms for each
# request among 200,000 accounts, where a lookup takes 0.1.
_JOINED = {"enable_mergejoin": "off"}


def database_config(url: str, process_kind: str) -> dict[str, Any]:
    """An entry of DATABASES for `url`, with the time-outs of a `web`, `job` or `command` process."""
    config: dict[str, Any] = dict(environ.Env.db_url_config(url or "postgres:///cloudscribe"))
    # A socket's folder stands percent-encoded in the host's place.
    config["HOST"] = unquote(config.get("HOST") or "")
    options = config.setdefault("OPTIONS", {})
    sessions = {**_STATEMENT_LIMITS[process_kind], **_PREPARED, **_COMPILED, **_JOINED}
    options["options"] = " ".join(f"-c {name}={value}" for name, value in sessions.items())
    options["application_name"] = f"cloudscribe-{process_kind}"
    options["connect_timeout"] = 5
    options["answer_timeout"] = _ANSWER_LIMITS.get(process_kind)
    # The driver's cursors prepare nothing: with a rollback they would deallocate what `prepared_rows` keeps.
    options["prepare_threshold"] = None
    config["CONN_MAX_AGE"] = None if process_kind == "web" else 0
    config["CONN_HEALTH_CHECKS"] = process_kind == "web"
    config["ATOMIC_REQUESTS"] = False
    config["ENGINE"] = "cloudscribe.lib.postgresql"
    return config


def redis_url(url: str, offset: int) -> str:
    """`url` with its database number raised by `offset`."""
    base, _, query = (url or "redis://127.0.0.1:6379").partition("?")
    if base.startswith("unix://"):
        number = next((part[3:] for part in query.split("&") if part.startswith("db=")), "0")
        return f"{base}?db={int(number) + offset}"
    head, slash, tail = base.rpartition("/")
    if slash and tail.isdigit() and not head.endswith("/"):
        return f"{head}/{int(tail) + offset}" + (f"?{query}" if query else "")
    return f"{base.rstrip('/')}/{offset}" + (f"?{query}" if query else "")


def cache_config(location: str, prefix: str, timeout: float) -> dict[str, Any]:
    """An entry of CACHES over django-redis; no call waits longer than `timeout` seconds."""
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": location,
        "KEY_PREFIX": prefix,
        "OPTIONS": {
            # JSON, not pickle: whoever can write to Redis must not be able to run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": timeout,
            "SOCKET_TIMEOUT": timeout,
            "CONNECTION_POOL_KWARGS": {"max_connections": 32, "retry": None},
        },
    }


def queue_config(url: str, process_kind: str, timeout: float) -> dict[str, Any]:
    """An entry of RQ_QUEUES; RQ's pages in the admin wait no longer than `timeout` seconds for Redis.

    Workers set their own limit, which is longer: they wait for a bell.
    """
    limits = f"socket_timeout={timeout}&socket_connect_timeout={timeout}"
    return {
        "URL": url if process_kind == "job" else f"{url}{'&' if '?' in url else '?'}{limits}",
        "DEFAULT_TIMEOUT": 300,
        "SERIALIZER": "rq.serializers.JSONSerializer",
    }
