"""What a person has marked, as far as they may still see it."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.actors import person_pk
from cloudscribe.lib.actor import Actor
from documents.models import Document, Favorite, RecentView, Watch, Workspace
from documents.visibility import visible_to


def favorites_of(actor: Actor) -> QuerySet[Favorite]:
    """The actor's favourites outside of the trash."""
    return Favorite.objects.filter(user_id=person_pk(actor), document__in=_shown(actor))


def recent_of(actor: Actor) -> QuerySet[RecentView]:
    """What the actor opened, outside of the trash."""
    return RecentView.objects.filter(user_id=person_pk(actor), document__in=_shown(actor))


def watches_of(actor: Actor) -> QuerySet[Watch]:
    """What the actor watches, outside of the trash."""
    mine = Watch.objects.select_related("document__workspace", "workspace").filter(user_id=person_pk(actor))
    rooms = visible_to(Workspace.objects.all(), actor)
    return mine.filter(Q(document__in=_shown(actor)) | Q(workspace__in=rooms))


def _shown(actor: Actor) -> QuerySet[Document]:
    return visible_to(Document.objects.filter(trashed_at__isnull=True), actor)
