"""The system check of a half-configured sign-in provider; no database."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.checks import check_oidc

GOOD = {
    "OIDC_ISSUER": "https://id.example.org/realms/acme",
    "OIDC_CLIENT_ID": "cloudscribe",
    "OIDC_CLIENT_SECRET": "secret",
    "OIDC_SCOPES": ["openid", "email"],
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"OIDC_CLIENT_SECRET": None}, set()),
        ({"OIDC_ISSUER": "", "OIDC_CLIENT_ID": "", "OIDC_CLIENT_SECRET": None}, set()),
        ({"OIDC_ISSUER": ""}, {"accounts.E001"}),
        ({"OIDC_CLIENT_ID": ""}, {"accounts.E001"}),
        ({"OIDC_ISSUER": "", "OIDC_CLIENT_ID": ""}, {"accounts.E001"}),
        ({"OIDC_ISSUER": "id.example.org"}, {"accounts.E002"}),
        ({"OIDC_ISSUER": "https://id.example.org/?tenant=1"}, {"accounts.E002"}),
        ({"OIDC_ISSUER": "https://user@id.example.org"}, {"accounts.E002"}),
        ({"OIDC_ISSUER": "https://[id"}, {"accounts.E002"}),
        ({"OIDC_ISSUER": "http://id.intranet.example"}, {"accounts.W001"}),
        ({"OIDC_SCOPES": ["email"]}, {"accounts.E003"}),
    ],
)
def test_check_names_what_is_missing(settings: Any, changes: dict[str, Any], expected: set[str]) -> None:
    """All of it or nothing, and an issuer that is one."""
    for name, value in (GOOD | changes).items():
        setattr(settings, name, value)
    found = check_oidc()
    assert {message.id for message in found} == expected
    assert all(message.hint for message in found)
