"""`users/?search=`: people whom one shares a workspace with."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import Q
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import User
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QuerySerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.selectors.people import people_known


class PersonAnswer(serializers.Serializer[User]):
    """A person as colleagues see them."""

    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    email = serializers.EmailField()


class PeopleQuery(QuerySerializer):
    """Part of a name or the beginning of an address."""

    search = serializers.CharField(required=False, min_length=1, max_length=200)


class PeopleViewSet(ServiceViewSet):
    """People whom the reader shares a workspace with."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": PersonAnswer}
    queries: ClassVar = {"list": PeopleQuery}
    scope_map: ClassVar = {"list": "documents:read"}
    ordering_choices = ("name",)
    default_ordering = "name"
    tag = "users"

    def list(self, request: Request) -> HttpResponseBase:
        """Active people of the reader's workspaces, by name."""
        people = people_known(self.actor)
        search = self.query().get("search")
        if search:
            people = people.filter(Q(name__icontains=search) | Q(email__istartswith=search))
        return self.paged(people)
