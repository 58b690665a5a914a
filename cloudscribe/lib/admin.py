"""What the admin pages of every app share: they show, and whatever they change goes through a service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from unfold.admin import ModelAdmin

from cloudscribe.lib.actor import Actor, current_actor
from cloudscribe.lib.errors import DomainError, NotAuthenticated


class StaffAdmin(ModelAdmin):
    """Read-only unless a subclass says which fields a service of its own may change.

    Rows are made and deleted by services and commands alone: every change has its checks and its event.
    """

    compressed_fields = True
    list_per_page = 50
    show_full_result_count = False
    # Fields that the form may change; all others are shown.
    editable: tuple[str, ...] = ()
    # Of pages where rows are added by hand: the form for a new one, which is written as a whole.
    add_fieldsets: Any = None
    actions_on_top = True

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is added by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Only where there is something to change."""
        return bool(self.editable) and super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Of a new row what is written; what its life will add isn't there yet."""
        if obj is None and self.add_fieldsets:
            return self.add_fieldsets
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Iterable[str]:
        """Everything that is not editable; of a new row nothing."""
        if obj is None and self.add_fieldsets:
            return ()
        shown = self.get_fields(request, obj) if not self.fieldsets else self._fieldset_fields()
        return [name for name in shown if name not in self.editable]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what `list_filter` offers: by any other column its value could be guessed letter by letter.

        Django lets the address filter by each column of the model, by the password's hash for one.
        """
        offered = [entry[0] if isinstance(entry, tuple) else entry for entry in self.list_filter]
        # A filter that is a class of ours goes by the name of its parameter.
        names = [name if isinstance(name, str) else getattr(name, "parameter_name", "") for name in offered]
        return any(lookup == name or lookup.startswith(f"{name}__") for name in names if name)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        """The page; what a service refuses is told on it in the refusal's own words, and nothing is saved."""
        try:
            answer: HttpResponseBase = super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponseRedirect(request.get_full_path())
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Hand what was changed to the page's service, which checks it and writes the event."""
        self.update(
            obj, {name: form.cleaned_data[name] for name in form.changed_data if name in self.editable}
        )

    def update(self, row: Any, changes: dict[str, Any]) -> None:
        """Call the service that changes `row`; a page that has `editable` fields says which."""
        raise ImproperlyConfigured(f"{type(self).__name__} has editable fields and no service for them.")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Not in Django's own log: the audit trail has it, with before and after."""

    def _fieldset_fields(self) -> list[str]:
        return [name for _, options in self.fieldsets or () for name in options["fields"]]


def staff_actor() -> Actor:
    """The staff member who acts, as the admin's session middleware named them; NotAuthenticated without."""
    actor = current_actor()
    if actor is None:
        raise NotAuthenticated
    return actor


def each(
    request: HttpRequest,
    rows: QuerySet[Any],
    act: Callable[[Actor, Any], object],
    done: str,
    limit: int = 500,
) -> None:
    """Call one service per chosen row and tell what came of it.

    A refusal of one row doesn't stop the others; each row is a transaction and an event of its own.
    """
    actor, succeeded = staff_actor(), 0
    for row in rows[:limit]:
        try:
            act(actor, row)
        except DomainError as error:
            messages.error(request, f"{row}: {error.message}")
        else:
            succeeded += 1
    if succeeded:
        messages.success(request, f"{done}: {succeeded}.")
