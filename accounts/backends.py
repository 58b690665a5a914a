"""Where Django asks for platform permissions. Objects are documents.backends' business."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User


class PasswordBackend(ModelBackend):
    """Permissions that role groups give. It signs nobody in: that is the service's, behind its limiter."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Nobody."""
        return None

    def has_perm(self, user_obj: Any, perm: str, obj: Any | None = None) -> bool:
        """Whether a role gives `perm`; on an object no role gives anything."""
        return obj is None and super().has_perm(user_obj, perm)
