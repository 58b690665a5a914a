"""How much a workspace holds, in numbers alone: what is hidden from the reader counts as well."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection

from documents.models import Workspace
from documents.selectors.attachments import attachment_usage

_COUNTED = (
    *("documents", "drafts", "archived", "templates", "trashed", "revisions", "body_bytes"),
    *("people", "teams", "links"),
)
# Revisions are counted without a gap, so that the newest number is how many there are.
_USAGE_SQL = """
SELECT d.documents, d.drafts, d.archived, d.templates, d.trashed, d.revisions, d.bytes, m.people, m.teams,
       l.links
FROM (SELECT count(*) FILTER (WHERE trashed_at IS NULL) AS documents,
             count(*) FILTER (WHERE trashed_at IS NOT NULL) AS trashed,
             count(*) FILTER (WHERE trashed_at IS NULL AND state = 'draft') AS drafts,
             count(*) FILTER (WHERE trashed_at IS NULL AND state = 'archived') AS archived,
             count(*) FILTER (WHERE trashed_at IS NULL AND template) AS templates,
             coalesce(sum(revision), 0)::bigint AS revisions, coalesce(sum(b.size), 0)::bigint AS bytes
      FROM documents_document d JOIN documents_documentbody b ON b.document_id = d.id
      WHERE d.workspace_id = %(workspace)s) AS d,
     (SELECT (SELECT count(DISTINCT user_id) FROM documents_workspaceuserpermission
              WHERE content_object_id = %(workspace)s
                AND (expires_at IS NULL OR expires_at > now())) AS people,
             (SELECT count(DISTINCT group_id) FROM documents_workspacegrouppermission
              WHERE content_object_id = %(workspace)s
                AND (expires_at IS NULL OR expires_at > now())) AS teams
     ) AS m,
     (SELECT count(*) AS links
      FROM documents_sharelink s JOIN documents_document d ON d.id = s.document_id
      JOIN documents_workspace w ON w.id = d.workspace_id
      WHERE d.workspace_id = %(workspace)s AND d.trashed_at IS NULL AND s.revoked_at IS NULL
        AND (s.expires_at IS NULL OR s.expires_at > now())
        AND (w.link_lifetime_days IS NULL OR s.updated_at + w.link_lifetime_days * interval '1 day' > now())
        AND (s.max_uses IS NULL OR s.use_count < s.max_uses)) AS l
"""


def workspace_usage(workspace: Workspace) -> dict[str, Any]:
    """The numbers of a workspace, in two statements; the caller has checked that they may be read."""
    with connection.cursor() as cursor:
        cursor.execute(_USAGE_SQL, {"workspace": workspace.pk})
        counted = dict(zip(_COUNTED, cursor.fetchone(), strict=True))
    files, size = attachment_usage(workspace.pk)
    return {
        **counted,
        "attachments": files,
        "attachment_bytes": size,
        "attachment_quota": settings.ATTACHMENT_QUOTA,
    }
