"""The refusals of the trail."""

from __future__ import annotations

from cloudscribe.lib.errors import BusinessError


class NotSealed(BusinessError):
    """The event is so young that no checkpoint holds it yet; it will in seconds."""

    code = "not_sealed"
    title = "Not sealed yet"
