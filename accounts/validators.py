"""Validators of what people choose for their account."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.core.exceptions import ValidationError


class MaximumLengthValidator:
    """Refuses a password above `max_length` characters: what is hashed has to have an end."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError `password_too_long`."""
        if len(password) > self.max_length:
            raise ValidationError(
                f"This password is too long. It may have at most {self.max_length} characters.",
                code="password_too_long",
            )

    def get_help_text(self) -> str:
        """The rule as a sentence."""
        return f"Your password may have at most {self.max_length} characters."


def validate_timezone(name: str) -> None:
    """Raise ValidationError where `name` is no time zone of the IANA database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("This is no time zone of the IANA database.", code="unknown_timezone")
