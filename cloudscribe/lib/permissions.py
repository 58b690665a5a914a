"""Route permissions: who may call a route at all. What may be done to an object is asked of the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from cloudscribe.lib.actor import Actor, actor_of
from cloudscribe.lib.errors import Forbidden, MissingScope

if TYPE_CHECKING:  # views load the default permission classes while they are being defined
    from rest_framework.views import APIView


def scope_require(actor: Actor, scope: str) -> None:
    """Raise MissingScope, which names it, where a token lacks a scope; for what takes more than its route."""
    if not actor.has_scope(scope):
        raise MissingScope(f"The token lacks the scope {scope}.", extra={"scope": scope})


class Denied(BasePermission):
    """Nobody: the default of a view that names no permission class."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Always false."""
        return False


class Public(BasePermission):
    """Everybody, signed in or not; named so that an open route is a decision and not an oversight."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Always true."""
        return True


class Authenticated(BasePermission):
    """Whoever is signed in, as far as the credential's scopes reach.

    The view's `required_scope` names the scope of the action at hand. A view without one is for sessions
    alone: a token that was cut to size never reaches what nobody thought of when it was cut.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True for a signed-in actor; raises NotAuthenticated or MissingScope, which names the scope."""
        actor = actor_of(request)
        if actor.scopes is None:
            return True
        scope = getattr(view, "required_scope", None)
        if scope is None:
            raise MissingScope("This is open to sessions only, not to access tokens.", extra={"scope": None})
        scope_require(actor, scope)
        return True


class _HasPermission(Authenticated):
    permission: str

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Authenticated by more than one place's token, and holding the named platform permission.

        Else Forbidden names it.
        """
        super().has_permission(request, view)
        if actor_of(request).limit is not None:
            # The whole platform is no part of one workspace.
            raise Forbidden(
                "A token that is cut to a place reaches nothing of the platform.",
                extra={"permission": self.permission},
            )
        if not request.user.has_perm(self.permission):
            raise Forbidden(
                f"This needs the permission {self.permission}.", extra={"permission": self.permission}
            )
        return True


def HasPermission(permission: str) -> type[_HasPermission]:  # noqa: N802 (makes a class)
    """The permission class of those who hold the platform permission `app.codename`."""
    members: dict[str, Any] = {"permission": permission, "__doc__": f"Holders of {permission}."}
    return type("HasPermission", (_HasPermission,), members)
