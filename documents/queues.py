"""The kinds of jobs of this app, by name."""

from __future__ import annotations

DOCUMENT_COPY = "documents.copy"
ACCESS_REQUEST_TELL = "documents.access_request_tell"
ACCESS_REQUESTS_PURGE = "documents.access_requests_purge"
INVITATIONS_PURGE = "documents.invitations_purge"
SEARCH_INDEX = "documents.search_index"
SEARCH_STATISTICS = "documents.search_statistics"
SCOPE_COUNTS = "documents.scope_counts"
TRASH_PURGE = "documents.trash_purge"
