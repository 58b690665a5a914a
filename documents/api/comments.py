"""Comments and reactions: `threads/{id}/comments/`, `comments/{id}/`, `comments/{id}/reactions/`."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QuerySerializer,
    StrictCharField,
    StrictSerializer,
)
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.authors import author_reference
from documents.emoji import EMOJI
from documents.models import Comment, Reaction, Thread
from documents.selectors.comments import (
    comment_find,
    comment_shown,
    comments_of,
    comments_shown,
    reactions_of,
    thread_find,
)
from documents.services.commenting import comment_create, comment_delete, comment_update
from documents.services.reactions import reaction_add, reaction_remove

READ, WRITE = "documents:read", "comments:write"


class SaidField(StrictCharField):
    """What is said, in Markdown; more than spaces."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=limits.COMMENT_LENGTH, **options)


class CommentInput(StrictSerializer):
    """What is said. `@[Name](user:<id>)` names a person, who is told if they may see the document."""

    body = SaidField()


class PersonNamed(serializers.Serializer[Any]):
    """A person by their name of today."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class SignCounted(serializers.Serializer[Any]):
    """How many people reacted with a sign, and whether one is among them."""

    emoji = serializers.ChoiceField(choices=EMOJI)
    count = serializers.IntegerField()
    mine = serializers.BooleanField()


class CommentAnswer(serializers.Serializer[Any]):
    """A comment. One that was deleted and that others follow is an empty place without author."""

    id = serializers.UUIDField()
    thread = serializers.UUIDField()
    body = serializers.CharField(allow_blank=True, help_text="In it mentions bear the names of today.")
    author = ActorReferenceSerializer(allow_null=True)
    deleted = serializers.BooleanField()
    mentions = PersonNamed(many=True)
    reactions = SignCounted(many=True)
    edited_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SignInput(StrictSerializer):
    """A sign."""

    emoji = serializers.ChoiceField(choices=EMOJI)


class SignQuery(QuerySerializer):
    """Which sign is taken back."""

    emoji = serializers.ChoiceField(choices=EMOJI)


class ReactionAnswer(serializers.Serializer[Reaction]):
    """One person's sign at a comment."""

    emoji = serializers.ChoiceField(choices=EMOJI)
    user = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    @extend_schema(responses=ActorReferenceSerializer)
    def get_user(self, reaction: Reaction) -> ActorReferenceSerializer:
        """Whose it is."""
        return author_reference(reaction.user, None)  # type: ignore[return-value]


def comment_location(uid: uuid.UUID) -> str:
    """The address of a comment."""
    return f"/api/v1/comments/{uid}/"


class ThreadCommentViewSet(ServiceViewSet):
    """What was said in a thread, in the order in which it was said."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": CommentAnswer, "create": CommentInput}
    answers: ClassVar = {"create": CommentAnswer}
    scope_map: ClassVar = {"list": READ, "create": WRITE}
    problems: ClassVar = {"list": (410,), "create": (409, 410)}
    ordering_choices: ClassVar = {"created_at": "pk"}
    default_ordering = "created_at"
    tag = "comments"

    def list(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """List the comments of a thread, the first one's first, which opened it."""
        thread = self._thread()
        rows: list[Comment] = self.paginate_queryset(comments_of(thread)) or []
        return self.get_paginated_response(comments_shown(self.actor, rows, thread.uid))

    def create(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Answer in a thread. Who took part in it, whoever watches the document and its owner are told."""
        made = comment_create(actor=self.actor, thread=self._thread(), body=self.input()["body"])
        return self.respond(_shown(self.actor, made.uid), location=comment_location(made.uid))

    def _thread(self) -> Thread:
        return thread_find(self.actor, uuid.UUID(str(self.kwargs["id"])))


class CommentViewSet(ServiceViewSet):
    """One comment."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"retrieve": CommentAnswer, "partial_update": CommentInput}
    answers: ClassVar = {"partial_update": CommentAnswer}
    scope_map: ClassVar = {"retrieve": READ, "partial_update": WRITE, "destroy": WRITE}
    problems: ClassVar = {
        "retrieve": (410,),
        "partial_update": (409, 410, 423),
        "destroy": (409, 410, 423),
    }
    tag = "comments"

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """One comment."""
        data = comment_shown(self.actor, self._here())
        return self.respond(data, etag=make_etag(data))

    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Say it otherwise, as its author."""
        comment = comment_update(actor=self.actor, comment=self._here(), body=self.input()["body"])
        return self.respond(_shown(self.actor, comment.uid))

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Take a comment back, as its author or as who manages the document.

        Where others follow an empty place stays; with the last comment the thread goes.
        """
        comment_delete(actor=self.actor, comment=self._here())
        return self.respond()

    def _here(self) -> Comment:
        return comment_find(self.actor, uuid.UUID(str(self.kwargs["id"])))


class ReactionViewSet(ServiceViewSet):
    """Signs at a comment, each person's each once."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": ReactionAnswer, "create": SignInput}
    answers: ClassVar = {"create": CommentAnswer}
    queries: ClassVar = {"destroy": SignQuery}
    scope_map: ClassVar = {"list": READ, "create": WRITE, "destroy": WRITE}
    problems: ClassVar = {"list": (410,), "create": (409, 410), "destroy": (409, 410)}
    ordering_choices: ClassVar = {"created_at": "pk"}
    default_ordering = "created_at"
    tag = "comments"

    def list(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Who reacted to a comment, and how."""
        return self.paged(reactions_of(self._here()))

    @extend_schema(responses={200: CommentAnswer, 201: CommentAnswer})
    def create(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """React to a comment: 201 with the comment, 200 where one had done so before."""
        comment = self._here()
        made = reaction_add(actor=self.actor, comment=comment, emoji=self.input()["emoji"])
        shown = _shown(self.actor, comment.uid)
        if not made:
            return self.respond(shown, status=200)
        return self.respond(shown, location=comment_location(comment.uid))

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Take the own sign back; what isn't there is no fault."""
        emoji = self.query()["emoji"]
        reaction_remove(actor=self.actor, comment=self._here(), emoji=emoji)
        return self.respond()

    def _here(self) -> Comment:
        return comment_find(self.actor, uuid.UUID(str(self.kwargs["id"])))


def _shown(actor: Any, uid: uuid.UUID) -> dict[str, Any]:
    """The comment after a write, as it is read."""
    return comment_shown(actor, comment_find(actor, uid))
