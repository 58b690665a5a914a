"""What stands on the record of each write: the routes of the permission table with the events that they make.

A route that writes and stands in neither table fails the build.
"""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class First:
    """A row that is called before, by the same actor; the `id` of its answer goes by `name` from then on."""

    row: str
    name: str = ""


# By the row's name: its events in their order. Several stand for several rows that changed.
EVENTS: dict[str, tuple[str, ...]] = {
    "POST shared/{secret}/threads/": ("comment.created",),
    "POST shared/{secret}/documents/{shared_key}/threads/": ("comment.created",),
    "POST shared/{secret}/threads/{thread_key}/comments/": ("comment.created",),
    "POST auth/logout/": ("session.revoked",),
    "POST auth/password/change/": ("session.revoked", "user.password_changed"),
    "POST auth/step-up/": ("session.stepped_up",),
    "PATCH me/": ("user.updated",),
    "DELETE me/": ("member.removed", "session.revoked", "user.deleted"),
    "POST me/deactivate/": ("session.revoked", "user.deactivated"),
    "POST me/export/": ("export.requested",),
    "DELETE me/sessions/": ("session.revoked",),
    "DELETE me/sessions/{session}/": ("session.revoked",),
    "PATCH me/notification-preferences/": ("notification_preferences.changed",),
    "POST me/tokens/": ("token.created",),
    "DELETE me/tokens/{token}/": ("token.revoked",),
    "POST workspaces/": ("workspace.created",),
    "POST audit/events/export/": ("audit.exported",),
    "POST exports/": ("document.exported",),
    "POST users/{newcomer}/suspend/": ("user.suspended",),
    "POST users/{newcomer}/unsuspend/": ("user.unsuspended",),
    "POST users/{newcomer}/delete/": ("user.deleted",),
    "POST users/{newcomer}/roles/": ("role.given",),
    "DELETE users/{newcomer}/roles/{role}/": ("role.taken",),
    "POST security/ip-rules/": ("ip_rule.created",),
    "PATCH security/ip-rules/{ip_rule}/": ("ip_rule.updated",),
    "DELETE security/ip-rules/{ip_rule}/": ("ip_rule.removed",),
    "PATCH security/rate-limits/{rate_limit}/": ("rate_limit.updated",),
    "POST jobs/{job}/cancel/": ("job.cancelled",),
    "POST teams/": ("team.created",),
    "PATCH teams/{team}/": ("team.updated",),
    "DELETE teams/{team}/": ("team.deleted",),
    "POST teams/{team}/members/": ("team_member.added",),
    "PATCH teams/{team}/members/{viewer}/": ("team_member.changed",),
    "DELETE teams/{team}/members/{viewer}/": ("team_member.removed",),
    "POST service-accounts/": ("service_account.created",),
    "POST service-accounts/ [platform]": ("service_account.created",),
    "DELETE service-accounts/{service}/": ("token.revoked", "service_account.deleted"),
    "POST service-accounts/{service}/tokens/": ("token.created",),
    "DELETE service-accounts/{service}/tokens/{service_token}/": ("token.revoked",),
    "PATCH workspaces/{workspace}/": ("workspace.updated",),
    "PATCH workspaces/{workspace}/ [slug]": ("workspace.updated",),
    "DELETE workspaces/{workspace}/": ("workspace.deleted",),
    "PATCH workspaces/{workspace}/tags/{tag}/": ("tag.renamed",),
    "DELETE workspaces/{workspace}/tags/{tag}/": ("tag.removed",),
    "POST workspaces/{workspace}/members/": ("member.added",),
    "POST workspaces/{workspace}/members/ [email]": ("invitation.created",),
    "DELETE workspaces/{workspace}/invitations/{invitation}/": ("invitation.revoked",),
    "POST workspaces/{workspace}/invitations/{invitation}/resend/": ("invitation.resent",),
    "PATCH workspaces/{workspace}/members/{member}/": ("member.changed",),
    "DELETE workspaces/{workspace}/members/{member}/": ("member.removed",),
    "POST documents/": ("document.created",),
    "PATCH documents/{document}/": ("document.updated",),
    "DELETE documents/{document}/ [trashed]": ("document.purged",),
    "PUT documents/{document}/content/": ("document.updated",),
    "PATCH documents/{document}/content/": ("document.updated",),
    "POST documents/{document}/move/": ("document.moved",),
    "POST documents/batch/": ("document.trashed",),
    "POST documents/{document}/copy/": ("document.created",),
    "POST documents/{document}/publish/": ("document.published",),
    "POST documents/{document}/unpublish/": ("document.unpublished",),
    "POST documents/{document}/archive/": ("document.archived",),
    "POST documents/{document}/unarchive/ [archived]": ("document.unarchived",),
    "POST documents/{document}/trash/": ("document.trashed",),
    "POST documents/{document}/restore/ [trashed]": ("document.restored",),
    "POST documents/{document}/lock/": ("document.locked",),
    "DELETE documents/{document}/lock/": ("document.unlocked",),
    "POST documents/{document}/grants/": ("grant.set",),
    "PATCH documents/{document}/grants/{grant}/": ("grant.set",),
    "DELETE documents/{document}/grants/{grant}/": ("grant.removed",),
    "POST documents/{document}/access-requests/": ("access_request.created",),
    "POST documents/{document}/access-requests/{request}/approve/": ("grant.set", "access_request.approved"),
    "POST documents/{document}/access-requests/{request}/decline/": ("access_request.declined",),
    "POST documents/{document}/links/": ("link.created",),
    "DELETE documents/{document}/links/": ("link.revoked",),
    "PATCH documents/{document}/links/{link}/": ("link.changed",),
    "DELETE documents/{document}/links/{link}/": ("link.revoked",),
    "PATCH documents/{document}/revisions/1/": ("revision.named",),
    "POST documents/{document}/revisions/1/restore/": ("document.updated",),
    "POST documents/{document}/attachments/": ("attachment.created",),
    "PATCH attachments/{attachment}/": ("attachment.renamed",),
    "POST imports/": ("import.requested",),
    "DELETE attachments/{attachment}/": ("attachment.removed",),
    "POST documents/{document}/holds/": ("hold.placed",),
    "DELETE documents/{document}/holds/{absent}/": ("hold.released",),
    "POST workspaces/{workspace}/holds/": ("hold.placed",),
    "DELETE workspaces/{workspace}/holds/{absent}/": ("hold.released",),
    "POST workspaces/{workspace}/webhooks/": ("webhook.created",),
    "PATCH workspaces/{workspace}/webhooks/{webhook}/": ("webhook.updated",),
    "DELETE workspaces/{workspace}/webhooks/{webhook}/": ("webhook.deleted",),
    "POST workspaces/{workspace}/webhooks/{webhook}/ping/": ("webhook.pinged",),
    "POST workspaces/{workspace}/webhooks/{webhook}/rotate/": ("webhook.rotated",),
    "POST workspaces/{workspace}/webhooks/{webhook}/deliveries/{delivery}/redeliver/": (
        "webhook.redelivered",
    ),
    "POST workspaces/{workspace}/snapshots/": ("snapshot.created",),
    "PATCH workspaces/{workspace}/snapshots/{snapshot}/": ("snapshot.updated",),
    "DELETE workspaces/{workspace}/snapshots/{snapshot}/": ("snapshot.deleted",),
    "POST workspaces/{workspace}/snapshots/{snapshot}/restore/": ("snapshot.created", "snapshot.restored"),
    "POST documents/{document}/threads/": ("comment.created",),
    "PATCH threads/{thread}/": ("thread.anchored",),
    "DELETE threads/{thread}/": ("thread.deleted",),
    "POST threads/{thread}/resolve/": ("thread.resolved",),
    "POST threads/{thread}/reopen/": ("thread.reopened",),
    "POST threads/{thread}/comments/": ("comment.created",),
    "PATCH comments/{comment}/": ("comment.updated",),
    "DELETE comments/{comment}/": ("comment.deleted",),
    "POST comments/{comment}/reactions/": ("reaction.added",),
    "DELETE comments/{comment}/reactions/?emoji=%F0%9F%91%8D": ("reaction.removed",),
}
_ASKED = "nothing has changed before the mail's link is followed, and strangers could fill the trail"
_BEGUN = "nothing has changed before the code is typed in or the key answers"
_ONLY_LOOKS = "writes nothing that stays"
_OWN_MARK = "a mark that its person alone sees and that gives no right"
# Rows that succeed and leave no event, and why.
NO_EVENT: dict[str, str] = {
    "POST auth/register/": _ASKED,
    "POST auth/password/forgot/": _ASKED,
    "POST auth/email/change/": _ASKED,
    "POST auth/mfa/totp/": _BEGUN,
    "POST auth/mfa/passkeys/options/": _BEGUN,
    "POST auth/passkeys/options/": _BEGUN,
    "POST auth/step-up/options/": _BEGUN,
    "POST render/": _ONLY_LOOKS,
    "POST me/notifications/read-all/": _OWN_MARK,
    "DELETE me/recent/": _OWN_MARK,
    "PUT documents/{document}/favorite/": _OWN_MARK,
    "POST documents/{document}/favorite/": _OWN_MARK,
    "DELETE documents/{document}/favorite/": _OWN_MARK,
    "PUT documents/{document}/watch/": _OWN_MARK,
    "POST documents/{document}/watch/": _OWN_MARK,
    "DELETE documents/{document}/watch/": _OWN_MARK,
    "PUT workspaces/{workspace}/watch/": _OWN_MARK,
    "POST workspaces/{workspace}/watch/": _OWN_MARK,
    "DELETE workspaces/{workspace}/watch/": _OWN_MARK,
}
# What must have happened for a row to change anything. Without it the row leaves no event.
FIRST: dict[str, First] = {
    "DELETE me/tokens/{token}/": First("POST me/tokens/", "token"),
    "POST users/{newcomer}/unsuspend/": First("POST users/{newcomer}/suspend/"),
    "POST documents/{document}/publish/": First("POST documents/{document}/unpublish/"),
    "DELETE documents/{document}/lock/": First("POST documents/{document}/lock/"),
    "POST documents/{document}/revisions/1/restore/": First("PUT documents/{document}/content/"),
    "DELETE documents/{document}/holds/{absent}/": First("POST documents/{document}/holds/", "absent"),
    "DELETE workspaces/{workspace}/holds/{absent}/": First("POST workspaces/{workspace}/holds/", "absent"),
    "PATCH threads/{thread}/": First("PUT documents/{document}/content/"),
    "POST threads/{thread}/reopen/": First("POST threads/{thread}/resolve/"),
    "DELETE comments/{comment}/reactions/?emoji=%F0%9F%91%8D": First("POST comments/{comment}/reactions/"),
}
# Bodies that change something where the permission table's needn't.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH workspaces/{workspace}/webhooks/{webhook}/": {"events": ["comment.*"]},
    "PATCH security/rate-limits/{rate_limit}/": {"enabled": False},
    "PATCH workspaces/{workspace}/snapshots/{snapshot}/": {"name": "Renamed"},
    "PATCH threads/{thread}/": {"quote": "New"},
}

# The admin's actions on lists, by model and name, and its forms, by model.
ADMIN_ACTIONS: dict[str, tuple[str, ...]] = {
    "accounts.user suspend": ("user.suspended",),
    "accounts.user unsuspend": ("user.unsuspended",),
    "accounts.user reset_factors": ("mfa.reset",),
    "accounts.user erase": ("user.deleted",),
    "accounts.rolepolicy demand": ("role_policy.updated",),
    "accounts.rolepolicy waive": ("role_policy.updated",),
    "accounts.session end": ("session.revoked",),
    "accounts.team dissolve": ("team.deleted",),
    "accounts.token revoke": ("token.revoked",),
    "accounts.serviceaccount remove": ("token.revoked", "service_account.deleted"),
    "documents.invitation revoke": ("invitation.revoked",),
    "documents.sharelink revoke": ("link.revoked",),
    "documents.blob rescan": ("blob.rescanned",),
    "documents.hold release": ("hold.released",),
    "documents.webhook switch_off": ("webhook.disabled",),
    "documents.delivery redeliver": ("webhook.redelivered",),
    "jobs.job cancel": ("job.cancelled",),
    "jobs.job retry": ("job.retried",),
    "security.iprule remove": ("ip_rule.removed",),
}
ADMIN_FIRST: dict[str, str] = {
    "accounts.user unsuspend": "accounts.user suspend",
    "accounts.rolepolicy waive": "accounts.rolepolicy demand",
    "jobs.job retry": "jobs.job cancel",
}
ADMIN_FORMS: dict[str, tuple[dict[str, str], str]] = {
    "accounts.user": ({"name": "Renamed"}, "user.updated"),
    "accounts.team": ({"name": "Fleet"}, "team.updated"),
    "security.iprule": ({"reason": "Why"}, "ip_rule.updated"),
    "security.ratelimitpolicy": ({"requests": "7"}, "rate_limit.updated"),
}
# Which row of the stage a model's page is of: its column and the name of the value; any where there is none.
ADMIN_ROWS: dict[str, tuple[str, str]] = {
    "accounts.rolepolicy": ("group__name", "policy"),
    "accounts.serviceaccount": ("user__uid", "service"),
    "accounts.session": ("uid", "session"),
    "accounts.team": ("uid", "team"),
    "accounts.token": ("uid", "service_token"),
    "accounts.user": ("uid", "newcomer"),
    "documents.delivery": ("uid", "delivery"),
    "documents.invitation": ("uid", "invitation"),
    "documents.sharelink": ("uid", "link"),
    "documents.webhook": ("uid", "webhook"),
    "jobs.job": ("uid", "job"),
    "security.iprule": ("uid", "ip_rule"),
}

# Commands by what they are called with, names of the stage in braces.
COMMANDS: dict[str, tuple[str, ...]] = {
    "create_admin --keep-password --email {email}": ("user.updated",),
    "block_ip 198.51.100.7 --reason Noise": ("ip_rule.created",),
    "block_ip 203.0.113.0/24 --remove": ("ip_rule.removed",),
    "jobs cancel {job}": ("job.cancelled",),
    "jobs retry {cancelled}": ("job.retried",),
    "purge_trash": ("document.purged",),
}
_NOTHING = "changes nothing that the application keeps"
_RUNS = "serves; what is done in it has its own events"
# The other commands: why they leave none, or where it is tested that they do.
OTHER_COMMANDS: dict[str, str] = {
    "archive_audit": "tests/audit/test_archiving.py",
    "backup": "tests/system/test_backup.py",
    "bootstrap": _RUNS,
    "check_access": "tests/documents/test_check_access.py",
    "doctor": _NOTHING,
    "expire_revisions": "tests/documents/api/test_revision_retention.py",
    "export_workspace": "tests/documents/test_export_workspace.py",
    "import_documents": "the service of importing writes one for each document",
    "migrate": "the schema alone",
    "prepare": _NOTHING,
    "read_only": "tests/security/test_read_only.py",
    "restore": "tests/system/test_backup.py",
    "reindex_search": "derived from what is on the record",
    "rotate_keys": "tests/management/test_rotate_keys.py",
    "rqworkers": _RUNS,
    "scheduler": _RUNS,
    "seed_demo": "tests/management/test_seed_demo.py",
    "serve": _RUNS,
    "setup_roles": "roles of the database",
    "verify_audit": _NOTHING,
    "write_reference": _NOTHING,
}
