"""Serializers that take JSON at its word."""

from __future__ import annotations

import datetime as dt
import types
import uuid
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from cloudscribe.lib.actor import command_actor
from cloudscribe.lib.problems import validation_problem
from cloudscribe.lib.serializers import (
    ActorReferenceField,
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
    StrictUUIDField,
    UidRelatedField,
)

UID = "019af3c2-7b1e-7cc0-8a40-3c5d2f6b9e10"


class Inner(StrictSerializer):
    """Nested."""

    name = StrictCharField(max_length=5)


class Outer(StrictSerializer):
    """One field of each kind."""

    title = StrictCharField(max_length=20)
    number = StrictIntegerField(required=False)
    flag = StrictBooleanField(required=False)
    uid = StrictUUIDField(required=False)
    at = StrictDateTimeField(required=False)
    inner = Inner(required=False)
    many = Inner(many=True, required=False)
    words = serializers.ListField(child=StrictCharField(max_length=3), required=False)
    made = serializers.CharField(read_only=True)


class Query(QuerySerializer):
    """A query."""

    depth = serializers.IntegerField(required=False)


def _faults(data: Any, kind: type[serializers.Serializer[Any]] = Outer, start: str = "") -> dict[str, str]:
    serializer = kind(data=data)
    with pytest.raises(ValidationError) as refusal:
        serializer.is_valid(raise_exception=True)
    return {fault.pointer: fault.code for fault in validation_problem(refusal.value, start).errors}


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        ({}, {"/title": "required"}),
        ({"title": "t", "bogus": 1}, {"/bogus": "unknown_property"}),
        ({"title": "t", "made": "x"}, {"/made": "unknown_property"}),
        ({"bogus": 1}, {"/bogus": "unknown_property", "/title": "required"}),
        ({"title": "t", "a/b~c": 1}, {"/a~1b~0c": "unknown_property"}),
        ({"title": 5}, {"/title": "invalid"}),
        ({"title": True}, {"/title": "invalid"}),
        ({"title": None}, {"/title": "null"}),
        ({"title": "  "}, {"/title": "blank"}),
        ({"title": "x" * 21}, {"/title": "max_length"}),
        ({"title": "t", "number": "5"}, {"/number": "invalid"}),
        ({"title": "t", "number": 5.5}, {"/number": "invalid"}),
        ({"title": "t", "number": True}, {"/number": "invalid"}),
        ({"title": "t", "number": 2**63}, {"/number": "range"}),
        ({"title": "t", "flag": 1}, {"/flag": "invalid"}),
        ({"title": "t", "flag": "true"}, {"/flag": "invalid"}),
        ({"title": "t", "uid": 5}, {"/uid": "invalid"}),
        ({"title": "t", "uid": "{" + UID + "}"}, {"/uid": "invalid"}),
        ({"title": "t", "uid": UID.replace("-", "")}, {"/uid": "invalid"}),
        ({"title": "t", "at": "2026-01-31T09:30:00"}, {"/at": "offset"}),
        ({"title": "t", "at": "2026-01-31"}, {"/at": "offset"}),
        ({"title": "t", "at": "2026-02-31T09:30:00Z"}, {"/at": "invalid"}),
        ({"title": "t", "at": "0001-01-01T00:00:00+23:00"}, {"/at": "overflow"}),
        ({"title": "t", "inner": {"name": "x", "b": 1}}, {"/inner/b": "unknown_property"}),
        ({"title": "t", "inner": []}, {"/inner": "invalid"}),
        ({"title": "t", "many": [{"name": "x"}, {"name": "toolong"}]}, {"/many/1/name": "max_length"}),
        ({"title": "t", "words": ["ok", "long"]}, {"/words/1": "max_length"}),
        ({"title": "t", "words": "x"}, {"/words": "not_a_list"}),
        ([], {"": "invalid"}),
        ("x", {"": "invalid"}),
        (None, {"": "null"}),
    ],
)
def test_strict_serializer_points_at_each_fault(data: Any, faults: dict[str, str]) -> None:
    """Every fault is named by a JSON pointer and a code, unknown properties beside the others."""
    assert _faults(data) == faults


def test_strict_serializer_names_no_more_than_twenty_unknown_properties() -> None:
    """A body made of thousands of them gets no answer of that size."""
    assert len(_faults({"title": "t", **{f"p{n}": 1 for n in range(5_000)}})) == 20


def test_unknown_property_is_the_code_of_the_whole() -> None:
    """So that whoever misspelt a name finds it at once."""
    with pytest.raises(ValidationError) as refusal:
        Outer(data={"bogus": 1}).is_valid(raise_exception=True)
    assert validation_problem(refusal.value).code == "unknown_property"


def test_query_serializer_names_parameters() -> None:
    """Faults of a query string are `?name`."""
    assert _faults({"depth": "x"}, Query, "?") == {"?depth": "invalid"}
    assert _faults({"bogus": "x"}, Query, "?") == {"?bogus": "unknown_parameter"}


def test_strict_serializer_gives_typed_values() -> None:
    """What passes is trimmed text and real types, times in UTC."""
    data = {
        "title": " t ",
        "number": 5,
        "flag": False,
        "uid": UID.upper(),
        "at": "2026-01-31T09:30:00.5+02:00",
    }
    serializer = Outer(data=data)
    serializer.is_valid(raise_exception=True)
    assert serializer.validated_data == {
        "title": "t",
        "number": 5,
        "flag": False,
        "uid": uuid.UUID(UID),
        "at": dt.datetime(2026, 1, 31, 7, 30, 0, 500_000, tzinfo=dt.UTC),
    }


def test_references_are_shown_by_public_id() -> None:
    """The related row's `uid`, or the UUID that the row already carries."""
    field = UidRelatedField()
    assert field.to_representation(types.SimpleNamespace(uid=UID)) == UID
    assert field.to_representation(uuid.UUID(UID)) == UID


def test_actor_reference_reads_columns_mappings_and_actors() -> None:
    """One form for whoever did it, wherever that was kept."""
    row = types.SimpleNamespace(made_kind="user", made_uid=UID, made_name="Ada")
    expected = {"kind": "user", "id": UID, "name": "Ada"}
    assert ActorReferenceField(prefix="made").to_representation(row) == expected
    assert ActorReferenceField().to_representation(expected) == expected
    command = command_actor("restore", dt.datetime.now(dt.UTC))
    assert ActorReferenceField().to_representation(command) == {
        "kind": "command",
        "id": None,
        "name": "restore",
    }
    nobody = types.SimpleNamespace(made_kind="", made_uid=None, made_name="")
    assert ActorReferenceField(prefix="made").to_representation(nobody) is None
