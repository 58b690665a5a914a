"""The error tracker, where there is one: errors with their request id, without persons, paths or bodies."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.rq import RqIntegration

from cloudscribe.lib.context import current_context

# The messages of these tell values: "Key (email)=(ann@example.org) already exists."
_TELL_VALUES = ("psycopg", "django.db")


def start(dsn: str, release: str) -> None:
    """Report errors to `dsn` from now on."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        before_send=scrub,
        # Statements, requests of ours and lines of logs before the error: they hold values.
        before_breadcrumb=lambda _crumb, _hint: None,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        integrations=[DjangoIntegration(), RqIntegration()],
        # A command's arguments may hold a password.
        disabled_integrations=[ArgvIntegration()],
        shutdown_timeout=2,
    )


def scrub(event: Any, _hint: Any) -> Any:
    """Take out of an event what may hold a secret: the path, the query, the headers, values of statements."""
    work = current_context()
    event.setdefault("tags", {}).update(request_id=work.request_id, route=work.route)
    if "request" in event:
        event["request"] = {"method": event["request"].get("method"), "url": work.route}
    event["transaction"] = work.route or event.get("transaction")
    for error in (event.get("exception") or {}).get("values", ()):
        if str(error.get("module") or "").startswith(_TELL_VALUES):
            error["value"] = "[the message may tell values]"
    return event
