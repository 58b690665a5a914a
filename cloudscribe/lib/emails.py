"""The one canonical form of an e-mail address, by which accounts are told apart."""

from __future__ import annotations

import unicodedata


def canonical_email(address: str) -> str:
    """The form of `address` that is unique: NFKC, case-folded, without space around it (UAX #15, section 11).

    Mail never goes to this form but to the address as its owner gave it: case folding turns `straße@` into
    `strasse@`, which may be another person's mailbox.
    """
    folded = unicodedata.normalize("NFKC", address.strip()).casefold()
    return unicodedata.normalize("NFKC", folded)
