"""Tools from npm, locked beside the tests that use them and fetched once into `.cache/`."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

from django.conf import settings


def npm_tools(lock_folder: pathlib.Path, name: str) -> pathlib.Path:
    """The folder `node_modules` of what `lock_folder` locks, kept under `name`; for where npm is there."""
    tools = pathlib.Path(settings.BASE_DIR, ".cache", name)
    stamp, lock = tools / "package-lock.json", lock_folder / "package-lock.json"
    # npm writes this file last.
    done = tools / "node_modules/.package-lock.json"
    if not done.exists() or stamp.read_bytes() != lock.read_bytes():
        tools.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(lock_folder / file, tools / file)
        subprocess.run(
            [shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=tools,
            check=True,
            capture_output=True,
        )
    return tools / "node_modules"
