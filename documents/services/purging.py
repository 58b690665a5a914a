"""Removing documents for good with all that hangs on them: a statement for each table, however many."""

from __future__ import annotations

from django.db.models import CASCADE, SET_NULL, ForeignObjectRel, Model, QuerySet


def rows_purge(rows: QuerySet[Model]) -> None:
    """Remove documents, or rows of another table, with what belongs to them; of a document all below it, too.

    As `QuerySet.delete`, which would fetch them first: a million documents don't fit into memory. What goes
    along is told by the relations of the models, so that no new table is forgotten; what a foreign key
    forbids the database refuses at the end of the transaction. Nobody is told by signals: news are the
    trail's. For services that hold the workspace.
    """
    for relation in _relations(rows.model):
        table, name = relation.related_model, relation.field.name
        owned = table._base_manager.filter(**{f"{name}__in": rows.order_by().values("pk")})  # noqa: SLF001 (documented)
        if relation.on_delete is CASCADE:
            rows_purge(owned)
        elif relation.on_delete is SET_NULL:
            owned.update(**{name: None})
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
