"""How often somebody may try a password. Decided from PostgreSQL, before the password is hashed.

A try is written down before it is judged and taken away if it was right, so that many at once can't slip
through. Strangers can't lock anybody out: the limits are per (account, address) and per address, and the wait
that grows with the account's failures is asked only of addresses new to it for 90 days. That wait looks at
what has been judged: one's own good tries at once are no reason to wait.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import math
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from accounts.exceptions import SignInLimited
from accounts.models import SignInFailure
from cloudscribe.lib.observability.metrics import LIMIT_REFUSALS
from cloudscribe.lib.transactions import transactional

PAIR_LIMIT = 10
ADDRESS_LIMIT = 50
WINDOW = 15 * 60
FREE_FAILURES = 5
LONGEST_WAIT = 60

# Two at once count one another only if one waits for the other; the locks end with the transaction.
_LOCK = (
    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7)), pg_advisory_xact_lock(hashtextextended(%s, 8))"
)
_COUNTS = """
SELECT
    count(*) FILTER (WHERE f.account = %(account)s AND f.source = %(source)s AND f.at > c.window),
    extract(epoch FROM min(f.at) FILTER (WHERE f.account = %(account)s AND f.source = %(source)s
                                         AND f.at > c.window) - c.window),
    count(*) FILTER (WHERE f.source = %(source)s AND f.at > c.window),
    extract(epoch FROM min(f.at) FILTER (WHERE f.source = %(source)s AND f.at > c.window) - c.window),
    count(*) FILTER (WHERE f.account = %(account)s AND NOT f.pending),
    extract(epoch FROM statement_timestamp() - max(f.at) FILTER (WHERE f.account = %(account)s
                                                                 AND NOT f.pending)),
    EXISTS (SELECT 1 FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
            WHERE u.email_key = %(email_key)s AND s.address <<= %(network)s::inet
              AND s.created_at > statement_timestamp() - interval '90 days')
FROM (SELECT statement_timestamp() - make_interval(secs => %(seconds)s) AS window) c
LEFT JOIN accounts_signinfailure f
    ON f.at > statement_timestamp() - interval '1 hour'
   AND (f.account = %(account)s OR f.source = %(source)s)
GROUP BY c.window
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """A try that is under way and counts as failed until it is forgiven."""

    pk: int
    account: bytes
    source: str


class _Counts(NamedTuple):
    """The failures that matter to one try: how many, and in how many seconds the oldest stops to count."""

    pair: int
    pair_frees: float | None
    from_address: int
    address_frees: float | None
    account: int
    since_last: float | None
    known: bool


@transactional
def attempt_open(*, email_key: str, address: str, known: bool | None = None) -> Attempt:
    """Count a try to sign in as `email_key` from `address`; raises SignInLimited where it is one too many.

    What is no account but has a password (a share link) has a name of its own in place of the address, and
    `known` says whether it was opened from there before.
    """
    network = _network(address)
    account, source = _account(email_key), str(network.network_address)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [account.hex(), source])
        cursor.execute(
            _COUNTS,
            {
                "account": account,
                "source": source,
                "email_key": email_key,
                "network": str(network),
                "seconds": WINDOW,
            },
        )
        counts = _Counts(*cursor.fetchone())
    wait = _wait(counts if known is None else counts._replace(known=known))
    if wait > 0:
        LIMIT_REFUSALS.labels(scope="password", key="account").inc()
        raise SignInLimited(math.ceil(wait))
    row = SignInFailure.objects.create(account=account, source=source, pending=True)
    return Attempt(row.pk, account, source)


def attempt_fail(attempt: Attempt) -> None:
    """The password was wrong: from now on the try lengthens the account's wait, too."""
    SignInFailure.objects.filter(pk=attempt.pk).update(pending=False)


def attempt_withdraw(attempt: Attempt) -> None:
    """Forget this try alone: it was neither right nor wrong."""
    SignInFailure.objects.filter(pk=attempt.pk).delete()


def attempt_forgive(attempt: Attempt) -> None:
    """Forget the failures of the account at this address, this try's too: the password was right."""
    SignInFailure.objects.filter(account=attempt.account, source=attempt.source).delete()


def _wait(counts: _Counts) -> float:
    """Seconds until the next try is welcome, 0 for now."""
    if counts.pair >= PAIR_LIMIT:
        return float(counts.pair_frees or 1)
    if counts.from_address >= ADDRESS_LIMIT:
        return float(counts.address_frees or 1)
    if counts.known or counts.account < FREE_FAILURES:
        return 0
    due = min(LONGEST_WAIT, 2 ** min(counts.account - FREE_FAILURES, 6))
    return float(max(0, due - float(counts.since_last or 0)))


def _account(email_key: str) -> bytes:
    return hmac.digest(settings.KEY_RING.derive("sign-in-account"), email_key.encode(), "sha256")


def _network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    # Who has one address of IPv6 usually has its whole /64.
    ip = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104 (no peer address: a Unix socket)
    return ipaddress.ip_network((ip, 64 if ip.version == 6 else 32), strict=False)
