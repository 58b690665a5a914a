"""Routes under /api/v1/."""

from __future__ import annotations

from typing import Any

from django.urls import path

from documents.api.access import AccessViewSet
from documents.api.access_requests import AccessRequestViewSet, OwnAccessRequestViewSet
from documents.api.attachments import AttachmentFileViewSet, AttachmentListViewSet, AttachmentViewSet
from documents.api.backlinks import BacklinkViewSet
from documents.api.batch import BatchViewSet
from documents.api.blame import BlameViewSet
from documents.api.changes import ChangesViewSet
from documents.api.comments import CommentViewSet, ReactionViewSet, ThreadCommentViewSet
from documents.api.content import ContentViewSet
from documents.api.copying import CopyingViewSet
from documents.api.documents import DocumentViewSet
from documents.api.emergency import EmergencyViewSet
from documents.api.exports import DocumentExportViewSet
from documents.api.holds import DocumentHoldViewSet, WorkspaceHoldViewSet
from documents.api.imports import ImportViewSet
from documents.api.invitations import AcceptanceViewSet, InvitationViewSet
from documents.api.links import LinkViewSet
from documents.api.locks import LockViewSet
from documents.api.marks import (
    DocumentWatchViewSet,
    FavoriteViewSet,
    OwnWatchViewSet,
    RecentViewSet,
    WorkspaceWatchViewSet,
)
from documents.api.members import GrantViewSet, MemberViewSet
from documents.api.people import PeopleViewSet
from documents.api.rendering import PreviewViewSet, RenderingViewSet
from documents.api.revisions import RevisionViewSet
from documents.api.search import SearchViewSet
from documents.api.shared import SharedViewSet
from documents.api.shared_comments import SharedThreadViewSet
from documents.api.snapshots import SnapshotViewSet
from documents.api.tags import TagViewSet
from documents.api.threads import DocumentThreadViewSet, ThreadViewSet
from documents.api.trail import HistoryViewSet, WorkspaceEventsViewSet
from documents.api.usage import UsageViewSet
from documents.api.webhooks import WebhookViewSet
from documents.api.workspaces import WorkspaceViewSet

_LIST: dict[str, Any] = {"get": "list", "post": "create"}
_ITEM: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_SNAPSHOTS = "workspaces/<uuid:workspace>/snapshots/"
_WEBHOOKS = "workspaces/<uuid:workspace>/webhooks/"
_WEBHOOK = _WEBHOOKS + "<uuid:webhook>/"
_DELIVERY = _WEBHOOK + "deliveries/<uuid:delivery>/"
_MARK: dict[str, Any] = {"put": "mark", "post": "add", "delete": "destroy"}
_HELD: dict[str, Any] = {"get": "retrieve", "delete": "destroy"}
_WORKSPACE = "workspaces/<uuid:id>/"
_MEMBERS = "workspaces/<uuid:workspace>/members/"
_INVITATIONS = "workspaces/<uuid:workspace>/invitations/"
_INVITATION = _INVITATIONS + "<uuid:invitation>/"
_TAGS = "workspaces/<uuid:workspace>/tags/"
_DOCUMENT = "documents/<uuid:id>/"
_CONTENT: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "put": "update"}
_GRANTS = "documents/<uuid:document>/grants/"
_ACCESS = "documents/<uuid:document>/access/"
_ACCESS_REQUESTS = "documents/<uuid:document>/access-requests/"
_ACCESS_REQUEST = _ACCESS_REQUESTS + "<uuid:access_request>/"
_LINKS = "documents/<uuid:document>/links/"
_SHARED = "shared/<str:secret>/"
_SHARED_CONTENT: dict[str, Any] = {"get": "content", "patch": "content_update", "put": "content_replace"}
_SHARED_THREADS: dict[str, Any] = {"get": "threads", "post": "thread_create"}
_SHARED_COMMENTS: dict[str, Any] = {"get": "comments", "post": "comment_create"}
_REVISIONS = "documents/<uuid:document>/revisions/"
_THREAD = "threads/<uuid:id>/"
_COMMENT = "comments/<uuid:id>/"
_DOCUMENT_ACTIONS = ("move", "publish", "unpublish", "archive", "unarchive", "trash", "restore")

urlpatterns = [
    # What is asked most stands first, as in cloudscribe.urls.
    path("documents/", DocumentViewSet.as_view(_LIST)),
    path(_DOCUMENT, DocumentViewSet.as_view(_ITEM)),
    path("search/", SearchViewSet.as_view({"get": "find"})),
    path("changes/", ChangesViewSet.as_view({"get": "follow"})),
    path("users/", PeopleViewSet.as_view({"get": "list"})),
    path("workspaces/", WorkspaceViewSet.as_view(_LIST)),
    path(_WORKSPACE, WorkspaceViewSet.as_view(_ITEM)),
    path(_WORKSPACE + "tree/", WorkspaceViewSet.as_view({"get": "tree"})),
    path(_WORKSPACE + "trash/", WorkspaceViewSet.as_view({"get": "trash"})),
    path(_WORKSPACE + "usage/", UsageViewSet.as_view({"get": "usage"})),
    path(_WORKSPACE + "events/", WorkspaceEventsViewSet.as_view({"get": "events"})),
    path(_TAGS, TagViewSet.as_view({"get": "list"})),
    path(_TAGS + "<path:tag>/merge/", TagViewSet.as_view({"post": "merge"})),
    path(_TAGS + "<path:tag>/", TagViewSet.as_view({"patch": "partial_update", "delete": "destroy"})),
    path(_MEMBERS, MemberViewSet.as_view(_LIST)),
    path(_MEMBERS + "<uuid:grant>/", MemberViewSet.as_view(_ITEM)),
    path(_INVITATIONS, InvitationViewSet.as_view({"get": "list"})),
    path(_INVITATION, InvitationViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
    path(_INVITATION + "resend/", InvitationViewSet.as_view({"post": "resend"})),
    path("auth/invitations/accept/", AcceptanceViewSet.as_view({"post": "accept"})),
    path(_DOCUMENT + "content/", ContentViewSet.as_view(_CONTENT)),
    path(_DOCUMENT + "history/", HistoryViewSet.as_view({"get": "history"})),
    path(_DOCUMENT + "html/", RenderingViewSet.as_view({"get": "html"})),
    path("imports/", ImportViewSet.as_view({"post": "create"})),
    path("render/", PreviewViewSet.as_view({"post": "preview"})),
    path("documents/batch/", BatchViewSet.as_view({"post": "change"})),
    path(_DOCUMENT + "copy/", CopyingViewSet.as_view({"post": "copy"})),
    path(_DOCUMENT + "children/", DocumentViewSet.as_view({"get": "children"})),
    path(_DOCUMENT + "ancestors/", DocumentViewSet.as_view({"get": "ancestors"})),
    *[path(f"{_DOCUMENT}{name}/", DocumentViewSet.as_view({"post": name})) for name in _DOCUMENT_ACTIONS],
    path(_SNAPSHOTS, SnapshotViewSet.as_view(_LIST)),
    path(_SNAPSHOTS + "<uuid:snapshot>/", SnapshotViewSet.as_view(_ITEM)),
    path(_SNAPSHOTS + "<uuid:snapshot>/compare/", SnapshotViewSet.as_view({"get": "compare"})),
    path(_SNAPSHOTS + "<uuid:snapshot>/restore/", SnapshotViewSet.as_view({"post": "restore"})),
    path(_DOCUMENT + "favorite/", FavoriteViewSet.as_view(_MARK)),
    path(_DOCUMENT + "watch/", DocumentWatchViewSet.as_view({"get": "retrieve", **_MARK})),
    path(_WORKSPACE + "watch/", WorkspaceWatchViewSet.as_view({"get": "retrieve", **_MARK})),
    path("me/favorites/", FavoriteViewSet.as_view({"get": "list"})),
    path("me/recent/", RecentViewSet.as_view({"get": "list", "delete": "destroy"})),
    path("me/watches/", OwnWatchViewSet.as_view({"get": "list"})),
    path(_DOCUMENT + "backlinks/", BacklinkViewSet.as_view({"get": "list"})),
    path(_DOCUMENT + "lock/", LockViewSet.as_view({"post": "take", "delete": "destroy"})),
    path(_GRANTS, GrantViewSet.as_view(_LIST)),
    path(_GRANTS + "<uuid:grant>/", GrantViewSet.as_view(_ITEM)),
    path(_DOCUMENT + "owner-override/", EmergencyViewSet.as_view({"post": "override"})),
    path(_DOCUMENT + "break-glass/", EmergencyViewSet.as_view({"post": "break_glass"})),
    path(_ACCESS_REQUESTS, AccessRequestViewSet.as_view(_LIST)),
    path(_ACCESS_REQUEST + "approve/", AccessRequestViewSet.as_view({"post": "approve"})),
    path(_ACCESS_REQUEST + "decline/", AccessRequestViewSet.as_view({"post": "decline"})),
    path("me/access-requests/", OwnAccessRequestViewSet.as_view({"get": "list"})),
    path(_ACCESS, AccessViewSet.as_view({"get": "list"})),
    path(_ACCESS + "explain/", AccessViewSet.as_view({"get": "explain"})),
    path(_LINKS, LinkViewSet.as_view({**_LIST, "delete": "revoke_all"})),
    path(_LINKS + "<uuid:link>/", LinkViewSet.as_view(_ITEM)),
    path(_LINKS + "<uuid:link>/visits/", LinkViewSet.as_view({"get": "visits"})),
    path(_SHARED, SharedViewSet.as_view({"get": "retrieve"})),
    path(_SHARED + "content/", SharedViewSet.as_view(_SHARED_CONTENT)),
    path(_SHARED + "files/<str:key>/", SharedViewSet.as_view({"get": "file"})),
    path(_SHARED + "documents/<str:key>/", SharedViewSet.as_view({"get": "retrieve"})),
    path(_SHARED + "documents/<str:key>/content/", SharedViewSet.as_view(_SHARED_CONTENT)),
    path(_DOCUMENT + "blame/", BlameViewSet.as_view({"get": "blame"})),
    path(_REVISIONS, RevisionViewSet.as_view({"get": "list"})),
    path(
        _REVISIONS + "<int:number>/", RevisionViewSet.as_view({"get": "retrieve", "patch": "partial_update"})
    ),
    path(_REVISIONS + "<int:number>/diff/", RevisionViewSet.as_view({"get": "diff"})),
    path(_REVISIONS + "<int:number>/restore/", RevisionViewSet.as_view({"post": "restore"})),
    path("documents/<uuid:document>/attachments/", AttachmentListViewSet.as_view(_LIST)),
    path("attachments/<uuid:id>/", AttachmentViewSet.as_view(_ITEM)),
    path("attachments/<uuid:id>/file/", AttachmentFileViewSet.as_view({"get": "file"})),
    path("documents/<uuid:document>/holds/", DocumentHoldViewSet.as_view(_LIST)),
    path("documents/<uuid:document>/holds/<uuid:hold>/", DocumentHoldViewSet.as_view(_HELD)),
    path("workspaces/<uuid:workspace>/holds/", WorkspaceHoldViewSet.as_view(_LIST)),
    path("workspaces/<uuid:workspace>/holds/<uuid:hold>/", WorkspaceHoldViewSet.as_view(_HELD)),
    path(_WEBHOOKS, WebhookViewSet.as_view(_LIST)),
    path(_WEBHOOK, WebhookViewSet.as_view(_ITEM)),
    *[
        path(f"{_WEBHOOK}{name}/", WebhookViewSet.as_view({"post": name}))
        for name in ("ping", "replay", "rotate")
    ],
    path(_WEBHOOK + "deliveries/", WebhookViewSet.as_view({"get": "deliveries"})),
    path(_DELIVERY, WebhookViewSet.as_view({"get": "delivery_retrieve"})),
    path(_DELIVERY + "redeliver/", WebhookViewSet.as_view({"post": "redeliver"})),
    path("documents/<uuid:document>/threads/", DocumentThreadViewSet.as_view(_LIST)),
    path(_THREAD, ThreadViewSet.as_view(_ITEM)),
    *[path(f"{_THREAD}{name}/", ThreadViewSet.as_view({"post": name})) for name in ("resolve", "reopen")],
    path(_THREAD + "comments/", ThreadCommentViewSet.as_view(_LIST)),
    path(_COMMENT, CommentViewSet.as_view(_ITEM)),
    path(_COMMENT + "reactions/", ReactionViewSet.as_view({**_LIST, "delete": "destroy"})),
    path(_SHARED + "threads/", SharedThreadViewSet.as_view(_SHARED_THREADS)),
    path(_SHARED + "threads/<str:key>/comments/", SharedThreadViewSet.as_view(_SHARED_COMMENTS)),
    path(_SHARED + "documents/<str:key>/threads/", SharedThreadViewSet.as_view(_SHARED_THREADS)),
    path("exports/", DocumentExportViewSet.as_view({"post": "create"})),
    path("search/suggest/", SearchViewSet.as_view({"get": "suggest"})),
]
