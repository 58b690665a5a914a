"""The tables of the product, by noun."""

from documents.models.document import Document, DocumentBody, ScopeCount, State
from documents.models.grant import (
    DocumentGroupPermission,
    DocumentUserPermission,
    Grant,
    Origin,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.models.invitation import Invitation, InvitationState
from documents.models.placement import Placement
from documents.models.revision import Revision, RevisionPayload
from documents.models.search import ImportSource, Lexeme, SearchStatistic
from documents.models.workspace import Workspace

__all__ = [
    "Document",
    "DocumentBody",
    "DocumentGroupPermission",
    "DocumentUserPermission",
    "Grant",
    "ImportSource",
    "Invitation",
    "InvitationState",
    "Lexeme",
    "Origin",
    "Placement",
    "Revision",
    "RevisionPayload",
    "ScopeCount",
    "SearchStatistic",
    "State",
    "Workspace",
    "WorkspaceGroupPermission",
    "WorkspaceUserPermission",
]
