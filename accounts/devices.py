"""What a session calls the device that it is on."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.request import Request

_LENGTH = 200


def device_of(request: HttpRequest | Request) -> str:
    """The client's own name for itself, without what can't be printed, cut to fit."""
    agent = request.META.get("HTTP_USER_AGENT", "")
    return "".join(letter for letter in agent if letter.isprintable())[:_LENGTH]
