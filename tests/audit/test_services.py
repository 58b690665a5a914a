"""Every service writes events, or stands here with the reason why not."""

from __future__ import annotations

from tests.audit.source import records, services

_BEGUN = "what is begun: nothing has changed before the proof comes, whose event is the change's"
_OWN_MARK = "what a person alone sees and that gives no right"
_REHEARSED = "rehearses: all of it is rolled back"
_OVER = "removes what ended long ago, at a time that was known when it was made"
_DERIVED = "derived from what is on the record, and made again at any time"
_JOB = "claims, leases, progress and success of jobs are no events"
_COUNTER = "counts or stamps"
_NEWS = "tells people of what is on the record"
_BYTES = "bytes that no document has yet, or has any more: attaching and removing are the events"
SILENT = {
    "accounts.services.ceremonies.ceremony_redeem": _BEGUN,
    "accounts.services.digests.digest_collect": _NEWS,
    "accounts.services.email_change.email_change_request": _BEGUN,
    "accounts.services.expiry.expired_purge": _OVER,
    "accounts.services.limiter.attempt_open": _COUNTER,
    "accounts.services.notifications.notification_delete": _OWN_MARK,
    "accounts.services.notifications.notification_mailed": _NEWS,
    "accounts.services.notifications.notification_mark": _OWN_MARK,
    "accounts.services.notifications.notifications_read_all": _OWN_MARK,
    "accounts.services.oidc._opened": _BEGUN,
    "accounts.services.oidc._paused": _BEGUN,
    "accounts.services.passkeys.passkey_options": _BEGUN,
    "accounts.services.passkeys.passkey_sign_in_options": _BEGUN,
    "accounts.services.passkeys.passkey_step_up_options": _BEGUN,
    "accounts.services.password.password_reset_request": _BEGUN,
    "accounts.services.registration._note_down": _BEGUN,
    "accounts.services.second_factor.totp_start": _BEGUN,
    "accounts.services.teams.team_delete_preview": _REHEARSED,
    "accounts.services.teams.team_member_add_preview": _REHEARSED,
    "accounts.services.teams.team_member_remove_preview": _REHEARSED,
    "audit.services.events.partitions_ensure": "the trail's own room",
    "audit.services.sealing.events_seal": "seals are no events",
    "cloudscribe.jobs.files._row_write": _JOB,
    "cloudscribe.jobs.files.jobs_forsake": "the files of a person who is gone: `user.deleted` has told",
    "cloudscribe.jobs.sweeper.schedules_run": _JOB,
    "cloudscribe.management.keys._batch_reseal": "one batch of what `key_ring.resealed` tells at its end",
    "documents.services.access_requests.access_requests_purge": _OVER,
    "documents.services.blob_work._blob_pictured": _DERIVED,
    "documents.services.blob_work.blobs_unscanned": _JOB,
    "documents.services.blobs._blob_condemn": _BYTES,
    "documents.services.blobs._blob_forget": _BYTES,
    "documents.services.blobs._blob_reserve": _BYTES,
    "documents.services.comment_news.comment_tell": _NEWS,
    "documents.services.counting.scope_counts_refresh": _COUNTER,
    "documents.services.delivering.deliveries_purge": _OVER,
    "documents.services.indexing.bodies_index": _DERIVED,
    "documents.services.indexing.lexemes_refresh": _DERIVED,
    "documents.services.invitations.invitations_purge": _OVER,
    "documents.services.link_visits.link_use": _COUNTER,
    "documents.services.link_visits.link_visits_purge": _OVER,
    "documents.services.marks.favorite_add": _OWN_MARK,
    "documents.services.marks.favorite_remove": _OWN_MARK,
    "documents.services.marks.recent_forget": _OWN_MARK,
    "documents.services.marks.recent_prune": _OWN_MARK,
    "documents.services.marks.watch_remove": _OWN_MARK,
    "documents.services.marks.watch_set": _OWN_MARK,
    "documents.services.positioning.positions_rebalance": "new keys for the order that siblings have",
    "documents.services.rehearsal.grant_rehearse": _REHEARSED,
    "documents.services.states.document_inheritance_preview": _REHEARSED,
    "documents.services.tree_jobs.reservations_sweep": _JOB,
    "documents.services.tree_work.tree_work": "the services that it calls write theirs",
    "documents.services.trees.document_move_preview": _REHEARSED,
    "documents.services.watching.watchers_tell": _NEWS,
    "security.idempotency._answer": "the view that it surrounds calls the service",
    "security.services.idempotency.idempotency_keys_purge": _OVER,
    "security.services.ip_rules.ip_rules_purge": _OVER,
}


def test_service_writes_events_or_says_why_not() -> None:
    """A service that nobody thought about is refused here; so is a reason that is out of date."""
    assert {service for service in services() if not records(service)} == SILENT.keys()
