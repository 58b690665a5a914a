"""Erasing what the trail holds of a person, which leaves the events and their seals whole."""

from __future__ import annotations

import uuid

import orjson
from django.db import connection

from audit.services.events import Entry, Target, entry_row
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

PERSON_ERASED = "person.erased"


@transactional
def person_details_erase(*, actor: Actor, person: uuid.UUID, reason: str = "") -> int:
    """Remove the details of every event that concerns a deleted person; how many. Who may, asks the caller.

    They are those that the person acted in, that are about them, or that name them among their facts, by id.
    One event lists their numbers, so that verification says "erased" of them; a second time there is nothing
    left and no event.
    """
    entry = Entry(actor, PERSON_ERASED, Target("user", person, ""), reason=reason)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cs_audit_erase(%s, %s::jsonb)", [person, orjson.dumps(entry_row(entry)).decode()]
        )
        return int(cursor.fetchone()[0])
