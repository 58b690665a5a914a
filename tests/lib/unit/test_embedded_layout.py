"""Where the embedded servers' things lie, and which keys an installation makes for itself."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import stat

import pytest

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import buffers_for
from cloudscribe.lib.embedded.secrets_file import load_secrets, missing_secrets


def test_sockets_of_a_short_folder_lie_in_it(tmp_path: pathlib.Path) -> None:
    """Where the address fits, sockets are found under CLOUDSCRIBE_DATA."""
    layout = Layout(pathlib.Path("/srv/data"))
    assert layout.sockets() == pathlib.Path("/srv/data/run")


def test_sockets_of_a_long_folder_get_a_short_name(tmp_path: pathlib.Path) -> None:
    """A path beyond the system's limit is reached through a private link in the temporary folder."""
    layout = Layout.at(tmp_path / ("long-" * 30))
    name = layout.sockets()
    assert len(os.fsencode(name)) < 90
    assert name.resolve() == layout.run
    assert stat.S_IMODE(name.parent.stat().st_mode) == 0o700


def test_folders_of_mails_and_logs_are_private(tmp_path: pathlib.Path) -> None:
    """A mailed token read by another user of the machine is an account lost."""
    layout = Layout.at(tmp_path / "data")
    for folder in (layout.mail, layout.log, layout.run):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_sockets_refuse_a_link_of_somebody_else(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link laid in the shared temporary folder before us must not lead to another's server."""
    shared, trap = tmp_path / "shared", tmp_path / "trap"
    shared.mkdir()
    trap.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(shared))
    layout = Layout.at(tmp_path / ("long-" * 30))
    holder = layout.sockets().parent
    (holder / "run").unlink()
    holder.rmdir()
    holder.symlink_to(trap)
    with pytest.raises(PermissionError):
        layout.sockets()


def test_secrets_are_made_once_and_kept_private(tmp_path: pathlib.Path) -> None:
    """The second start finds the keys of the first; nobody else may read them."""
    layout = Layout.at(tmp_path / "data")
    first = load_secrets(layout)
    assert load_secrets(layout) == first
    assert stat.S_IMODE(layout.secrets.stat().st_mode) == 0o600
    ring = json.loads(first["CLOUDSCRIBE_KEYS"])
    assert len(base64.b64decode(ring["keys"][ring["active"]])) == 32
    assert len(first["CLOUDSCRIBE_SECRET_KEY"]) >= 50


def test_secrets_that_are_given_are_not_made(tmp_path: pathlib.Path) -> None:
    """A variable or its `_FILE` wins, and then nothing is written."""
    layout = Layout.at(tmp_path / "data")
    given = {"CLOUDSCRIBE_SECRET_KEY": "x", "CLOUDSCRIBE_KEYS_FILE": "/run/secrets/keys"}
    assert missing_secrets(layout, given) == {}
    assert not layout.secrets.exists()


def test_keys_for_nothing_are_not_kept(tmp_path: pathlib.Path) -> None:
    """They would stand in the way of a backup's; those that are there are used."""
    layout = Layout.at(tmp_path / "data")
    made = missing_secrets(layout, {}, keep=False)
    assert (bool(made["CLOUDSCRIBE_KEYS"]), layout.secrets.exists()) == (True, False)
    kept = missing_secrets(layout, {})
    assert missing_secrets(layout, {}, keep=False) == kept


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(0, 128), (1, 128), (2, 256), (4, 512), (256, 512)])
def test_buffers_of_the_database_follow_the_memory(gigabytes: int, megabytes: int) -> None:
    """An eighth, within limits: small machines keep their memory, large ones are not filled."""
    assert buffers_for(gigabytes * 2**30) == megabytes
