"""The kinds of jobs of accounts, by name: the web enqueues them without importing what does them."""

from __future__ import annotations

ACCOUNT_EXPORT = "accounts.export"
MAIL_SEND = "mail.send"
PURGE_EXPIRED = "accounts.purge_expired"
