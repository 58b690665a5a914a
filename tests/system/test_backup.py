"""`backup` of an installation at work, and `restore` into a new one that then runs."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres
from cloudscribe.lib.embedded.processes import wait_until
from tests.system.installation import ROOT, Run
from tests.system.test_readme_tour import administrator

pytestmark = pytest.mark.system
FILE = b"bytes of a file"


@dataclasses.dataclass
class Restored:
    """Two installations: one that goes on, and what its backup became."""

    path: pathlib.Path
    said: str
    old: httpx.Client
    new: httpx.Client
    run: Run
    document: dict[str, Any]
    later: dict[str, Any]
    etag: str
    cursor: str
    frozen: httpx.Response


class Moved(Run):
    """At the address that the old one had: else nothing that was signed for it would hold anyway."""

    public = ""

    def environment(self) -> dict[str, str]:
        """With that address."""
        return {**super().environment(), "CLOUDSCRIBE_PUBLIC_URL": self.public}


def manage(data: pathlib.Path, *arguments: str | os.PathLike[str]) -> subprocess.CompletedProcess[str]:
    """A command on that data folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**kept, "CLOUDSCRIBE_DATA": str(data)},
        capture_output=True,
        text=True,
        check=False,
    )


def client(run: Run, email: str, password: str) -> httpx.Client:
    """A client of that installation, signed in."""
    made = httpx.Client(base_url=f"http://127.0.0.1:{run.port}/api/v1/", timeout=30)
    signed = made.post("auth/login/", json={"email": email, "password": password})
    made.headers["Authorization"] = f"Bearer {signed.json()['access']}"
    return made


@pytest.fixture(scope="module")
def restored(installation: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    """A document with a file, a backup, another document, and the backup in a folder of its own, running."""
    if not installation.serves():
        installation.start()
    folder, person = tmp_path_factory.mktemp("backup"), administrator(installation)
    old = client(installation, *person)
    room = old.get("workspaces/").json()["results"][0]["id"]
    body = {"workspace": room, "title": "Kept", "content": "what was there"}
    document = old.post("documents/", json=body).json()
    old.post(f"documents/{document['id']}/attachments/", files={"file": ("a.txt", FILE)}).raise_for_status()
    etag = old.get(f"documents/{document['id']}/").headers["ETag"]
    cursor = old.get("changes/").json()["cursor"]
    path = folder / "made" / "backup.tar"
    path.parent.mkdir()
    for words in (("read_only", "on", "--reason", "Moving"), ("backup", path), ("read_only", "off")):
        said = manage(installation.data, *words)
        assert said.returncode == 0, said.stderr
    body["title"] = "Later"
    assert wait_until(lambda: old.post("documents/", json=body).status_code == 201, 5)
    later = old.get("documents/", params={"ordering": "-created_at"}).json()["results"][0]
    run = Moved(folder / "data")
    run.public = f"http://127.0.0.1:{installation.port}"
    done = manage(run.data, "restore", path, "--verify")
    assert done.returncode == 0, done.stderr
    run.start()
    new = client(run, *person)
    frozen = new.post("documents/", json=body)
    assert manage(run.data, "read_only", "off").returncode == 0
    assert wait_until(lambda: new.post("workspaces/", json={}).status_code == 400, 5)
    yield Restored(path, done.stdout, old, new, run, document, later, etag, cursor, frozen)
    run.end()


def test_backup_leaves_one_file_for_its_owner_alone(restored: Restored) -> None:
    """It holds the keys."""
    assert list(restored.path.parent.iterdir()) == [restored.path]
    assert restored.path.stat().st_mode & 0o777 == 0o600


def test_backup_is_on_the_record(restored: Restored) -> None:
    """Somebody has a copy of everything."""
    (event,) = restored.old.get("audit/events/?action=database.backed_up").json()["results"]
    assert event["actor"]["name"] == "backup"


def test_restored_of_a_frozen_installation_is_frozen(restored: Restored) -> None:
    """And says so: whoever froze it decides when that is over."""
    assert "this one is read-only, too: `manage.py read_only off`" in restored.said
    assert (restored.frozen.status_code, restored.frozen.json()["code"]) == (503, "read_only")
    assert "Reason: Moving" in restored.frozen.json()["detail"]


def test_restored_documents_are_as_they_were(restored: Restored) -> None:
    """Body, revision and author."""
    path = f"documents/{restored.document['id']}/"
    shown = restored.new.get(path).json()
    assert shown["content"] == "what was there"
    assert shown == restored.old.get(path).json() | {"url": shown["url"]}


def test_restored_files_are_as_they_were(restored: Restored) -> None:
    """Byte for byte."""
    path = f"documents/{restored.document['id']}/attachments/"
    (file,) = restored.new.get(path).json()["results"]
    assert restored.new.get(f"attachments/{file['id']}/file/").content == FILE


def test_what_came_after_the_backup_is_not_there(restored: Restored) -> None:
    """It is of one moment."""
    assert restored.old.get(f"documents/{restored.later['id']}/").status_code == 200
    assert restored.new.get(f"documents/{restored.later['id']}/").status_code == 404


def test_sessions_of_before_are_over(restored: Restored) -> None:
    """One that was revoked after the backup would be alive again."""
    answer = restored.new.get("me/", headers={"Authorization": restored.old.headers["Authorization"]})
    assert answer.status_code == 401


def test_versions_of_before_are_void(restored: Restored) -> None:
    """The same revision number may be another text."""
    answer = restored.new.patch(
        f"documents/{restored.document['id']}/", json={"title": "New"}, headers={"If-Match": restored.etag}
    )
    assert answer.status_code == 412


def test_cursors_of_before_are_told_to_begin_anew(restored: Restored) -> None:
    """What stood behind them may be gone."""
    answer = restored.new.get("changes/", params={"cursor": restored.cursor})
    assert (answer.status_code, answer.json()["code"]) == (410, "resync")


def test_log_goes_on_under_another_name(restored: Restored) -> None:
    """And begins with what the backup was sealed by."""
    before, after = (each.get("audit/keys/").json() for each in (restored.old, restored.new))
    assert re.fullmatch(re.escape(before["origin"]) + r"/\d+", after["origin"])
    assert set(before["keys"]) < set(after["keys"])
    (event,) = restored.new.get("audit/events/?action=database.restored").json()["results"]
    assert event["actor"]["name"] == "restore"


def test_restored_trail_is_verified(restored: Restored) -> None:
    """And so are rights and files, as `--verify` asks."""
    assert "events are what was sealed" in restored.said
    assert "Every file is there." in restored.said


def test_names_that_a_process_keeps_are_not_those_of_the_backup(
    restored: Restored, installation: Run
) -> None:
    """The keys of people who came later are given out again, and nobody is to be shown as one of them."""
    stamps = set()
    for run in (installation, restored.run):
        with psycopg.connect(Postgres(Layout.at(run.data)).url()) as connection:
            stamps.update(connection.execute("SELECT stamp FROM accounts_peoplestamp").fetchall())
    assert len(stamps) == 2


def test_application_may_do_no_more_than_before(restored: Restored) -> None:
    """What a migration took from everybody stays taken."""
    url = Postgres(Layout.at(restored.run.data)).url()
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT cs_audit_archive('{}'::jsonb, '{}'::jsonb)")


def test_restore_into_what_is_there_changes_nothing(restored: Restored) -> None:
    """It goes into an empty folder alone."""
    done = manage(restored.run.data, "restore", restored.path)
    assert (done.returncode, "empty CLOUDSCRIBE_DATA" in done.stderr) == (2, True)


def test_broken_backup_is_refused_before_anything_is_made(restored: Restored, tmp_path: pathlib.Path) -> None:
    """One bit is enough."""
    content = bytearray(restored.path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "broken.tar").write_bytes(content)
    done = manage(tmp_path / "data", "restore", tmp_path / "broken.tar")
    assert (done.returncode, (tmp_path / "data").exists()) == (1, False)
