"""Files in a bucket that speaks S3. A module of its own: only who has one pays for importing the client."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from cloudscribe.lib.storage import pieces_of

# Servers other than Amazon's know no checksums behind the content, which newer clients send unasked.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=15,
    retries={"total_max_attempts": 2},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


@contextlib.contextmanager
def _as_files() -> Iterator[None]:
    """The client's errors as those of files; that nothing is there is what its own storage tells already."""
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            raise FileNotFoundError(errno.ENOENT, "there is no such object") from error
        raise OSError(errno.EIO, f"the bucket answered {status}") from error
    except BotoCoreError as error:
        raise OSError(errno.EIO, type(error).__name__) from error


class RemoteStorage(S3Storage):  # type: ignore[misc]
    """A bucket. An object appears whole or not at all, and only after it is stored."""

    def __init__(self, **options: Any) -> None:
        """Django's own options, within our times: nothing waits for ever."""
        super().__init__(**options)
        usual: Config = self.client_config
        self.client_config: Config = usual.merge(_CONFIG)

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        with _as_files():
            return bool(super().exists(name))

    def _save(self, name: str, content: Any) -> str:
        with _as_files():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Remove an object, if there is one."""
        with _as_files():
            super().delete(name)

    def size(self, name: str) -> int:
        """How long an object is."""
        with _as_files():
            return int(super().size(name))

    def pieces(self, name: str, start: int, length: int) -> Iterator[bytes]:
        """See cloudscribe.lib.storage.FileStorage."""
        span = f"bytes={start}-{start + length - 1}"
        with _as_files():
            found = self.bucket.Object(self._normalize_name(name)).get(Range=span)
        return _pieces(found["Body"], length)


def _pieces(body: Any, length: int) -> Iterator[bytes]:
    with _as_files():
        yield from pieces_of(body, length)
