"""What a webhook can be told of: the actions by name, and the patterns that choose among them. Pure."""

from __future__ import annotations

from collections.abc import Collection

EVERYTHING = "*"
_OF_NOUN = ".*"

# Each is an action of the trail that concerns one workspace. Legal holds are not for its managers to know.
ACTIONS = frozenset(
    {
        "access_request.approved",
        "access_request.declined",
        "access_request.received",
        "attachment.created",
        "attachment.infected",
        "attachment.removed",
        "attachment.renamed",
        "comment.created",
        "comment.deleted",
        "comment.updated",
        "document.access_changed",
        "document.archived",
        "document.created",
        "document.locked",
        "document.moved",
        "document.owner_changed",
        "document.published",
        "document.purged",
        "document.restored",
        "document.trashed",
        "document.unarchived",
        "document.unlocked",
        "document.unpublished",
        "document.updated",
        "grant.expired",
        "grant.removed",
        "grant.set",
        "invitation.accepted",
        "invitation.created",
        "invitation.resent",
        "invitation.revoked",
        "link.changed",
        "link.created",
        "link.revoked",
        "member.added",
        "member.changed",
        "member.removed",
        "reaction.added",
        "reaction.removed",
        "revision.expired",
        "revision.named",
        "snapshot.created",
        "snapshot.deleted",
        "snapshot.restored",
        "snapshot.updated",
        "tag.merged",
        "tag.removed",
        "tag.renamed",
        "thread.anchored",
        "thread.deleted",
        "thread.reopened",
        "thread.resolved",
        "webhook.created",
        "webhook.deleted",
        "webhook.disabled",
        "webhook.rotated",
        "webhook.updated",
        "workspace.updated",
    }
)
NOUNS = frozenset(action.partition(".")[0] for action in ACTIONS)
# What of a document is for those who may give rights on it, not for all its readers.
GRANTERS = frozenset({"access_request", "grant", "link"})
PURGED = "document.purged"
# What a receiver is sent to see whether it hears; it can't be chosen and is no event.
PING = "webhook.ping"


def is_pattern(text: str) -> bool:
    """Whether it is an action's name, a noun with `.*`, or `*`."""
    return text == EVERYTHING or text in ACTIONS or text.removesuffix(_OF_NOUN) in NOUNS - {text}


def is_chosen(action: str, patterns: Collection[str]) -> bool:
    """Whether one of the patterns stands for the action."""
    if action not in ACTIONS:
        return False
    return EVERYTHING in patterns or action in patterns or action.partition(".")[0] + _OF_NOUN in patterns
