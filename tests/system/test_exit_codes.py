"""What `manage.py` itself tells a script by its exit code."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.parametrize(("arguments", "code"), [(["no_such_command"], 2), (["doctor", "--help"], 0)])
def test_exit_code_of_manage(arguments: list[str], code: int) -> None:
    """0 done, 2 used wrongly; a name that no command has is wrong use."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, capture_output=True, check=False
    )
    assert done.returncode == code


def test_help_makes_no_keys(tmp_path: pathlib.Path) -> None:
    """The folder is still one that a backup goes into."""
    environment = {"PATH": os.environ["PATH"], "CLOUDSCRIBE_DATA": str(tmp_path / "data")}
    arguments = [sys.executable, "manage.py", "restore", "--help"]
    subprocess.run(arguments, cwd=settings.BASE_DIR, env=environment, capture_output=True, check=True)
    assert not (tmp_path / "data" / "secrets.json").exists()


def test_reader_that_has_enough_is_no_error() -> None:
    """`manage.py ... | head` ends as any other program does there, without a word."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "manage.py", "help", "--commands"],
        cwd=settings.BASE_DIR,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
