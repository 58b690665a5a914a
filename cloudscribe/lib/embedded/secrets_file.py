"""Keys made at the first start and kept in CLOUDSCRIBE_DATA/secrets.json, readable by their owner alone."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping

from cloudscribe.lib.embedded.layout import Layout

SECRET_KEY = "CLOUDSCRIBE_SECRET_KEY"  # noqa: S105 (a variable's name)
KEYS = "CLOUDSCRIBE_KEYS"


def _generate() -> dict[str, str]:
    kid = secrets.token_hex(4)
    ring = {"active": kid, "keys": {kid: base64.b64encode(secrets.token_bytes(32)).decode()}}
    return {SECRET_KEY: secrets.token_urlsafe(48), KEYS: json.dumps(ring)}


def load_secrets(layout: Layout) -> dict[str, str]:
    """The keys of this installation by variable name, made by the first of all who come at once."""
    with (layout.run / "secrets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if layout.secrets.exists():
            return dict(json.loads(layout.secrets.read_text()))
        made = _generate()
        fresh = layout.secrets.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(made, file, indent=1)
            file.flush()
            os.fsync(descriptor)
        fresh.rename(layout.secrets)
        return made


def missing_secrets(layout: Layout, environment: Mapping[str, str]) -> dict[str, str]:
    """What must be added to `environment`.

    The kept keys whose variable is set neither itself nor as `*_FILE`.
    """
    wanted = [
        name
        for name in (SECRET_KEY, KEYS)
        if not environment.get(name) and not environment.get(name + "_FILE")
    ]
    if not wanted:
        return {}
    kept = load_secrets(layout)
    return {name: kept[name] for name in wanted}
