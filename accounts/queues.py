"""The kinds of jobs of accounts, by name: the web enqueues them without importing what does them."""

from __future__ import annotations

ACCOUNT_EXPORT = "accounts.export"
DIGESTS_COLLECT = "notifications.collect_digests"
DIGEST_MAIL = "notifications.mail_digest"
MAIL_SEND = "mail.send"
NOTICES_MAIL = "notifications.mail"
PERSON_ERASE = "accounts.erase"
PURGE_EXPIRED = "accounts.purge_expired"
