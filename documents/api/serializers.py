"""The shapes of documents in answers and in requests."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from cloudscribe.lib.pagination import MAX_PAGE_SIZE
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QueryIntegerField,
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictRegexField,
    StrictSerializer,
    StrictUUIDField,
)
from documents import limits
from documents.models import State

LANGUAGE = r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
EXPANDABLE = ("content",)


class LanguageField(StrictRegexField):
    """A language tag (BCP 47), such as `en` or `pt-BR`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(LANGUAGE, max_length=limits.LANGUAGE_LENGTH, **options)


class LockAnswer(serializers.Serializer[Any]):
    """Who keeps others from writing the body, until when and why."""

    by = ActorReferenceSerializer()
    expires_at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)


class DocumentListed(serializers.Serializer[Any]):
    """A document without its body."""

    id = serializers.UUIDField()
    workspace = serializers.UUIDField()
    parent = serializers.UUIDField(  # type: ignore[assignment]
        allow_null=True,
        help_text="Null on top of the workspace, and where the parent is hidden from the reader.",
    )
    title = serializers.CharField()
    language = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    icon = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=State.choices)
    template = serializers.BooleanField()
    owner = serializers.UUIDField()
    position = serializers.CharField(help_text="Opaque; siblings are sorted by it.")
    revision = serializers.IntegerField()
    inherits_access = serializers.BooleanField()
    lock = LockAnswer(allow_null=True)
    created_by = ActorReferenceSerializer(allow_null=True)
    updated_by = ActorReferenceSerializer(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    trashed_at = serializers.DateTimeField(allow_null=True)
    abilities = serializers.DictField(child=serializers.BooleanField())
    content = serializers.CharField(required=False, help_text="Only with `expand=content`.")


class DocumentAnswer(DocumentListed):
    """A document."""

    content = serializers.CharField(allow_blank=True, help_text="The body in Markdown.")
    url = serializers.CharField(required=False, help_text="The address to pass on; it follows the title.")
    merged = serializers.BooleanField(
        required=False, help_text="In the answer to an edit: whether it was merged."
    )
    hidden = serializers.IntegerField(
        required=False,
        help_text="In the answer to a move, trash or restore: how many hidden documents went along.",
    )


class DocumentPage(serializers.Serializer[Any]):
    """Documents in a page that needs no further one."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = DocumentListed(many=True)


class TagsField(serializers.ListField):
    """Up to 50 tags of up to 100 characters, each once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=StrictCharField(max_length=limits.TAG_LENGTH), max_length=limits.TAGS, **options
        )

    def to_internal_value(self, data: Any) -> list[str]:
        """The tags in the order given, without repetition."""
        return list(dict.fromkeys(super().to_internal_value(data)))


class BodyField(StrictCharField):
    """The Markdown body as it was sent, up to 2 MB of UTF-8."""

    default_error_messages = {"max_length": "The body is longer than 2 MB."}

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, **options)
        # The framework's look for NUL and surrogates, letter by letter; the parser has refused both already.
        self.validators = []

    def to_internal_value(self, data: Any) -> str:
        """The body."""
        body = super().to_internal_value(data)
        if len(body.encode()) > limits.BODY_BYTES:
            self.fail("max_length")
        return body


class VariablesField(serializers.DictField):
    """Texts by name."""

    default_error_messages = {"max_length": f"There may be {limits.VARIABLES} variables at most."}

    def __init__(self, **options: Any) -> None:
        value = StrictCharField(allow_blank=True, trim_whitespace=False, max_length=limits.VARIABLE_LENGTH)
        super().__init__(child=value, **options)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """The texts as they were sent."""
        values: dict[str, str] = super().to_internal_value(data)
        if len(values) > limits.VARIABLES:
            self.fail("max_length")
        return values


class DocumentCreateInput(StrictSerializer):
    """A new document."""

    workspace = StrictUUIDField()
    title = StrictCharField(max_length=limits.TITLE_LENGTH)
    parent = StrictUUIDField(required=False, allow_null=True)  # type: ignore[assignment]
    content = BodyField(required=False)
    language = LanguageField(required=False)
    tags = TagsField(required=False)
    icon = StrictCharField(required=False, allow_blank=True, max_length=limits.ICON_LENGTH)
    state = serializers.ChoiceField(required=False, choices=[State.DRAFT.value, State.PUBLISHED.value])
    template = StrictBooleanField(required=False)
    from_template = StrictUUIDField(required=False, help_text="A template that says what is in it.")
    variables = VariablesField(required=False, help_text="Each `{{name}}` of the template's body.")
    before = StrictUUIDField(required=False)
    after = StrictUUIDField(required=False)
    note = StrictCharField(required=False, allow_blank=True, max_length=limits.NOTE_LENGTH)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A template and a body exclude each other, variables are a template's."""
        name = "content" if "from_template" in attrs else "variables"
        if name in attrs:
            text = "The template says what is in it." if name == "content" else "Name the template, too."
            raise serializers.ValidationError({name: [text]}, code="contradiction")
        return attrs


class MoveInput(StrictSerializer):
    """Where to; nothing named that differs changes nothing."""

    workspace = StrictUUIDField(required=False)
    parent = StrictUUIDField(required=False, allow_null=True, help_text="Null is the top of the workspace.")  # type: ignore[assignment]
    before = StrictUUIDField(required=False)
    after = StrictUUIDField(required=False)


class CommaField(serializers.CharField):
    """Names from a list, separated by commas."""

    def __init__(self, *, names: tuple[str, ...], **options: Any) -> None:
        self.names = names
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> Any:
        """The names asked for; an unknown one is a fault."""
        wanted = [name for name in str(super().to_internal_value(data)).split(",") if name]
        if not set(wanted) <= set(self.names):
            raise serializers.ValidationError(
                f"Names of {', '.join(self.names)} are due.", code="invalid_choice"
            )
        return wanted


LISTED_FIELDS = tuple(str(name) for name in DocumentListed().fields if str(name) != "content")
READ_FIELDS = (*LISTED_FIELDS, "content", "url")


class AtQuery(QuerySerializer):
    """Of which moment; without it, of now."""

    at = serializers.DateTimeField(
        required=False, help_text="As it was then, as far as you may see it today (RFC 3339)."
    )


class DocumentQuery(AtQuery):
    """What a read of one document may ask for."""

    fields = CommaField(  # type: ignore[assignment]
        names=READ_FIELDS, required=False, help_text="These beside `id` and `revision` alone."
    )


class ListQuery(QuerySerializer):
    """The filters of lists of documents."""

    workspace = serializers.UUIDField(required=False)
    parent = serializers.UUIDField(required=False)  # type: ignore[assignment]
    subtree = serializers.UUIDField(required=False, help_text="A document: it and what stands below it.")
    owner = serializers.UUIDField(required=False)
    author = serializers.UUIDField(required=False, help_text="Who made it.")
    tag = serializers.CharField(required=False, max_length=limits.TAG_LENGTH)
    language = serializers.CharField(required=False, max_length=limits.LANGUAGE_LENGTH)
    state = serializers.ChoiceField(required=False, choices=State.choices)
    template = serializers.BooleanField(required=False)
    updated_at__gte = serializers.DateTimeField(required=False)
    updated_at__lte = serializers.DateTimeField(required=False)
    has_attachment = serializers.BooleanField(required=False)
    expand = CommaField(names=EXPANDABLE, required=False)
    fields = CommaField(  # type: ignore[assignment]
        names=(*LISTED_FIELDS, "content"), required=False, help_text="These beside `id` and `revision` alone."
    )


class TreeQuery(AtQuery):
    """How much of the tree."""

    depth = QueryIntegerField(required=False, min_value=1, max_value=limits.DEPTH)
    parent = serializers.UUIDField(required=False, help_text="Only what stands below this document.")  # type: ignore[assignment]
    page_size = QueryIntegerField(
        required=False,
        min_value=1,
        max_value=MAX_PAGE_SIZE,
        help_text="End the first level after so many; the header `Link` then leads to the next.",
    )
    cursor = serializers.CharField(required=False, help_text="Taken from the header `Link`.")


class TreeNode(serializers.Serializer[Any]):
    """A node and those below it."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    icon = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=State.choices)
    position = serializers.CharField()
    revision = serializers.IntegerField()
    has_children = serializers.BooleanField()
    children = serializers.ListField(child=serializers.DictField())
