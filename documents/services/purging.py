"""Removing documents for good with all that hangs on them: a statement for each table, however many."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import CASCADE, SET_NULL, ForeignObjectRel, Model, QuerySet

from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.services.placing import reach_uids, subtree
from documents.services.tree_jobs import Check, unchecked


def rows_purge(rows: QuerySet[Model], check: Check = unchecked) -> None:
    """Remove documents, or rows of another table, with what belongs to them; of a document all below it, too.

    As `QuerySet.delete`, which would fetch them first: a million documents don't fit into memory. What goes
    along is told by the relations of the models, so that no new table is forgotten; what a foreign key
    forbids the database refuses at the end of the transaction. Nobody is told by signals: news are the
    trail's. For services that hold the workspace. Raises what `check` raises, asked before each table.
    """
    for relation in _relations(rows.model):
        table, name = relation.related_model, relation.field.name
        owned = table._base_manager.filter(**{f"{name}__in": rows.order_by().values("pk")})  # noqa: SLF001 (documented)
        if relation.on_delete is CASCADE:
            rows_purge(owned, check)
        elif relation.on_delete is SET_NULL:
            owned.update(**{name: None})
    check()
    rows.order_by()._raw_delete(rows.db)  # noqa: SLF001 (the one statement without Django's collecting)


def _relations(model: type[Model]) -> list[ForeignObjectRel]:
    """Those by which rows of other tables belong to one of the model's."""
    return [
        field
        for field in model._meta.get_fields(include_hidden=True)  # noqa: SLF001 (documented)
        if isinstance(field, ForeignObjectRel)
        and (field.one_to_one or field.one_to_many)
        and field.related_model is not model
    ]


def purge_facts(root: Document) -> dict[str, Any]:
    """For the event, since no row will tell who could see what is removed: `reach` and `places`.

    `reach` are the documents and the workspace above whose grants reach the root, `places` the removed
    documents that were granted by themselves, each as its id with those of the people and teams.
    """
    held = subtree(root)
    subjects: dict[str, set[str]] = defaultdict(set)
    rows = (
        DocumentUserPermission.objects.filter(content_object__in=held),
        DocumentGroupPermission.objects.filter(content_object__in=held),
    )
    for grants, subject in zip(rows, ("user__uid", "group__team__uid"), strict=True):
        for place, uid in grants.values_list("content_object__uid", subject):
            subjects[str(place)].add(str(uid))
    above = reach_uids(key for key in root.reach if key != root.pk)
    return {
        "reach": sorted(map(str, above.values())),
        "places": [[place, sorted(subjects[place])] for place in sorted(subjects)],
    }


def workspace_subjects(workspace: Workspace) -> list[str]:
    """The ids of all people and teams that were granted anything in a workspace, for the event of its end."""
    inside = {"content_object__workspace": workspace}
    found: set[str] = set()
    for grants, places, subject in (
        (WorkspaceUserPermission, {"content_object": workspace}, "user__uid"),
        (WorkspaceGroupPermission, {"content_object": workspace}, "group__team__uid"),
        (DocumentUserPermission, inside, "user__uid"),
        (DocumentGroupPermission, inside, "group__team__uid"),
    ):
        rows = grants.objects.filter(**places).values_list(subject, flat=True).distinct()
        found.update(map(str, rows))
    return sorted(found)
