"""The system checks of security; no database."""

from __future__ import annotations

from typing import Any

from security.checks import check_deployment, check_proxies


def ids(found: list[Any]) -> set[str]:
    """What was found."""
    return {message.id for message in found}


def test_checks_name_bad_proxies(settings: Any) -> None:
    """What is no network, and what is everybody."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "unix"]
    assert not check_proxies()
    settings.TRUSTED_PROXIES = ["proxy"]
    assert ids(check_proxies()) == {"security.E001"}
    settings.TRUSTED_PROXIES = ["0.0.0.0/0"]
    assert ids(check_proxies()) == {"security.E002"}


def test_checks_name_an_open_deployment(settings: Any) -> None:
    """Plain http, limits off, one role for all."""
    settings.SECURE, settings.RATELIMIT_ENABLE, settings.DATABASE_ROLES_ARE_ONE = False, False, True
    assert ids(check_deployment()) == {"security.W101", "security.W102", "security.W103"}
    settings.SECURE, settings.RATELIMIT_ENABLE, settings.DATABASE_ROLES_ARE_ONE = True, True, False
    assert not check_deployment()
