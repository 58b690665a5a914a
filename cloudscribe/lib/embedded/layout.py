"""Where things lie under CLOUDSCRIBE_DATA."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import tempfile

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included; PostgreSQL's lock name is the
# longest of ours.
_LONGEST_SOCKET_PATH = 103
_LONGEST_SOCKET_NAME = "/.s.PGSQL.5432"


@dataclasses.dataclass(frozen=True)
class Layout:
    """The folders and files of one installation; `data` is absolute."""

    data: pathlib.Path

    @classmethod
    def at(cls, data: str | os.PathLike[str]) -> Layout:
        """The layout under `data`, with its folders made (private to this user)."""
        layout = cls(pathlib.Path(data).expanduser().resolve())
        layout.data.mkdir(parents=True, exist_ok=True)
        for directory in (layout.run, layout.log, layout.mail):
            directory.mkdir(mode=0o700, exist_ok=True)
        return layout

    @property
    def postgres(self) -> pathlib.Path:
        """PostgreSQL's data directory."""
        return self.data / "postgres"

    @property
    def valkey(self) -> pathlib.Path:
        """Valkey's working directory, with its append-only file."""
        return self.data / "valkey"

    @property
    def run(self) -> pathlib.Path:
        """Sockets and locks."""
        return self.data / "run"

    @property
    def log(self) -> pathlib.Path:
        """Log files, one per process kind."""
        return self.data / "log"

    @property
    def mail(self) -> pathlib.Path:
        """Mails as files, whose tokens are worth a password."""
        return self.data / "mail"

    @property
    def secrets(self) -> pathlib.Path:
        """Generated keys."""
        return self.data / "secrets.json"

    def sockets(self) -> pathlib.Path:
        """The socket folder under a name short enough for a socket address.

        `run` itself, or a link to it in the temporary folder.
        """
        if len(os.fsencode(self.run)) + len(_LONGEST_SOCKET_NAME) <= _LONGEST_SOCKET_PATH:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.run)).hexdigest()[:12]
        holder = pathlib.Path(tempfile.gettempdir(), f"cloudscribe-{os.getuid()}-{digest}")
        holder.mkdir(mode=0o700, exist_ok=True)
        # Somebody else's folder of that name in a shared /tmp could lead the password exchange to another
        # server.
        if holder.is_symlink() or holder.stat().st_uid != os.getuid():
            raise PermissionError(
                f"{holder} belongs to somebody else; remove it or choose a shorter CLOUDSCRIBE_DATA"
            )
        link = holder / "run"
        if not link.is_symlink() or link.readlink() != self.run:
            link.unlink(missing_ok=True)
            link.symlink_to(self.run)
        return link
