"""A real clamd that knows one signature, that of the EICAR test file; for who has the program."""

from __future__ import annotations

import contextlib
import hashlib
import pathlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

# In two halves: a scanner on the machine of whoever works on this must not take the file away.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*").encode()
FINDING = "Eicar-Test-Signature"
PROGRAM = shutil.which("clamd")
_PATIENCE = 60


def _configuration(folder: pathlib.Path) -> pathlib.Path:
    (folder / "signatures").mkdir()
    line = f"{hashlib.md5(EICAR, usedforsecurity=False).hexdigest()}:{len(EICAR)}:{FINDING}\n"
    (folder / "signatures" / "test.hdb").write_text(line)
    path = folder / "clamd.conf"
    path.write_text(
        f"LocalSocket {folder}/clamd.sock\nDatabaseDirectory {folder}/signatures\nForeground yes\n"
        f"LogFile {folder}/clamd.log\nStreamMaxLength 1M\nOfficialDatabaseOnly no\n"
    )
    return path


@contextlib.contextmanager
def clamd(folder: pathlib.Path) -> Iterator[str]:
    """A running clamd; gives its address."""
    command = [str(PROGRAM), f"--config-file={_configuration(folder)}"]
    log = folder / "output"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            deadline = time.monotonic() + _PATIENCE
            while not _answers(folder / "clamd.sock"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"clamd didn't start: {log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield f"unix://{folder}/clamd.sock"
        finally:
            process.terminate()


def _answers(path: pathlib.Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(path))
        probe.sendall(b"nPING\n")
        return probe.recv(16).startswith(b"PONG")
    return False
