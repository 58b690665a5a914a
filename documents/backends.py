"""`user.has_perm("documents.edit_document", document)`: object rights with inheritance, for the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from accounts.models import User
from accounts.selectors import database_now
from documents.models import Document, Workspace
from documents.roles import ROLE_BITS, ROLE_OF_CODENAME
from documents.visibility import access_map_load, bits_on


class DocumentRightsBackend(BaseBackend):
    """Answers for documents and workspaces, from the grants as they are now; signs nobody in.

    Being a superuser counts for nothing here.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether the user's role on the object reaches up to the one that the permission names."""
        role = ROLE_OF_CODENAME.get(perm.removeprefix("documents."))
        if role is None or not isinstance(obj, Document | Workspace) or not _is_live_user(user_obj):
            return False
        if perm.endswith("_document") != isinstance(obj, Document):
            return False
        rights = access_map_load(user_obj.pk).alive(database_now().timestamp())
        bits = bits_on(rights, None, obj) if isinstance(obj, Document) else rights.get(-obj.pk, 0)
        return ROLE_BITS[role] & ~bits == 0


def _is_live_user(user: Any) -> bool:
    return isinstance(user, User) and user.is_active
