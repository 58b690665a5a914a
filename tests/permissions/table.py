"""Who may call what: every route with the answer that each kind of actor gets.

`docs/permissions.md` is made from this table (`python -m tests.permissions.document`); a route that is in no
row fails the build. Paths are below /api/v1/ unless they begin with a slash.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any


class Level(enum.StrEnum):
    """The four levels of authorisation."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"
    ROLE = "role-based"
    PERMISSION = "permission-based"


# In the order of the columns. `outsider` is a signed-in member of the platform without a grant;
# `administrator` holds every platform permission and no grant either.
ACTORS = (
    "anonymous",
    "outsider",
    "viewer",
    "commenter",
    "editor",
    "manager",
    "owner",
    "administrator",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One route and method; `answers` has a status for each of ACTORS.

    `setup` names what the owner does first: `trashed`, `archived`, `draft`; `if_match` sends the ETag of now,
    `upload` a form with a file in place of JSON, `markdown` such a text.
    """

    method: str
    path: str
    level: Level
    scope: str | None
    answers: tuple[int, ...]
    body: dict[str, Any] | None = None
    setup: str = ""
    if_match: bool = False
    upload: bool = False
    markdown: str = ""
    # A second scope, which the body at hand needs beside that of the route.
    too: str | None = None

    @property
    def name(self) -> str:
        """For test ids and the document."""
        return f"{self.method} {self.path}" + (f" [{self.setup}]" if self.setup else "")


def _everybody(status: int) -> tuple[int, ...]:
    return (status,) * len(ACTORS)


def _signed_in(status: int) -> tuple[int, ...]:
    return (401, *[status] * (len(ACTORS) - 1))


def _from(role: str, status: int, *, below: int = 403) -> tuple[int, ...]:
    """Members from `role` upwards get `status`, weaker ones `below`; who is none gets 404."""
    first, last, at = (ACTORS.index(name) for name in ("viewer", "owner", role))
    members = [status if number >= at else below for number in range(first, last + 1)]
    return (401, 404, *members, 404)


def _administrator(status: int, *, others: int = 403) -> tuple[int, ...]:
    return (401, *[others] * (len(ACTORS) - 2), status)


def _leaving(status: int) -> tuple[int, ...]:
    """The last owner and the last administrator stay."""
    return (401, *[status] * (len(ACTORS) - 3), 409, 409)


def _answering(status: int, *, administrator: int | None = None) -> tuple[int, ...]:
    """Who answers for a workspace's service account: its owners and, `administrator`, the platform's."""
    return (401, *[404] * (len(ACTORS) - 3), status, administrator or status)


_READ, _WRITE, _MANAGE = "documents:read", "documents:write", "workspaces:manage"
P, A, R, N = Level.PUBLIC, Level.AUTHENTICATED, Level.ROLE, Level.PERMISSION

_PUBLIC = [
    Row("GET", "/health/live", P, None, _everybody(200)),
    Row("GET", "/health/ready", P, None, _everybody(200)),
    Row("GET", "/metrics", P, None, _everybody(200)),
    Row("GET", "/api/schema/", P, None, _everybody(200)),
    Row("GET", "/api/docs/", P, None, _everybody(200)),
    Row("GET", "/api/docs/redoc/", P, None, _everybody(200)),
    Row("GET", "/api/docs/errors/", P, None, _everybody(200)),
    Row("GET", "/account/verify/", P, None, _everybody(200)),
    Row("GET", "/account/reset/", P, None, _everybody(200)),
    Row("GET", "/account/oidc/", P, None, _everybody(200)),
    Row("GET", "/account/email/", P, None, _everybody(200)),
    Row("GET", "/account/invitation/", P, None, _everybody(200)),
    Row(
        "POST",
        "auth/register/",
        P,
        None,
        _everybody(202),
        {"email": "new@example.org", "password": "correct-horse-battery-42", "name": "New"},
    ),
    Row("POST", "auth/verify-email/", P, None, _everybody(400), {"token": "none"}),
    Row(
        "POST",
        "auth/login/",
        P,
        None,
        _everybody(401),
        {"email": "nobody@example.org", "password": "wrong-1234"},
    ),
    Row("POST", "auth/refresh/", P, None, _everybody(401), {"refresh": "none"}),
    Row("POST", "auth/email/confirm/", P, None, _everybody(400), {"token": "none"}),
    Row("POST", "auth/passkeys/options/", P, None, _everybody(200)),
    Row("POST", "auth/passkeys/login/", P, None, _everybody(400), {"credential": "none"}),
    Row("GET", "auth/oidc/", P, None, _everybody(200)),
    Row("POST", "auth/oidc/start/", P, None, _everybody(404)),
    Row("POST", "auth/oidc/callback/", P, None, _everybody(400), {"state": "none", "binding": "none"}),
    Row("POST", "auth/password/forgot/", P, None, _everybody(202), {"email": "nobody@example.org"}),
    Row(
        "POST",
        "auth/password/reset/",
        P,
        None,
        _everybody(400),
        {"token": "none", "password": "correct-horse-battery-43"},
    ),
]
_SHARED = [
    Row("GET", "shared/{secret}/", P, None, _everybody(200)),
    Row("GET", "shared/{secret}/content/", P, None, _everybody(200)),
    Row("PATCH", "shared/{secret}/content/", P, None, _everybody(428), {"content": "New"}),
    Row("PUT", "shared/{secret}/content/", P, None, _everybody(428), markdown="New"),
    Row("GET", "shared/{secret}/files/{file_key}/", P, None, _everybody(200)),
    Row("GET", "/s/{secret}/", P, None, _everybody(200)),
    Row("GET", "/s/{secret}/d/{shared_key}/", P, None, _everybody(200)),
    Row("GET", "/s/{secret}/f/{file_key}/", P, None, _everybody(200)),
    Row("GET", "shared/{secret}/documents/{shared_key}/", P, None, _everybody(200)),
    Row("GET", "shared/{secret}/documents/{shared_key}/content/", P, None, _everybody(200)),
    Row(
        "PATCH",
        "shared/{secret}/documents/{shared_key}/content/",
        P,
        None,
        _everybody(428),
        {"content": "New"},
    ),
    Row("PUT", "shared/{secret}/documents/{shared_key}/content/", P, None, _everybody(428), markdown="New"),
]
_SAID_BY_GUEST = {"body": "What about this?", "name": "Guest"}
_SHARED_COMMENTS = [
    Row("GET", "shared/{secret}/threads/", P, None, _everybody(200)),
    Row("POST", "shared/{secret}/threads/", P, None, _everybody(201), _SAID_BY_GUEST),
    Row("GET", "shared/{secret}/documents/{shared_key}/threads/", P, None, _everybody(200)),
    Row("POST", "shared/{secret}/documents/{shared_key}/threads/", P, None, _everybody(201), _SAID_BY_GUEST),
    Row("GET", "shared/{secret}/threads/{thread_key}/comments/", P, None, _everybody(200)),
    Row("POST", "shared/{secret}/threads/{thread_key}/comments/", P, None, _everybody(201), _SAID_BY_GUEST),
]
_OWN = [
    Row("POST", "auth/logout/", A, None, _signed_in(204)),
    Row(
        "POST",
        "auth/password/change/",
        A,
        None,
        _signed_in(200),
        {"current_password": "correct-horse-battery-42", "password": "correct-horse-battery-43"},
    ),
    Row("POST", "auth/email/change/", A, None, _signed_in(202), {"email": "another@example.org"}),
    Row("POST", "auth/invitations/accept/", A, None, _signed_in(400), {"token": "none"}),
    Row("POST", "auth/step-up/", A, None, _signed_in(200), {"password": "correct-horse-battery-42"}),
    Row("GET", "auth/mfa/", A, None, _signed_in(200)),
    Row("POST", "auth/mfa/totp/", A, None, _signed_in(200)),
    Row("DELETE", "auth/mfa/totp/", A, None, _signed_in(409)),
    Row("POST", "auth/mfa/totp/confirm/", A, None, _signed_in(409), {"code": "123456"}),
    Row("POST", "auth/mfa/recovery-codes/", A, None, _signed_in(409)),
    Row("POST", "auth/step-up/options/", A, None, _signed_in(200)),
    Row("GET", "auth/mfa/passkeys/", A, None, _signed_in(200)),
    Row("POST", "auth/mfa/passkeys/", A, None, _signed_in(400), {"name": "Mine", "credential": "none"}),
    Row("POST", "auth/mfa/passkeys/options/", A, None, _signed_in(200)),
    Row("GET", "auth/mfa/passkeys/{passkey}/", A, None, _signed_in(404)),
    Row("DELETE", "auth/mfa/passkeys/{passkey}/", A, None, _signed_in(404)),
    Row("GET", "me/", A, "profile:read", _signed_in(200)),
    Row("PATCH", "me/", A, None, _signed_in(200), {"name": "Other"}),
    Row("DELETE", "me/", A, None, _leaving(204)),
    Row("POST", "me/deactivate/", A, None, _leaving(204)),
    Row("POST", "auth/oidc/link/", A, None, _signed_in(404)),
    Row("POST", "auth/oidc/link/callback/", A, None, _signed_in(400), {"state": "none"}),
    Row("GET", "me/identities/", A, None, _signed_in(200)),
    Row("GET", "me/identities/{identity}/", A, None, _signed_in(404)),
    Row("DELETE", "me/identities/{identity}/", A, None, _signed_in(404)),
    Row("POST", "me/export/", A, None, _signed_in(202)),
    Row("GET", "me/sessions/", A, None, _signed_in(200)),
    Row("DELETE", "me/sessions/", A, None, _signed_in(204)),
    Row("DELETE", "me/sessions/{session}/", A, None, _signed_in(404)),
    Row("GET", "me/notification-preferences/", A, None, _signed_in(200)),
    Row(
        "PATCH",
        "me/notification-preferences/",
        A,
        None,
        _signed_in(200),
        {"channels": {"grant.given": "digest"}},
    ),
    Row("GET", "me/notifications/", A, "notifications:read", _signed_in(200)),
    Row("POST", "me/notifications/read-all/", A, "notifications:write", _signed_in(204)),
    Row(
        "PATCH",
        "me/notifications/{notification}/",
        A,
        "notifications:write",
        _signed_in(404),
        {"read": True},
    ),
    Row("DELETE", "me/notifications/{notification}/", A, "notifications:write", _signed_in(404)),
    Row("GET", "me/tokens/", A, "tokens:read", _signed_in(200)),
    Row(
        "POST",
        "me/tokens/",
        A,
        "tokens:write",
        _signed_in(201),
        {"name": "New", "scopes": ["tokens:write"], "expires_at": "{soon}"},
    ),
    Row("GET", "me/tokens/{token}/", A, "tokens:read", _signed_in(404)),
    Row("DELETE", "me/tokens/{token}/", A, "tokens:write", _signed_in(404)),
    Row("GET", "users/?search=person", A, _READ, _signed_in(200)),
    Row("GET", "search/?q=page", A, _READ, _signed_in(200)),
    Row("GET", "search/suggest/?q=page", A, _READ, _signed_in(200)),
    Row("GET", "changes/", A, _READ, _signed_in(200)),
    Row("GET", "jobs/", A, "jobs:read", _signed_in(200)),
    Row("GET", "workspaces/", A, _READ, _signed_in(200)),
    Row("GET", "documents/", A, _READ, _signed_in(200)),
]
_PLATFORM = [
    Row("POST", "workspaces/", N, _MANAGE, _signed_in(201), {"name": "Another"}),
    Row("GET", "audit/events/", N, "audit:read", _administrator(200)),
    Row("GET", "audit/events/{event}/", N, "audit:read", _administrator(200)),
    Row("GET", "audit/events/{event}/proof/", N, "audit:read", _administrator(409)),
    Row("POST", "audit/events/export/", N, "audit:read", _administrator(202), {}),
    Row("GET", "audit/seals/", N, "audit:read", _administrator(200)),
    Row("GET", "audit/checkpoint/", N, "audit:read", _administrator(404)),
    Row("GET", "audit/consistency/?from=1", N, "audit:read", _administrator(404)),
    Row("GET", "audit/keys/", N, "audit:read", _administrator(200)),
    Row("GET", "users/{newcomer}/", N, "users:read", _administrator(200, others=404)),
    Row("POST", "users/{newcomer}/suspend/", N, None, _administrator(200), {"reason": "Left"}),
    Row("POST", "users/{newcomer}/unsuspend/", N, None, _administrator(200), {"reason": "Came back"}),
    Row("POST", "users/{newcomer}/delete/", N, None, _administrator(204), {}),
    Row("POST", "users/{newcomer}/erase/", N, None, _administrator(409), {}),
    Row("GET", "users/{newcomer}/roles/", N, "users:read", _administrator(200)),
    Row("POST", "users/{newcomer}/roles/", N, None, _administrator(201), {"role": "guest"}),
    Row("GET", "users/{newcomer}/roles/{role}/", N, "users:read", _administrator(200)),
    Row("DELETE", "users/{newcomer}/roles/{role}/", N, None, _administrator(204)),
    Row("GET", "security/ip-rules/", N, "security:read", _administrator(200)),
    Row(
        "POST", "security/ip-rules/", N, "security:write", _administrator(201), {"network": "198.51.100.0/24"}
    ),
    Row("GET", "security/ip-rules/{ip_rule}/", N, "security:read", _administrator(200)),
    Row("PATCH", "security/ip-rules/{ip_rule}/", N, "security:write", _administrator(200), {"reason": "Why"}),
    Row("DELETE", "security/ip-rules/{ip_rule}/", N, "security:write", _administrator(204)),
    Row("GET", "security/rate-limits/", N, "security:read", _administrator(200)),
    Row("GET", "security/rate-limits/{rate_limit}/", N, "security:read", _administrator(200)),
    Row("PATCH", "security/rate-limits/{rate_limit}/", N, "security:write", _administrator(200), {}),
    Row("GET", "jobs/{job}/", N, "jobs:read", _administrator(200, others=404)),
    Row("GET", "jobs/{job}/file/", N, "jobs:read", _signed_in(404)),
    Row("POST", "jobs/{job}/cancel/", N, "jobs:write", _administrator(200, others=404)),
]
_SERVICES = [
    Row("GET", "service-accounts/", A, None, _signed_in(200)),
    Row(
        "POST",
        "service-accounts/",
        R,
        None,
        _from("owner", 201),
        {"name": "Robot", "workspace": "{workspace}"},
    ),
    Row("POST", "service-accounts/", N, None, _administrator(201), {"name": "Robot"}, setup="platform"),
    Row("GET", "service-accounts/{service}/", R, None, _answering(200)),
    Row("DELETE", "service-accounts/{service}/", R, None, _answering(204)),
    Row("GET", "service-accounts/{service}/tokens/", R, None, _answering(200)),
    Row(
        "POST",
        "service-accounts/{service}/tokens/",
        R,
        None,
        _answering(201, administrator=403),
        {"name": "New", "scopes": ["documents:read"], "expires_at": "{soon}"},
    ),
    Row("GET", "service-accounts/{service}/tokens/{service_token}/", R, None, _answering(200)),
    Row("DELETE", "service-accounts/{service}/tokens/{service_token}/", R, None, _answering(204)),
]
_WORKSPACE = [
    Row("GET", "workspaces/{workspace}/", R, _READ, _from("viewer", 200)),
    Row("PATCH", "workspaces/{workspace}/", R, _MANAGE, _from("manager", 200), {"name": "Renamed"}),
    Row(
        "PATCH", "workspaces/{workspace}/", R, _MANAGE, _from("owner", 200), {"slug": "renamed"}, setup="slug"
    ),
    Row("DELETE", "workspaces/{workspace}/", R, _MANAGE, _from("owner", 204)),
    Row("GET", "workspaces/{workspace}/tree/", R, _READ, _from("viewer", 200)),
    Row("GET", "workspaces/{workspace}/trash/", R, _READ, _from("viewer", 200)),
    Row("GET", "workspaces/{workspace}/usage/", R, _READ, _from("manager", 200)),
    Row("GET", "workspaces/{workspace}/events/", R, _READ, _from("manager", 200)),
    Row("GET", "workspaces/{workspace}/tags/", R, _READ, _from("viewer", 200)),
    Row("PATCH", "workspaces/{workspace}/tags/{tag}/", R, _MANAGE, _from("manager", 202), {"tag": "other"}),
    Row(
        "POST",
        "workspaces/{workspace}/tags/{tag}/merge/",
        R,
        _MANAGE,
        _from("manager", 400),
        {"into": "other"},
    ),
    Row("DELETE", "workspaces/{workspace}/tags/{tag}/", R, _MANAGE, _from("manager", 202)),
    Row("GET", "workspaces/{workspace}/members/", R, _READ, _from("viewer", 200)),
    Row(
        "POST",
        "workspaces/{workspace}/members/",
        R,
        _MANAGE,
        _from("manager", 201),
        {"user": "{newcomer}", "role": "viewer"},
    ),
    Row(
        "POST",
        "workspaces/{workspace}/members/",
        R,
        _MANAGE,
        _from("manager", 202),
        {"email": "somebody@example.org", "role": "viewer"},
        setup="email",
    ),
    Row("GET", "workspaces/{workspace}/invitations/", R, _MANAGE, _from("manager", 200)),
    Row("GET", "workspaces/{workspace}/invitations/{invitation}/", R, _MANAGE, _from("manager", 200)),
    Row("DELETE", "workspaces/{workspace}/invitations/{invitation}/", R, _MANAGE, _from("manager", 204)),
    Row("POST", "workspaces/{workspace}/invitations/{invitation}/resend/", R, _MANAGE, _from("manager", 202)),
    Row("GET", "workspaces/{workspace}/members/{member}/", R, _READ, _from("viewer", 200)),
    Row(
        "PATCH",
        "workspaces/{workspace}/members/{member}/",
        R,
        _MANAGE,
        _from("manager", 200),
        {"role": "commenter"},
    ),
    Row("DELETE", "workspaces/{workspace}/members/{member}/", R, _MANAGE, _from("manager", 204)),
]
_DOCUMENT = [
    Row("POST", "documents/", R, _WRITE, _from("editor", 201), {"workspace": "{workspace}", "title": "New"}),
    Row("GET", "documents/{document}/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/", R, _READ, _from("viewer", 200), setup="archived"),
    Row("GET", "documents/{document}/", R, _READ, _from("editor", 410, below=404), setup="trashed"),
    Row("GET", "documents/{document}/", R, _READ, _from("owner", 200, below=404), setup="draft"),
    Row("PATCH", "documents/{document}/", R, _WRITE, _from("editor", 200), {"title": "Other"}, if_match=True),
    Row(
        "PATCH",
        "documents/{document}/",
        R,
        _WRITE,
        _from("editor", 409),
        {"title": "Other"},
        setup="archived",
        if_match=True,
    ),
    Row("DELETE", "documents/{document}/", R, _WRITE, _from("manager", 409)),
    Row(
        "DELETE",
        "documents/{document}/",
        R,
        _WRITE,
        (401, 404, 404, 404, 403, 204, 204, 404),
        setup="trashed",
    ),
    Row("GET", "documents/{document}/content/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/content/", R, _READ, _from("editor", 410, below=404), setup="trashed"),
    Row(
        "PUT",
        "documents/{document}/content/",
        R,
        _WRITE,
        _from("editor", 200),
        if_match=True,
        markdown="New",
    ),
    Row(
        "PATCH",
        "documents/{document}/content/",
        R,
        _WRITE,
        _from("editor", 200),
        {"operations": [{"op": "append", "text": "New"}]},
        if_match=True,
    ),
    Row(
        "PATCH",
        "documents/{document}/content/",
        R,
        _WRITE,
        _from("editor", 409),
        {"operations": [{"op": "append", "text": "New"}]},
        setup="archived",
        if_match=True,
    ),
    Row("GET", "documents/{document}/history/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/html/", R, _READ, _from("viewer", 200)),
    Row("POST", "render/", A, _READ, _signed_in(200), {"content": "*x*"}),
    Row("GET", "documents/{document}/children/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/ancestors/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/backlinks/", R, _READ, _from("viewer", 200)),
    Row("POST", "documents/{document}/move/", R, _WRITE, _from("manager", 200), {"parent": "{other}"}),
    Row("POST", "documents/batch/", A, _WRITE, _signed_in(200), {"action": "trash", "ids": ["{document}"]}),
    Row("POST", "exports/", R, _READ, _from("viewer", 202), {"document": "{document}"}),
    Row("POST", "documents/{document}/copy/", R, _WRITE, _from("editor", 201), {"title": "Copy"}),
    Row("POST", "documents/{document}/publish/", R, _WRITE, _from("manager", 200)),
    Row("POST", "documents/{document}/unpublish/", R, _WRITE, _from("manager", 200)),
    Row("POST", "documents/{document}/archive/", R, _WRITE, _from("manager", 200)),
    Row("POST", "documents/{document}/unarchive/", R, _WRITE, _from("manager", 200), setup="archived"),
    Row("POST", "documents/{document}/trash/", R, _WRITE, _from("editor", 200)),
    Row("POST", "documents/{document}/restore/", R, _WRITE, _from("editor", 200, below=404), setup="trashed"),
    Row("POST", "documents/{document}/lock/", R, _WRITE, _from("editor", 200), {}),
    Row("DELETE", "documents/{document}/lock/", R, _WRITE, _from("editor", 204)),
    Row("GET", "documents/{document}/grants/", R, _READ, _from("manager", 200)),
    Row(
        "POST",
        "documents/{document}/grants/",
        R,
        _MANAGE,
        _from("manager", 201),
        {"user": "{newcomer}", "role": "viewer"},
    ),
    Row("GET", "documents/{document}/grants/{grant}/", R, _READ, _from("manager", 200)),
    Row(
        "PATCH", "documents/{document}/grants/{grant}/", R, _MANAGE, _from("manager", 200), {"role": "editor"}
    ),
    Row("DELETE", "documents/{document}/grants/{grant}/", R, _MANAGE, _from("manager", 204)),
    Row(
        "POST",
        "documents/{document}/grants/?dry_run=true",
        R,
        _MANAGE,
        _from("manager", 200),
        {"user": "{newcomer}", "role": "viewer"},
    ),
    Row("DELETE", "documents/{document}/grants/{grant}/?dry_run=true", R, _MANAGE, _from("manager", 200)),
    Row(
        "POST",
        "documents/{document}/move/?dry_run=true",
        R,
        _WRITE,
        _from("manager", 200),
        {"parent": "{other}"},
    ),
    Row(
        "PATCH",
        "documents/{document}/?dry_run=true",
        R,
        _WRITE,
        _from("manager", 200),
        {"inherits_access": False},
        too=_MANAGE,
    ),
    Row("GET", "documents/{document}/access/", R, _READ, _from("manager", 200)),
    Row("GET", "documents/{document}/access/explain/", R, _READ, _from("viewer", 200)),
    Row(
        "GET",
        "documents/{document}/access/explain/?user={viewer}&action=edit",
        R,
        _READ,
        (401, 404, 200, 403, 403, 200, 200, 404),
    ),
    Row(
        "POST",
        "documents/{document}/owner-override/",
        R,
        _MANAGE,
        (401, *[404] * 5, 409, 404),
        {"reason": "Testing"},
    ),
    Row("GET", "documents/{document}/access-requests/", R, _READ, _from("manager", 200)),
    Row(
        "POST",
        "documents/{document}/access-requests/",
        A,
        _WRITE,
        _signed_in(202),
        {"role": "viewer"},
    ),
    Row(
        "POST",
        "documents/{document}/access-requests/{request}/approve/",
        R,
        _MANAGE,
        _from("manager", 200),
        {},
    ),
    Row(
        "POST",
        "documents/{document}/access-requests/{request}/decline/",
        R,
        _MANAGE,
        _from("manager", 200),
    ),
    Row("GET", "me/access-requests/", A, _READ, _signed_in(200)),
    # Nobody of these holds the permission: not even who holds all others.
    Row(
        "POST",
        "documents/{document}/break-glass/",
        N,
        None,
        _signed_in(404),
        {"reason": "Testing"},
    ),
    Row("GET", "documents/{document}/links/", R, _READ, _from("manager", 200)),
    Row("POST", "documents/{document}/links/", R, _MANAGE, _from("manager", 201), {"role": "viewer"}),
    Row("DELETE", "documents/{document}/links/", R, _MANAGE, _from("manager", 204)),
    Row("GET", "documents/{document}/links/{link}/", R, _READ, _from("manager", 200)),
    Row("PATCH", "documents/{document}/links/{link}/", R, _MANAGE, _from("manager", 200), {"max_uses": 9}),
    Row("DELETE", "documents/{document}/links/{link}/", R, _MANAGE, _from("manager", 204)),
    Row("GET", "documents/{document}/links/{link}/visits/", R, _READ, _from("manager", 200)),
    Row("GET", "documents/{document}/revisions/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/revisions/1/", R, _READ, _from("viewer", 200)),
    Row("PATCH", "documents/{document}/revisions/1/", R, _WRITE, _from("editor", 200), {"name": "As agreed"}),
    Row("GET", "documents/{document}/blame/", R, _READ, _from("viewer", 200)),
    Row("GET", "documents/{document}/revisions/1/diff/", R, _READ, _from("viewer", 200)),
    Row("POST", "documents/{document}/revisions/1/restore/", R, _WRITE, _from("editor", 200), if_match=True),
]
_ATTACHMENTS = [
    Row("GET", "documents/{document}/attachments/", R, _READ, _from("viewer", 200)),
    Row("POST", "documents/{document}/attachments/", R, _WRITE, _from("editor", 201), upload=True),
    Row(
        "POST",
        "documents/{document}/attachments/",
        R,
        _WRITE,
        _from("editor", 409),
        setup="archived",
        upload=True,
    ),
    Row("GET", "attachments/{attachment}/", R, _READ, _from("viewer", 200)),
    Row("GET", "attachments/{attachment}/", R, _READ, _from("editor", 410, below=404), setup="trashed"),
    Row("GET", "attachments/{attachment}/", R, _READ, _from("owner", 200, below=404), setup="draft"),
    Row("PATCH", "attachments/{attachment}/", R, _WRITE, _from("editor", 200), {"name": "Other"}),
    Row("DELETE", "attachments/{attachment}/", R, _WRITE, _from("editor", 204)),
    Row("GET", "attachments/{attachment}/file/", R, _READ, _from("viewer", 200)),
    Row("GET", "attachments/{attachment}/file/", R, _READ, _from("editor", 410, below=404), setup="trashed"),
]
_IMPORTS = [
    Row("POST", "imports/", R, _WRITE, _from("editor", 202), {"workspace": "{workspace}"}, upload=True),
    Row(
        "POST",
        "imports/",
        R,
        _WRITE,
        _from("editor", 409),
        {"workspace": "{workspace}", "parent": "{document}"},
        setup="archived",
        upload=True,
    ),
]
_ADDRESSES = [
    Row("GET", "/d/{address}", R, _READ, _from("viewer", 200)),
    Row("GET", "/d/{address}", R, _READ, _from("editor", 410, below=404), setup="trashed"),
]
_SNAPSHOTS = [
    Row("GET", "workspaces/{workspace}/webhooks/", R, _MANAGE, _from("manager", 200)),
    Row(
        "POST",
        "workspaces/{workspace}/webhooks/",
        R,
        _MANAGE,
        _from("manager", 201),
        {"url": "https://hooks.example.org/in", "events": ["document.*"]},
    ),
    Row("GET", "workspaces/{workspace}/webhooks/{webhook}/", R, _MANAGE, _from("manager", 200)),
    Row(
        "PATCH",
        "workspaces/{workspace}/webhooks/{webhook}/",
        R,
        _MANAGE,
        _from("manager", 200),
        {"events": ["*"]},
    ),
    Row("DELETE", "workspaces/{workspace}/webhooks/{webhook}/", R, _MANAGE, _from("manager", 204)),
    Row("POST", "workspaces/{workspace}/webhooks/{webhook}/ping/", R, _MANAGE, _from("manager", 202)),
    Row(
        "POST",
        "workspaces/{workspace}/webhooks/{webhook}/replay/",
        R,
        _MANAGE,
        _from("manager", 400),
        {"cursor": "none"},
    ),
    Row("POST", "workspaces/{workspace}/webhooks/{webhook}/rotate/", R, _MANAGE, _from("manager", 200)),
    Row("GET", "workspaces/{workspace}/webhooks/{webhook}/deliveries/", R, _MANAGE, _from("manager", 200)),
    Row(
        "GET",
        "workspaces/{workspace}/webhooks/{webhook}/deliveries/{delivery}/",
        R,
        _MANAGE,
        _from("manager", 200),
    ),
    Row(
        "POST",
        "workspaces/{workspace}/webhooks/{webhook}/deliveries/{delivery}/redeliver/",
        R,
        _MANAGE,
        _from("manager", 202),
    ),
    Row("GET", "workspaces/{workspace}/snapshots/", R, _READ, _from("manager", 200)),
    Row("POST", "workspaces/{workspace}/snapshots/", R, _MANAGE, _from("manager", 201), {"name": "Now"}),
    Row("GET", "workspaces/{workspace}/snapshots/{snapshot}/", R, _READ, _from("manager", 200)),
    Row(
        "PATCH",
        "workspaces/{workspace}/snapshots/{snapshot}/",
        R,
        _MANAGE,
        _from("manager", 200),
        {"name": "Then"},
    ),
    Row("DELETE", "workspaces/{workspace}/snapshots/{snapshot}/", R, _MANAGE, _from("manager", 204)),
    Row("GET", "workspaces/{workspace}/snapshots/{snapshot}/compare/", R, _READ, _from("manager", 200)),
    Row(
        "POST", "workspaces/{workspace}/snapshots/{snapshot}/restore/", R, _MANAGE, _from("manager", 200), {}
    ),
]
_MARKS = [
    Row("GET", "me/favorites/", A, _READ, _signed_in(200)),
    Row("GET", "me/recent/", A, _READ, _signed_in(200)),
    Row("DELETE", "me/recent/", A, _WRITE, _signed_in(204)),
    Row("GET", "me/watches/", A, _READ, _signed_in(200)),
    Row("PUT", "documents/{document}/favorite/", R, _WRITE, _from("viewer", 204)),
    Row("POST", "documents/{document}/favorite/", R, _WRITE, _from("viewer", 204)),
    Row("DELETE", "documents/{document}/favorite/", R, _WRITE, _from("viewer", 204)),
    Row("GET", "documents/{document}/watch/", R, _READ, _from("viewer", 404, below=404)),
    Row("PUT", "documents/{document}/watch/", R, _WRITE, _from("viewer", 200), {"subtree": True}),
    Row("POST", "documents/{document}/watch/", R, _WRITE, _from("viewer", 200), {}),
    Row("DELETE", "documents/{document}/watch/", R, _WRITE, _from("viewer", 204)),
    Row("GET", "workspaces/{workspace}/watch/", R, _READ, _from("viewer", 404, below=404)),
    Row("PUT", "workspaces/{workspace}/watch/", R, _WRITE, _from("viewer", 200), {}),
    Row("POST", "workspaces/{workspace}/watch/", R, _WRITE, _from("viewer", 200), {}),
    Row("DELETE", "workspaces/{workspace}/watch/", R, _WRITE, _from("viewer", 204)),
]
_HOLDS = [
    Row("GET", "documents/{document}/holds/", N, _MANAGE, _administrator(200)),
    Row("POST", "documents/{document}/holds/", N, _MANAGE, _administrator(201), {"reason": "Case 7"}),
    Row("GET", "documents/{document}/holds/{absent}/", N, _MANAGE, _administrator(404)),
    Row("DELETE", "documents/{document}/holds/{absent}/", N, _MANAGE, _administrator(404)),
    Row("GET", "workspaces/{workspace}/holds/", N, _MANAGE, _administrator(200)),
    Row("POST", "workspaces/{workspace}/holds/", N, _MANAGE, _administrator(201), {"reason": "Case 7"}),
    Row("GET", "workspaces/{workspace}/holds/{absent}/", N, _MANAGE, _administrator(404)),
    Row("DELETE", "workspaces/{workspace}/holds/{absent}/", N, _MANAGE, _administrator(404)),
]
_TEAM_MEMBERS = (401, 404, 200, 404, 404, 404, 200, 200)


def _team_managers(status: int) -> tuple[int, ...]:
    return (401, 404, 403, 404, 404, 404, status, status)


# The owner manages the team and the viewer is in it.
_TEAMS = [
    Row("GET", "teams/", A, "teams:read", _signed_in(200)),
    Row("POST", "teams/", N, "teams:write", _signed_in(201), {"name": "Crew"}),
    Row("GET", "teams/{team}/", R, "teams:read", _TEAM_MEMBERS),
    Row("PATCH", "teams/{team}/", R, "teams:write", _team_managers(200), {"name": "Fleet"}),
    Row("DELETE", "teams/{team}/", R, "teams:write", _team_managers(204)),
    Row("DELETE", "teams/{team}/?dry_run=true", R, "teams:write", _team_managers(200)),
    Row("GET", "teams/{team}/members/", R, "teams:read", _TEAM_MEMBERS),
    Row("POST", "teams/{team}/members/", R, "teams:write", _team_managers(201), {"user": "{editor}"}),
    Row(
        "POST",
        "teams/{team}/members/?dry_run=true",
        R,
        "teams:write",
        _team_managers(200),
        {"user": "{editor}"},
    ),
    Row("GET", "teams/{team}/members/{viewer}/", R, "teams:read", _TEAM_MEMBERS),
    Row(
        "PATCH",
        "teams/{team}/members/{viewer}/",
        R,
        "teams:write",
        _team_managers(200),
        {"manager": True},
    ),
    Row(
        "DELETE",
        "teams/{team}/members/{viewer}/",
        R,
        "teams:write",
        (401, 404, 204, 404, 404, 404, 204, 204),
    ),
    Row("DELETE", "teams/{team}/members/{viewer}/?dry_run=true", R, "teams:write", _TEAM_MEMBERS),
]
_COMMENT_WRITE = "comments:write"
_SAID = {"body": "What about this?"}
_COMMENTS = [
    Row("GET", "documents/{document}/threads/", R, _READ, _from("viewer", 200)),
    Row("POST", "documents/{document}/threads/", R, _COMMENT_WRITE, _from("commenter", 201), _SAID),
    Row(
        "POST",
        "documents/{document}/threads/",
        R,
        _COMMENT_WRITE,
        _from("commenter", 409),
        _SAID,
        setup="archived",
    ),
    Row(
        "GET",
        "documents/{document}/threads/",
        R,
        _READ,
        (401, 404, 404, 404, 410, 410, 410, 404),
        setup="trashed",
    ),
    Row("GET", "threads/{thread}/", R, _READ, _from("viewer", 200)),
    Row("GET", "threads/{thread}/", R, _READ, (401, 404, 404, 404, 410, 410, 410, 404), setup="trashed"),
    Row("PATCH", "threads/{thread}/", R, _COMMENT_WRITE, _from("editor", 200), {"quote": None}),
    Row("DELETE", "threads/{thread}/", R, _COMMENT_WRITE, _from("manager", 204)),
    Row("POST", "threads/{thread}/resolve/", R, _COMMENT_WRITE, _from("editor", 200)),
    Row("POST", "threads/{thread}/reopen/", R, _COMMENT_WRITE, _from("editor", 200)),
    Row("GET", "threads/{thread}/comments/", R, _READ, _from("viewer", 200)),
    Row("POST", "threads/{thread}/comments/", R, _COMMENT_WRITE, _from("commenter", 201), _SAID),
    Row("GET", "comments/{comment}/", R, _READ, _from("viewer", 200)),
    Row("GET", "comments/{comment}/", R, _READ, _from("owner", 200, below=404), setup="draft"),
    Row("PATCH", "comments/{comment}/", R, _COMMENT_WRITE, _from("owner", 200), _SAID),
    Row("DELETE", "comments/{comment}/", R, _COMMENT_WRITE, _from("manager", 204)),
    Row("GET", "comments/{comment}/reactions/", R, _READ, _from("viewer", 200)),
    Row(
        "POST",
        "comments/{comment}/reactions/",
        R,
        _COMMENT_WRITE,
        _from("commenter", 201),
        {"emoji": "👍"},
    ),
    Row(
        "DELETE",
        "comments/{comment}/reactions/?emoji=%F0%9F%91%8D",
        R,
        _COMMENT_WRITE,
        _from("commenter", 204),
    ),
]
TABLE: tuple[Row, ...] = (
    *_PUBLIC,
    *_SHARED,
    *_SHARED_COMMENTS,
    *_OWN,
    *_PLATFORM,
    *_TEAMS,
    *_SERVICES,
    *_WORKSPACE,
    *_DOCUMENT,
    *_ATTACHMENTS,
    *_IMPORTS,
    *_HOLDS,
    *_MARKS,
    *_SNAPSHOTS,
    *_ADDRESSES,
    *_COMMENTS,
)
