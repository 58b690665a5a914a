"""The refusals of the change feed and of webhooks."""

from __future__ import annotations

from cloudscribe.lib.errors import (
    BusinessError,
    Gone,
)


class ResyncNeeded(Gone):
    """The change feed can't lead on from this place; `cursor` is where to go on after reading all anew."""

    code = "resync"
    title = "The feed no longer reaches back so far"
    detail = "Read everything anew, and follow the feed from the `cursor` of this answer on."


class TooManyWebhooks(BusinessError):
    """A workspace has so many webhooks and no more."""

    code = "too_many_webhooks"
    title = "The workspace has enough webhooks"
    detail = "Delete one first, or choose more events for one that is there."


class WebhookDisabled(BusinessError):
    """Nothing is sent to a webhook that is switched off."""

    code = "webhook_disabled"
    title = "The webhook is switched off"
    detail = "Nothing is sent to it until somebody switches it on by `enabled`."
