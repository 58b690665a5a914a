"""Keys made at the first start and kept in CLOUDSCRIBE_DATA/secrets.json, readable by their owner alone."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.keyring import KeyRing

SECRET_KEY = "CLOUDSCRIBE_SECRET_KEY"  # noqa: S105 (a variable's name)
KEYS = "CLOUDSCRIBE_KEYS"
# Set beside KEYS where its value comes from the file, which then is the place to change it.
KEPT_IN = "CLOUDSCRIBE_KEYS_KEPT_IN"


def _generate() -> dict[str, str]:
    return {SECRET_KEY: secrets.token_urlsafe(48), KEYS: KeyRing.fresh(dt.datetime.now(dt.UTC)).dump()}


def load_secrets(layout: Layout) -> dict[str, str]:
    """The keys of this installation by variable name, made by the first of all who come at once."""
    with _locked(layout):
        if layout.secrets.exists():
            return dict(json.loads(layout.secrets.read_text()))
        made = _generate()
        _write(layout, made)
        return made


def change_ring(layout: Layout, change: Callable[[KeyRing], KeyRing]) -> None:
    """Put `change` of the kept ring in its place; of several at once each sees what the one before wrote.

    The file is replaced whole, so that a crash leaves the old or the new one. Raises KeyRingError, OSError
    and what `change` raises, and then nothing is written.
    """
    with _locked(layout):
        kept = dict(json.loads(layout.secrets.read_text()))
        before = KeyRing.parse(kept[KEYS])
        after = change(before)
        if after != before:
            _write(layout, {**kept, KEYS: after.dump()})


@contextlib.contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    with (layout.run / "secrets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(layout: Layout, values: Mapping[str, str]) -> None:
    fresh = layout.secrets.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(descriptor)
    fresh.rename(layout.secrets)


def missing_secrets(layout: Layout, environment: Mapping[str, str], *, keep: bool = True) -> dict[str, str]:
    """What must be added to `environment`.

    The kept keys whose variable is set neither itself nor as `*_FILE`. Where there are none yet, some are
    made, and kept unless `keep` says that nothing will be done with them.
    """
    wanted = [
        name
        for name in (SECRET_KEY, KEYS)
        if not environment.get(name) and not environment.get(name + "_FILE")
    ]
    if not wanted:
        return {}
    kept = load_secrets(layout) if keep or layout.secrets.exists() else _generate()
    found = {name: kept[name] for name in wanted}
    return {**found, KEPT_IN: str(layout.secrets)} if KEYS in wanted else found
