"""Serializers that take JSON at its word: unknown properties and values of another type are refused."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.utils.serializer_helpers import BindingDict

from cloudscribe.lib.actor import Actor

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,6}\d*)?(?:[Zz]|[+-]\d\d:\d\d)")
_NAMED_AT_MOST = 20


def _unknown(names: list[str], kind: str) -> dict[str, list[ErrorDetail]]:
    detail = ErrorDetail(f"There is no such {kind} here.", code=f"unknown_{kind}")
    return {str(name)[:100]: [detail] for name in names[:_NAMED_AT_MOST]}


class _Strict(serializers.Serializer[Any]):
    unknown_kind = "property"

    @cached_property
    def _accepted(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if not field.read_only)

    def to_internal_value(self, data: Any) -> Any:
        """The checked values; raises ValidationError that names each unknown and each faulty one together."""
        unknown = [name for name in data if name not in self._accepted] if isinstance(data, Mapping) else []
        if not unknown:
            return super().to_internal_value(data)
        errors: dict[str, Any] = _unknown(unknown, self.unknown_kind)
        try:
            super().to_internal_value({name: data[name] for name in data if name in self._accepted})
        except ValidationError as error:
            if isinstance(error.detail, dict):
                errors.update(error.detail)
        raise ValidationError(errors)


class StrictSerializer(_Strict):
    """The shape of a JSON body. A property that it doesn't declare is a fault (`unknown_property`).

    Its fields are one set a class, so they must keep nothing of a request: no context, no partial updates.
    """

    @cached_property
    def fields(self) -> BindingDict:
        """The fields by name. To copy and bind them for each request takes longer than the check."""
        return _fields_of(type(self))


@functools.cache
def _fields_of(kind: type[StrictSerializer]) -> BindingDict:
    prototype = kind()
    fields = BindingDict(prototype)
    for name, field in prototype.get_fields().items():
        fields[name] = field
    return fields


class QuerySerializer(_Strict):
    """The shape of a query string: declare what an action reads beyond paging, ordering and filters.

    Values arrive as text, so use the framework's own fields here, not the strict ones; for numbers
    `QueryIntegerField`.
    """

    unknown_kind = "parameter"

    def get_fields(self) -> dict[str, Any]:
        """What was sent, is wanted or has a default: to copy the others takes longer than the check."""
        if not hasattr(self, "initial_data"):
            return super().get_fields()
        return {
            name: copy.deepcopy(field)
            for name, field in self._declared_fields.items()
            if name in self.initial_data or field.required or field.default is not serializers.empty
        }


class NoInput(StrictSerializer):
    """The body of an action that takes none: empty, or `{}`."""


class StrictCharField(serializers.CharField):
    """A JSON string: numbers and booleans are refused rather than spelled out; not blank unless allowed."""

    def __init__(self, **options: Any) -> None:
        if not options.get("allow_blank"):
            options.setdefault("min_length", 1)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        """The text, trimmed unless `trim_whitespace=False`."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictRegexField(serializers.RegexField):
    """A JSON string of a given form: the framework's own field would take a number for its digits."""

    def to_internal_value(self, data: Any) -> str:
        """The text, trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictIntegerField(serializers.IntegerField):
    """A JSON number without a fraction, within 64 bits; no text, no boolean."""

    default_error_messages = {"range": "The number must fit into 64 bits."}

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        if not -(2**63) <= data < 2**63:
            self.fail("range")
        return int(data)


class QueryIntegerField(serializers.IntegerField):
    """A number of a query string in plain digits; the framework's own would take `1_0` and `5.0`, too."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if not isinstance(data, str) or not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return int(data)


class StrictBooleanField(serializers.BooleanField):
    """JSON true or false and nothing that looks like it."""

    def to_internal_value(self, data: Any) -> bool:
        """The value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class FormBooleanField(serializers.BooleanField):
    """`true` or `false` in a form, where every value is text; no other word for it."""

    # A box that isn't ticked is no value in a page's form; here what isn't sent is not there.
    default_empty_html = serializers.empty

    def to_internal_value(self, data: Any) -> bool:
        """The value."""
        if data not in ("true", "false"):
            self.fail("invalid", input=data)
        return bool(data == "true")


class StrictUUIDField(serializers.UUIDField):
    """A UUID in its usual form with hyphens; no number, braces or URN."""

    def to_internal_value(self, data: Any) -> uuid.UUID:
        """The UUID."""
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return uuid.UUID(data)


class StrictDateTimeField(serializers.DateTimeField):
    """A time as RFC 3339 has it: with its offset, since a time without one means another in each place."""

    default_error_messages = {
        "offset": "Give the time as RFC 3339 with its offset, such as 2026-01-31T09:30:00Z."
    }

    def to_internal_value(self, value: Any) -> dt.datetime:
        """The time, in UTC."""
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            self.fail("offset")
        return super().to_internal_value(value)


class UidRelatedField(StrictUUIDField):
    """A reference to another object by its public id.

    In: a UUID, not looked up; what it means to the actor is for `visible_to` to say. Out: the `uid` of
    the related object, or the UUID itself where the row already carries it.
    """

    def to_representation(self, value: Any) -> str:
        """The id as text."""
        return str(getattr(value, "uid", value))


class ActorReferenceSerializer(serializers.Serializer[Any]):
    """Who did something: `kind`, `id` and `name`."""

    kind = serializers.ChoiceField(choices=["command", "job", "link", "service", "user"])
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()


class ActorReferenceField(serializers.Field[Any, Any, Any, Any]):
    """The author of something as `{kind, id, name}`, read-only.

    The value is an Actor, a mapping of that form, or None; with `prefix` it is read from the three columns
    `<prefix>_kind`, `<prefix>_uid` and `<prefix>_name` of the object.
    """

    def __init__(self, prefix: str | None = None, **options: Any) -> None:
        self.prefix = prefix
        if prefix is not None:
            options["source"] = "*"
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Any) -> dict[str, Any] | None:
        """The reference."""
        if self.prefix is not None:
            kind, uid, name = (getattr(value, f"{self.prefix}_{part}") for part in ("kind", "uid", "name"))
            return {"kind": kind, "id": uid, "name": name} if kind else None
        if isinstance(value, Actor):
            return value.reference()
        return dict(value) if value else None
