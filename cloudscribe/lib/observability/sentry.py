"""The error tracker, where there is one: errors with their request id, without persons, paths or bodies."""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.rq import RqIntegration

from cloudscribe.lib.context import current_context


def start(dsn: str, release: str) -> None:
    """Report errors to `dsn` from now on."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        before_send=scrub,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        integrations=[DjangoIntegration(), RqIntegration()],
        shutdown_timeout=2,
    )


def scrub(event: Any, _hint: Any) -> Any:
    """Take out of an event what may hold a secret: the path, the query and the headers."""
    work = current_context()
    event.setdefault("tags", {}).update(request_id=work.request_id, route=work.route)
    if "request" in event:
        event["request"] = {"method": event["request"].get("method"), "url": work.route}
    event["transaction"] = work.route or event.get("transaction")
    return event
