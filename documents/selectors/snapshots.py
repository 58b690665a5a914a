"""The snapshots of a workspace that somebody may work with."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from cloudscribe.lib.actor import Actor
from documents.models import Document, Snapshot, Workspace
from documents.policies import ACTION_BITS, Action
from documents.visibility import visible_to


def snapshots_of(actor: Actor, workspace: Workspace) -> QuerySet[Snapshot]:
    """Those of the whole workspace, and of the subtrees whose snapshots the actor may make, in the trash too.

    The caller has asked for the right in the workspace.
    """
    roots = visible_to(Document.objects.all(), actor, ACTION_BITS[Action.SNAPSHOT])
    rows = Snapshot.objects.select_related("workspace", "root", "created_by").filter(workspace=workspace)
    return rows.filter(Q(root__isnull=True) | Q(root__in=roots))
