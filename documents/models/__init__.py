"""The tables of the product, by noun."""

from documents.models.access_request import AccessRequest, AskedState, Decision
from documents.models.attachment import Attachment, AttachmentUsage, Blob, BlobState
from documents.models.comments import Comment, Mention, Reaction, Thread
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
from documents.models.keeping import Hold, Snapshot
from documents.models.marks import Favorite, RecentView, Reference, Watch, WatchProgress
from documents.models.placement import Placement
from documents.models.revision import Revision, RevisionName, RevisionPayload
from documents.models.search import DocumentTitle, ImportSource, Lexeme, SearchStatistic
from documents.models.share_link import LinkState, LinkVisit, ShareLink
from documents.models.webhook import Delivery, DeliveryStatus, Webhook, WebhookProgress
from documents.models.workspace import Workspace

__all__ = [
    "AccessRequest",
    "AskedState",
    "Attachment",
    "AttachmentUsage",
    "Blob",
    "BlobState",
    "Comment",
    "Decision",
    "Delivery",
    "DeliveryStatus",
    "Document",
    "DocumentBody",
    "DocumentGroupPermission",
    "DocumentTitle",
    "DocumentUserPermission",
    "Favorite",
    "Grant",
    "Hold",
    "ImportSource",
    "Invitation",
    "InvitationState",
    "Lexeme",
    "LinkState",
    "LinkVisit",
    "Mention",
    "Origin",
    "Placement",
    "Reaction",
    "RecentView",
    "Reference",
    "Revision",
    "RevisionName",
    "RevisionPayload",
    "ScopeCount",
    "SearchStatistic",
    "ShareLink",
    "Snapshot",
    "State",
    "Thread",
    "Watch",
    "WatchProgress",
    "Webhook",
    "WebhookProgress",
    "Workspace",
    "WorkspaceGroupPermission",
    "WorkspaceUserPermission",
]
