"""`manage.py import_documents`: files become documents, again and again with the same end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from accounts.actors import actor_for_command
from accounts.models import User
from audit.models import Event
from documents.importing.planning import PlannedDocument
from documents.models import Attachment, Blob, Document, DocumentBody, ImportSource, Workspace
from documents.services.importing import ImportRunning, documents_import
from tests.accounts.factories import user_make
from tests.documents.uploading import picture
from tests.documents.world import World

pytestmark = pytest.mark.django_db

FILES = {
    "SUMMARY.md": "# Contents\n\n- [Two](two.md)\n  - [One](one.md)\n",
    "one.md": "# One\n\nSee [two](two.md#part) and [deep](guide/deep.md).\n",
    "two.md": "# Two\n\nBack to [one](./one.html), out to [x](https://x.example/two.md).\n",
    "guide/README.md": "# Guide\n",
    "guide/deep.md": "text without a heading\n",
}


@pytest.fixture
def owner() -> User:
    """Who imports."""
    return user_make()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of FILES."""
    for name, text in FILES.items():
        path = tmp_path / "book" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "book"


def run(folder: Path, owner: User | str, slug: str = "book", **options: Any) -> tuple[str, str]:
    """What the command wrote to both outputs; raises CommandError with its exit code."""
    out, err = io.StringIO(), io.StringIO()
    email = owner if isinstance(owner, str) else owner.email
    call_command(
        "import_documents", str(folder), workspace=slug, owner=email, stdout=out, stderr=err, **options
    )
    return out.getvalue(), err.getvalue()


def tree() -> list[tuple[str, str | None]]:
    """Titles with those of their parents, in the order of the tree's levels."""
    rows = Document.objects.select_related("parent").order_by("depth", "parent_id", "position")
    return [(row.title, row.parent.title if row.parent else None) for row in rows]


def body(title: str) -> str:
    """A document's content by its title."""
    return DocumentBody.objects.get(document__title=title).content


def test_import_makes_the_workspace_and_its_tree(owner: User, folder: Path) -> None:
    """Titles from headings, the tree from SUMMARY.md and folders, the owner owns it all."""
    out, _ = run(folder, owner)
    assert out == "5 documents: 5 created, 0 updated, 0 unchanged.\n"
    assert tree() == [
        ("Contents", None),
        ("Two", None),
        ("Guide", None),
        ("One", "Two"),
        ("deep", "Guide"),
    ]
    assert Workspace.objects.get().slug == "book"
    assert set(Document.objects.values_list("owner", "created_by", "revision")) == {(owner.pk, owner.pk, 1)}


def test_import_makes_links_lead_to_documents(owner: User, folder: Path) -> None:
    """Relative links become the addresses of documents with their anchors; others stay."""
    run(folder, owner)
    uids = dict(Document.objects.values_list("title", "uid"))
    assert body("One") == f"# One\n\nSee [two](cs://{uids['Two']}#part) and [deep](cs://{uids['deep']}).\n"
    assert (
        body("Two") == f"# Two\n\nBack to [one](cs://{uids['One']}), out to [x](https://x.example/two.md).\n"
    )


def test_import_writes_one_event_each(owner: User, folder: Path) -> None:
    """The trail names every document, made by the command on behalf of the owner."""
    run(folder, owner)
    events = Event.objects.filter(action="document.created")
    assert set(events.values_list("target_uid", flat=True)) == set(
        Document.objects.values_list("uid", flat=True)
    )
    assert set(events.values_list("actor_kind", "actor_uid")) == {("command", owner.uid)}
    run(folder, owner)
    assert events.count() == len(FILES)


def test_import_again_changes_nothing(owner: User, folder: Path) -> None:
    """A second run finds every file where it was."""
    run(folder, owner)
    before = list(Document.objects.order_by("pk").values())
    out, _ = run(folder, owner)
    assert out == "5 documents: 0 created, 0 updated, 5 unchanged.\n"
    assert list(Document.objects.order_by("pk").values()) == before
    assert Workspace.objects.count() == 1


def test_import_of_a_changed_file_makes_a_revision(owner: User, folder: Path) -> None:
    """Only the changed file's document changes, title and text together."""
    run(folder, owner)
    (folder / "two.md").write_text("# Second\n\nNew.\n")
    out, _ = run(folder, owner)
    assert out == "5 documents: 0 created, 1 updated, 4 unchanged.\n"
    assert body("Second") == "# Second\n\nNew.\n"
    assert Document.objects.get(title="Second").revision == 2
    assert Event.objects.filter(action="document.updated").count() == 1


def test_import_of_a_new_file_mends_the_links_to_it(owner: User, folder: Path) -> None:
    """What linked to a file that wasn't there yet leads to its document afterwards."""
    (folder / "one.md").write_text("[new](new.md)")
    run(folder, owner)
    (folder / "new.md").write_text("# New")
    out, _ = run(folder, owner)
    assert out == "6 documents: 1 created, 1 updated, 4 unchanged.\n"
    assert body("one") == f"[new](cs://{Document.objects.get(title='New').uid})"


def test_import_merges_with_what_people_wrote(owner: User, folder: Path, world: World) -> None:
    """A change of the file and a change of the document meet in one revision, neither is lost."""
    (folder / "one.md").write_text("# One\n\nfirst\n\nmiddle\n\nlast\n")
    run(folder, owner)
    person = world.client_for(owner)
    address = f"documents/{Document.objects.get(title='One').uid}/"
    etag = person.get(address).headers["ETag"]
    edit = {"content": "# One\n\nFIRST\n\nmiddle\n\nlast\n"}
    World.ok(person.patch(address, edit, **{"If-Match": etag}))
    (folder / "one.md").write_text("# One\n\nfirst\n\nmiddle\n\nLAST\n")
    run(folder, owner)
    assert body("One") == "# One\n\nFIRST\n\nmiddle\n\nLAST\n"
    out, _ = run(folder, owner)
    assert "5 unchanged" in out


def test_import_of_a_conflicting_file_leaves_the_document(owner: User, folder: Path, world: World) -> None:
    """Where both changed the same line the document stays, the file is named, the exit code is 1."""
    run(folder, owner)
    person = world.client_for(owner)
    address = f"documents/{Document.objects.get(title='deep').uid}/"
    etag = person.get(address).headers["ETag"]
    World.ok(person.patch(address, {"content": "a person's text\n"}, **{"If-Match": etag}))
    (folder / "guide" / "deep.md").write_text("another file's text\n")
    with pytest.raises(CommandError) as refused:
        run(folder, owner)
    assert refused.value.returncode == 1
    assert body("deep") == "a person's text\n"


def test_import_leaves_the_trash_alone(owner: User, folder: Path, world: World) -> None:
    """A document in the trash is neither made again nor changed."""
    run(folder, owner)
    person = world.client_for(owner)
    World.ok(person.post(f"documents/{Document.objects.get(title='deep').uid}/trash/"))
    out, _ = run(folder, owner)
    assert "5 unchanged" in out
    (folder / "guide" / "deep.md").write_text("changed")
    with pytest.raises(CommandError) as refused:
        run(folder, owner)
    assert refused.value.returncode == 1
    assert Document.objects.filter(title="deep").count() == 1


def test_import_dry_run_writes_nothing(owner: User, folder: Path) -> None:
    """It says what would be done, on an empty database and on a full one."""
    out, _ = run(folder, owner, dry_run=True)
    assert out == "5 documents: 5 would be created, 0 would be updated, 0 unchanged.\n"
    assert not Workspace.objects.exists()
    run(folder, owner)
    (folder / "two.md").write_text("# Changed")
    (folder / "new.md").write_text("# New")
    out, _ = run(folder, owner, dry_run=True)
    assert out == "6 documents: 1 would be created, 1 would be updated, 4 unchanged.\n"
    assert Document.objects.count() == len(FILES)


def test_import_names_what_it_leaves_out_and_takes_the_rest(owner: User, folder: Path) -> None:
    """A file that is no text is named on the standard error; exit code 1."""
    (folder / "bad.md").write_bytes(b"\xff")
    with pytest.raises(CommandError) as refused:
        run(folder, owner)
    assert refused.value.returncode == 1
    assert Document.objects.count() == len(FILES)


@pytest.mark.parametrize("wrong", ["path", "owner", "suspended", "stranger", "slug"])
def test_import_used_wrongly_is_exit_code_2(owner: User, folder: Path, wrong: str, world: World) -> None:
    """A missing folder, an unknown or suspended owner, one who is no member, no slug: nothing is made."""
    slug = "Bad Slug!" if wrong == "slug" else "book"
    if wrong == "path":
        folder = folder / "none"
    if wrong == "owner":
        owner = User(email="nobody@example.org")
    if wrong == "suspended":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    if wrong == "stranger":
        slug = World.ok(world.owner.get("workspaces/"))["results"][0]["slug"]
    with pytest.raises(CommandError) as refused:
        run(folder, owner, slug=slug)
    assert refused.value.returncode == 2
    assert not Document.objects.exists()


def test_import_by_a_viewer_is_refused(owner: User, folder: Path, world: World) -> None:
    """Who may not create in the workspace imports nothing into it."""
    person = world.client_for(owner)
    World.ok(world.add(person, "viewer"), 201)
    slug = World.ok(person.get("workspaces/"))["results"][0]["slug"]
    with pytest.raises(CommandError) as refused:
        run(folder, owner, slug=slug)
    assert refused.value.returncode == 2
    assert not Document.objects.exists()


def test_import_in_several_batches_keeps_the_tree(owner: User, folder: Path) -> None:
    """Parents of an earlier transaction are found, and the order goes on."""
    with mock.patch("documents.services.importing._BATCH_DOCUMENTS", 2):
        run(folder, owner)
    assert tree()[-2:] == [("One", "Two"), ("deep", "Guide")]


def test_import_that_was_cut_off_is_made_whole_by_the_next(owner: User, folder: Path) -> None:
    """What stands after a crash is taken up; links into the lost part are mended."""
    with (
        mock.patch("documents.services.importing._BATCH_DOCUMENTS", 3),
        mock.patch("documents.services.importing.events_record", side_effect=[[], RuntimeError("cut off")]),
        pytest.raises(RuntimeError),
    ):
        run(folder, owner)
    assert Document.objects.count() == 3
    run(folder, owner)
    assert Document.objects.count() == ImportSource.objects.count() == len(FILES)
    assert f"(cs://{Document.objects.get(title='deep').uid})" in body("One")


@pytest.mark.django_db(transaction=True)
def test_import_while_another_runs_is_refused(owner: User, folder: Path) -> None:
    """Two at once would link to documents that neither makes."""
    run(folder, owner)
    workspace = Workspace.objects.get()
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            key = f"documents.import:{workspace.pk}"
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
        with pytest.raises(ImportRunning):
            documents_import(actor=actor_for_command(owner, "tests"), workspace=workspace, planned=[])
    finally:
        other.close()


def test_import_of_a_large_tree_costs_bounded_statements(owner: User, folder: Path) -> None:
    """Events and sources go in one statement a batch; a document costs five."""
    run(folder, owner)
    planned = [PlannedDocument(f"more/{number}.md", None, f"M{number}", "text") for number in range(20)]
    workspace = Workspace.objects.get()
    with connection.execute_wrapper(counting := Counting()):
        documents_import(actor=actor_for_command(owner, "tests"), workspace=workspace, planned=planned)
    assert counting.statements <= 20 * 6 + 20


class Counting:
    """Counts statements."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Any, *args: Any) -> Any:
        """One more."""
        self.statements += 1
        return execute(*args)


@pytest.fixture
def illustrated(folder: Path) -> Path:
    """A tree whose texts show pictures and link to other files."""
    (folder / "img").mkdir()
    (folder / "img" / "red.png").write_bytes(picture())
    (folder / "data.csv").write_text("a,b\n")
    (folder / "one.md").write_text(
        "# One\n\n![red](img/red.png) [data](data.csv) [again](./img/red.png#top) [two](two.md) "
        "![no](img/no.png)\n"
    )
    (folder / "guide" / "deep.md").write_text(
        '<img alt="A [red]\n  thing" src="../img/red.png" class="x" />\n\n'
        '<p><img src="../img/red.png"></p>\n\n```\n<img src="../img/red.png">\n```\n'
    )
    return folder


def attached() -> dict[tuple[str, str], str]:
    """The addresses of files, by the document's title and their name."""
    rows = Attachment.objects.values_list("document__title", "name", "uid")
    return {(title, name): f"/api/v1/attachments/{uid}/file/" for title, name, uid in rows}


def test_import_brings_files_along(owner: User, illustrated: Path) -> None:
    """Each document has those that it links to, their content is stored once, the texts lead to them."""
    out, _ = run(illustrated, owner)
    assert out == "5 documents: 5 created, 0 updated, 0 unchanged. 3 files attached.\n"
    files = attached()
    assert files.keys() == {("One", "red.png"), ("One", "data.csv"), ("deep", "red.png")}
    red, data, deep = files["One", "red.png"], files["One", "data.csv"], files["deep", "red.png"]
    two = Document.objects.get(title="Two").uid
    assert body("One") == (
        f"# One\n\n![red]({red}) [data]({data}) [again]({red}#top) [two](cs://{two}) ![no](img/no.png)\n"
    )
    assert body("deep") == (
        f'![A \\[red\\] thing]({deep})\n\n<p><img src="{deep}"></p>\n\n```\n<img src="../img/red.png">\n```\n'
    )
    assert Blob.objects.count() == 2
    assert Event.objects.filter(action="attachment.created").count() == 3


def test_import_again_attaches_nothing(owner: User, illustrated: Path) -> None:
    """Files are known by their content, also under another name."""
    run(illustrated, owner)
    Attachment.objects.filter(name="data.csv").update(name="renamed.csv")
    before = list(DocumentBody.objects.order_by("pk").values_list("content", "document__revision"))
    out, _ = run(illustrated, owner)
    assert out == "5 documents: 0 created, 0 updated, 5 unchanged.\n"
    assert list(DocumentBody.objects.order_by("pk").values_list("content", "document__revision")) == before
    assert Attachment.objects.count() == 3


def test_import_of_a_changed_picture_keeps_the_old_one(owner: User, illustrated: Path) -> None:
    """What earlier revisions show stays; the texts lead to the new one."""
    run(illustrated, owner)
    (illustrated / "img" / "red.png").write_bytes(picture(size=(10, 10)))
    out, _ = run(illustrated, owner)
    assert out == "5 documents: 0 created, 2 updated, 3 unchanged. 2 files attached.\n"
    assert Attachment.objects.filter(document__title="One", name="red.png").count() == 2
    newest = Attachment.objects.filter(document__title="One", name="red.png").latest("pk")
    assert f"![red](/api/v1/attachments/{newest.uid}/file/)" in body("One")


def test_import_dry_run_stores_no_file(owner: User, illustrated: Path) -> None:
    """It counts what would be attached."""
    run(illustrated, owner)
    (illustrated / "two.md").write_text("# Two\n\n![r](img/red.png)")
    out, _ = run(illustrated, owner, dry_run=True)
    assert out.endswith("1 would be updated, 4 unchanged. 1 files would be attached.\n")
    assert Attachment.objects.count() == 3


def test_import_reads_nothing_outside_of_the_folder(owner: User, folder: Path) -> None:
    """Neither by dots nor by a symbolic link, nor what is hidden; what can't be had is named."""
    (folder.parent / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / ".env").write_text("secret")
    (folder / "empty.txt").touch()
    text = "[a](../secret.txt) [b](link.txt) [c](.env) [d](empty.txt) [e](/etc/passwd) [f](%2e%2e/secret.txt)"
    (folder / "one.md").write_text(text)
    with pytest.raises(CommandError) as refused:
        run(folder, owner)
    assert refused.value.returncode == 1
    assert "2 files were left out" in str(refused.value)
    assert body("one") == text
    assert not Attachment.objects.exists()


def test_import_beyond_the_quota_stops_and_goes_on_later(
    owner: User, illustrated: Path, settings: Any
) -> None:
    """Nothing half: with room made, the next run brings the rest."""
    settings.ATTACHMENT_QUOTA = 10
    with pytest.raises(CommandError) as refused:
        run(illustrated, owner)
    assert refused.value.returncode == 2
    assert not Attachment.objects.exists()
    settings.ATTACHMENT_QUOTA = 0
    out, _ = run(illustrated, owner)
    assert out.endswith("3 files attached.\n")
