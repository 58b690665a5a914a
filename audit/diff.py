"""What changed between two states of a row, by django-auditlog's comparison."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from auditlog.diff import model_instance_diff
from django.db import models


def model_changes(
    before: models.Model | None, after: models.Model | None, fields: Collection[str]
) -> dict[str, tuple[Any, Any]]:
    """Field → (before, after) for those of `fields` that differ; None stands for a row that isn't there.

    Only the named fields are looked at, so that a secret gets into the trail by decision, never by oversight.
    """
    return model_instance_diff(before, after, fields_to_check=fields, use_json_for_changes=True) or {}
