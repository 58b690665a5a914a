"""What of a backup holds no more once it is restored."""

from __future__ import annotations

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

# Numbers of people and workspaces who came after the backup are given out again; nobody is to be shown under
# the name that a process keeps for such a number. An older backup has no stamp yet.
NAMES_FORGET_SQL = """
DO $$ BEGIN
    IF to_regclass('public.accounts_peoplestamp') IS NOT NULL THEN
        UPDATE public.accounts_peoplestamp SET stamp = hashtextextended(gen_random_uuid()::text, 0);
    END IF;
END $$;
"""
# A session that was revoked after the backup, a link from a mail that was used since: all would work again.
# Runs in the transaction that brings them in, so that they work at no time; gives the number of sessions.
ACCESS_END_SQL = """
DELETE FROM public.accounts_ceremony;
DELETE FROM public.accounts_emailchange WHERE confirmed_at IS NULL;
DELETE FROM public.accounts_passwordreset;
WITH ended AS (
    UPDATE public.accounts_session SET revoked_at = now(), revoked_reason = 'restored'
    WHERE revoked_at IS NULL RETURNING 1
) SELECT count(*) FROM ended;
"""


@transactional
def sessions_ended_record(*, actor: Actor, ended: int) -> None:
    """Put on the record that a restore has ended so many sessions."""
    if ended:
        event_record(
            actor=actor,
            action="session.revoked",
            target=Target("session", None, ""),
            reason="restored",
            facts={"sessions": ended},
        )
