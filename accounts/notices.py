"""Notifications as their reader may see them at this moment."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.models import Notification
from accounts.notifications import kind_named
from accounts.ports import notices
from accounts.visibility import teams_visible
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.texts import printable

_LONGEST = 200
# What is the reader's own, whatever rights they have lost.
_OWN = frozenset({"passkey", "session", "token", "totp"})
_PLACES = frozenset({"document", "workspace"})

Named = tuple[str, uuid.UUID]


@dataclasses.dataclass(frozen=True, slots=True)
class Notice:
    """A notification and what of it may be shown.

    `target_uid` and `title` are None for what the reader may not see now, or there is no more, likewise
    `workspace_uid` and `workspace_name`, which is on one line.
    """

    row: Notification
    target_uid: uuid.UUID | None
    title: str | None
    workspace_uid: uuid.UUID | None
    workspace_name: str | None

    @property
    def target(self) -> Notice | None:
        """Itself where it is about something; None for what speaks for itself."""
        return self if self.row.target_type else None

    @property
    def line(self) -> str:
        """Its sentence on one line of printable letters; empty where there is nothing to say."""
        kind = kind_named(self.row.kind)
        if kind is None:
            return ""
        hidden = bool(self.row.target_type) and self.target_uid is None
        words = {**self.row.facts, "actor": self.row.actor_name, "target": self.title or "something"}
        sentence = kind.hidden_line if hidden else kind.line
        return sentence.format_map({name: _printable(str(word)) for name, word in words.items()})


def notifications_of(actor: Actor) -> QuerySet[Notification]:
    """The actor's inbox. A credential that is cut to a workspace or a document has none."""
    if actor.limit is not None or actor.pk is None:
        return Notification.objects.none()
    return Notification.objects.filter(user_id=actor.pk)


def notices_shown(actor: Actor, rows: Sequence[Notification]) -> list[Notice]:
    """The rows, in their order, with what their reader, the actor, may see of them at this moment.

    At most one query for the places and one for the teams of all of them.
    """
    titles = _titles(actor, rows)
    return [_shown(row, titles) for row in rows]


def _shown(row: Notification, titles: dict[Named, str]) -> Notice:
    title, target = None, None
    if row.target_uid is not None and row.target_type in _OWN:
        title, target = row.facts.get("name"), row.target_uid
    elif row.target_uid is not None:
        title = titles.get((row.target_type, row.target_uid))
        target = None if title is None else row.target_uid
    name = titles.get(("workspace", row.workspace_uid)) if row.workspace_uid else None
    if name is None:
        return Notice(row, target, title, None, None)
    return Notice(row, target, title, row.workspace_uid, _printable(name))


def _titles(actor: Actor, rows: Sequence[Notification]) -> dict[Named, str]:
    wanted = {(row.target_type, row.target_uid) for row in rows if row.target_uid}
    wanted |= {("workspace", row.workspace_uid) for row in rows if row.workspace_uid}
    placed = {named for named in wanted if named[0] in _PLACES}
    titles = dict(notices.ask.titles(actor, placed)) if placed else {}
    teams = [uid for kind, uid in wanted if kind == "team"]
    if teams:
        found = teams_visible(actor).filter(uid__in=teams).values_list("uid", "name")
        titles.update({("team", uid): name for uid, name in found})
    return titles


def _printable(text: str) -> str:
    """A name or title as a mail's header and lines can hold it: nothing breaks out of its line."""
    return " ".join(printable(text, " ").split())[:_LONGEST]
