"""Asking a virus scanner, clamd, about a file."""

from __future__ import annotations

from typing import BinaryIO
from urllib.parse import urlsplit

from clamav_client.clamd import (
    BufferTooLongError,
    ClamdError,
    ClamdNetworkSocket,
    ClamdUnixSocket,
)
from django.conf import settings

from cloudscribe.lib.errors import BusinessError, ServiceUnavailable

_PORT = 3310


class ScannerMissing(BusinessError):
    """There is no scanner to ask."""

    code = "scanner_missing"
    title = "No virus scanner is set"
    detail = "Set CLOUDSCRIBE_CLAMAV_URL first."


class ScannerUnavailable(ServiceUnavailable):
    """clamd doesn't answer, or not with what it should."""

    code = "scanner_unavailable"
    title = "The virus scanner is not answering"


class ScannerRefused(BusinessError):
    """clamd takes no file of that size: its `StreamMaxLength` is too low."""

    code = "scanner_refused"
    title = "The virus scanner takes no file of this size"
    detail = "Raise StreamMaxLength of clamd to the largest file that is taken here."


def finding_of(file: BinaryIO) -> str:
    """What clamd finds in a file, read from its beginning; empty for nothing.

    Raises ScannerUnavailable, ScannerRefused.
    """
    file.seek(0)
    try:
        answer = _scanner().instream(file)
    except BufferTooLongError:
        raise ScannerRefused from None
    except (ClamdError, OSError) as error:
        raise ScannerUnavailable from error
    ((status, name),) = answer.values() or [("ERROR", "")]
    if status not in {"OK", "FOUND"}:
        raise ScannerUnavailable
    return str(name or "unnamed") if status == "FOUND" else ""


def scanner_version() -> str:
    """What clamd says of itself; raises ScannerUnavailable."""
    try:
        return str(_scanner().version())
    except (ClamdError, OSError) as error:
        raise ScannerUnavailable from error


def _scanner() -> ClamdNetworkSocket:
    url = urlsplit(settings.CLAMAV_URL)
    if url.scheme == "unix":
        return ClamdUnixSocket(url.path, timeout=int(settings.CLAMAV_TIMEOUT) or 1)
    return ClamdNetworkSocket(url.hostname or "", url.port or _PORT, timeout=settings.CLAMAV_TIMEOUT)
