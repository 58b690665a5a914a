"""The kinds of jobs of this app, by name."""

from __future__ import annotations

BLOBS_SWEEP = "documents.blobs_sweep"
BLOB_SCAN = "documents.blob_scan"
BLOB_SCANS = "documents.blob_scans"
DOCUMENT_COPY = "documents.copy"
ACCESS_REQUEST_TELL = "documents.access_request_tell"
ACCESS_REQUESTS_PURGE = "documents.access_requests_purge"
INVITATIONS_PURGE = "documents.invitations_purge"
LINK_VISITS_PURGE = "documents.link_visits_purge"
SEARCH_INDEX = "documents.search_index"
SEARCH_STATISTICS = "documents.search_statistics"
SCOPE_COUNTS = "documents.scope_counts"
THUMBNAILS = "documents.thumbnails"
TRASH_PURGE = "documents.trash_purge"
RECENT_PRUNE = "documents.recent_prune"
WATCH_NEWS = "documents.watch_news"
