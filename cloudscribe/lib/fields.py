"""Model fields that every app uses."""

from __future__ import annotations

from typing import Any

from django.db import models
from uuid_utils.compat import uuid7


class UidField(models.UUIDField):  # type: ignore[type-arg]  # generic in the stubs alone
    """The public id of a row: a UUIDv7 (RFC 9562), made in Python so that it is known before the INSERT."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("default", uuid7)
        options.setdefault("unique", True)
        options.setdefault("editable", False)
        super().__init__(**options)
