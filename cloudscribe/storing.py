"""Settings of files: where they lie, how large they may be, what looks at them.

cloudscribe.settings takes them over as they are.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from cloudscribe.lib import env

__all__ = [
    "ATTACHMENT_QUOTA",
    "BLOB_GRACE",
    "CLAMAV_TIMEOUT",
    "CLAMAV_URL",
    "IMPORT_BYTES",
    "MAX_UPLOAD_BYTES",
]

MAX_UPLOAD_BYTES = env.integer(
    "CLOUDSCRIBE_MAX_UPLOAD_BYTES", 100 * 1024 * 1024, "Largest file that is taken.", least=1024
)
ATTACHMENT_QUOTA = env.integer(
    "CLOUDSCRIBE_ATTACHMENT_QUOTA",
    10 * 1024**3,
    "Bytes of files that one workspace may hold, each counted as often as it is attached; 0 for any number.",
)
IMPORT_BYTES = env.integer(
    "CLOUDSCRIBE_IMPORT_BYTES",
    1024**3,
    "Most bytes of an import's archive once it is unpacked, an eighth of them in Markdown.",
    least=1024,
)
BLOB_GRACE = env.seconds(
    "CLOUDSCRIBE_BLOB_GRACE", 86_400, "A file that no document has any more is removed after."
)
CLAMAV_URL = env.text(
    "CLOUDSCRIBE_CLAMAV_URL",
    "",
    "Virus scanner for new files, `tcp://host:3310` or `unix:///run/clamav/clamd.ctl`; none without.",
)
if CLAMAV_URL and urlsplit(CLAMAV_URL).scheme not in {"tcp", "unix"}:
    raise ImproperlyConfigured("CLOUDSCRIBE_CLAMAV_URL is not tcp://host:port or unix:///path.")
CLAMAV_TIMEOUT = env.seconds("CLOUDSCRIBE_CLAMAV_TIMEOUT", 120, "Longest wait for the scanner's answer.")

_bucket = env.text(
    "CLOUDSCRIBE_S3_BUCKET", "", "Bucket for files; without, they lie in `media/` below the data folder."
)
_endpoint = env.text("CLOUDSCRIBE_S3_ENDPOINT", "", "Address of an S3 server other than Amazon's.")
_region = env.text("CLOUDSCRIBE_S3_REGION", "us-east-1", "Region of the bucket.")
_access_key = env.secret("CLOUDSCRIBE_S3_ACCESS_KEY", "Access key of the bucket.")
_secret_key = env.secret("CLOUDSCRIBE_S3_SECRET_KEY", "Secret key of the bucket.")


def remote_storage(bucket: str, endpoint: str, region: str, keys: tuple[str, str]) -> dict[str, Any]:
    """The entry of STORAGES for a bucket; `endpoint` empty is Amazon's own."""
    return {
        "BACKEND": "cloudscribe.lib.remote_storage.RemoteStorage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint or None,
            "region_name": region,
            "access_key": keys[0],
            "secret_key": keys[1],
            # Buckets of one's own server have no host name of their own.
            "addressing_style": "path" if endpoint else "auto",
            "signature_version": "s3v4",
            "default_acl": None,
            "file_overwrite": True,
        },
    }


STORAGE: dict[str, Any] = {"BACKEND": "cloudscribe.lib.storage.LocalStorage"}
if _bucket:
    if not _access_key or not _secret_key:
        raise ImproperlyConfigured(
            "CLOUDSCRIBE_S3_ACCESS_KEY and CLOUDSCRIBE_S3_SECRET_KEY must be set for CLOUDSCRIBE_S3_BUCKET."
        )
    STORAGE = remote_storage(_bucket, _endpoint, _region, (_access_key, _secret_key))
