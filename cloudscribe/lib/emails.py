"""E-mail addresses: the one form by which accounts are told apart, and the one for mail servers."""

from __future__ import annotations

import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email


def canonical_email(address: str) -> str:
    """The form of `address` that is unique: NFKC, lower case, without space around it.

    The part before the @ is case-folded (UAX #15, section 11). The domain is mapped as browsers do (UTS #46,
    not transitional), so that it stays the name of just one zone: folding would make `strasse.de` of
    `straße.de`, which is somebody else's. Mail never goes to this form but to the address of the row.
    """
    local, at, domain = unicodedata.normalize("NFKC", address.strip()).rpartition("@")
    return unicodedata.normalize("NFKC", local.casefold()) + at + _mapped(domain)


def _mapped(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    try:
        return idna.uts46_remap(domain, std3_rules=True, transitional=False)
    except idna.IDNAError:
        # No name of a zone; some form all the same, for those who type whatever they like.
        return unicodedata.normalize("NFKC", domain.casefold())


def email_normalise(address: str) -> str:
    """The address as it is kept and mailed to, in NFKC: what people prove is what they are known by.

    Raises ValueError where the part before the @ has letters outside ASCII (what looks like another's must
    not be a mailbox of its own) or the domain is none by IDNA 2008.
    """
    found = unicodedata.normalize("NFKC", address)
    if not found.rpartition("@")[0].isascii():
        raise ValueError("Only letters of ASCII may stand before the @.")
    email_envelope(found)
    return found


def email_checked(address: str) -> str:
    """As `email_normalise`; raises ValueError for what is no address at all, too."""
    found = email_normalise(address)
    try:
        validate_email(found)
    except ValidationError as error:
        raise ValueError("This is no e-mail address.") from error
    return found


def email_envelope(address: str) -> str:
    """The address for a mail server: its domain in ASCII by IDNA 2008; raises ValueError where that can't be.

    Left to Python, `straße.de` would become `strasse.de` (IDNA 2003), and the mail somebody else's.
    """
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    return local + at + idna.encode(domain, uts46=True).decode("ascii")
