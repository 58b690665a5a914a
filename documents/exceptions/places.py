"""The refusals of trees and states."""

from __future__ import annotations

from cloudscribe.lib.errors import (
    BusinessError,
    Gone,
    InvalidInput,
    Locked,
)


class DocumentArchived(BusinessError):
    """An archived document is readable and takes no writes."""

    code = "document_archived"
    title = "The document is archived"
    detail = "Bring it back with unarchive first."


class DocumentNotInTrash(BusinessError):
    """Only what lies in the trash can be restored or purged."""

    code = "not_in_trash"
    title = "The document is not in the trash"


class DocumentTooDeep(BusinessError):
    """Trees are 20 levels deep at most."""

    code = "too_deep"
    title = "The tree would become too deep"
    detail = "A tree is 20 levels deep at most."


class DocumentTrashed(Gone):
    """It lies in the trash; said only to those who may edit it."""

    code = "trashed"
    title = "The document is in the trash"
    detail = "Restore it, or find it in the workspace's trash."


class DraftState(BusinessError):
    """A draft is published before anything else happens to its state."""

    code = "document_draft"
    title = "The document is a draft"


class MoveIntoItself(BusinessError):
    """A document can't stand below itself."""

    code = "move_into_itself"
    title = "A document can't stand below itself"


class ParentTrashed(BusinessError):
    """Its place lies in the trash itself."""

    code = "parent_trashed"
    title = "The place of the document is in the trash"
    detail = "Restore the document above it first."


class SiblingNotFound(InvalidInput):
    """`before` or `after` names no visible sibling at the place wanted."""

    code = "sibling_not_found"
    title = "No such sibling"


class TagExists(BusinessError):
    """A tag is renamed to a name that is free; two become one by a merge."""

    code = "tag_exists"
    title = "There is such a tag already"
    detail = "Merge the tags if they are to become one."


class WorkspaceBusy(Locked):
    """A job rewrites a large part of this workspace's tree."""

    code = "workspace_busy"
    title = "The workspace is being rearranged"
    detail = "A large change of its tree is under way. Try again shortly."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "5"})
