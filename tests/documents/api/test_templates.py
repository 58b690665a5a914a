"""POST documents/ with `from_template`."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from audit.models import Event
from documents.limits import BODY_BYTES
from documents.models import Blob, BlobState, Document
from tests.documents.uploading import attach, body_of
from tests.documents.world import ABSENT, World

BODY = "# {{title}}\n\n{{ date }} by {{author}} for {{customer}} ({{customer}}), {{Due_1}} {{not a name}}\n"


def template_of(world: World, content: str = BODY, **fields: Any) -> str:
    """A template's id."""
    return world.document("Offer", content=content, template=True, **fields)


def made(world: World, template: str, by: Any = None, **more: Any) -> Any:
    """The answer to making a document of it."""
    body = {"workspace": world.workspace, "title": "New", "from_template": template, **more}
    return (by or world.owner).post("documents/", body)


def test_create_fills_the_template(world: World) -> None:
    """Built-in and declared names are filled, once; language, tags and icon are the template's."""
    template = template_of(world, tags=["sales"], icon="📄", language="de")
    editor = world.member("editor")
    World.ok(editor.patch("me/", {"timezone": "Pacific/Kiritimati"}))
    variables = {"customer": "{{title}} & Co", "Due_1": ""}
    body = World.ok(made(world, template, editor, variables=variables), 201)
    name = World.ok(editor.get("me/"))["name"]
    lines = body["content"].split("\n")
    assert lines[0] == "# New"
    day, _, rest = lines[2].partition(" ")
    assert rest == f"by {name} for {{{{title}}}} & Co ({{{{title}}}} & Co),  {{{{not a name}}}}"
    assert len(day) == 10
    assert day >= body["created_at"][:10]
    assert (body["tags"], body["icon"], body["language"]) == (["sales"], "📄", "de")
    assert (body["template"], body["owner"], body["revision"]) == (False, str(editor.user.uid), 1)
    assert Event.objects.get(target_uid=body["id"]).facts == {"template": template}


def test_create_with_own_fields_keeps_them(world: World) -> None:
    """What the body says goes before what the template says, an empty value as well."""
    template = template_of(world, content="x", tags=["a"], icon="📄", language="de")
    body = World.ok(made(world, template, tags=[], icon="", language="fr", state="draft"), 201)
    assert (body["tags"], body["icon"], body["language"], body["state"]) == ([], "", "fr", "draft")


def test_create_without_a_variable(world: World) -> None:
    """422 names each that is missing, and nothing is made."""
    template = template_of(world)
    answer = made(world, template, variables={"Due_1": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_variables")
    assert answer.json()["missing"] == ["customer"]
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/variables/customer"]
    assert Document.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"variables": {"customer": "x", "Due_1": "y", "bogus": "z"}}, "/variables/bogus"),
        ({"variables": {"customer": "x", "Due_1": "y", "title": "z"}}, "/variables/title"),
        ({"variables": {"customer": 5}}, "/variables/customer"),
        ({"variables": {"customer": "x" * 10_001}}, "/variables/customer"),
        ({"variables": {str(n): "" for n in range(101)}}, "/variables"),
        ({"variables": []}, "/variables"),
        ({"content": "x"}, "/content"),
        ({"from_template": None}, "/from_template"),
    ],
)
def test_create_with_bad_input(world: World, more: dict[str, Any], pointer: str) -> None:
    """Refused with the field named."""
    answer = made(world, template_of(world), **more)
    assert answer.status_code == 400, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_create_with_variables_and_no_template(world: World) -> None:
    """They would have no meaning."""
    body = {"workspace": world.workspace, "title": "New", "variables": {"a": "b"}}
    answer = world.owner.post("documents/", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/variables")


def test_create_that_becomes_too_large(world: World) -> None:
    """A body is 2 MB at most, however it came about."""
    template = template_of(world, content="{{a}}" * 300)
    answer = made(world, template, variables={"a": "x" * 10_000})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "max_length")


def test_create_that_becomes_too_large_is_refused_before_it_is_made(world: World) -> None:
    """A small body may stand for gigabytes: what is refused takes no memory."""
    template = template_of(world, content="{{a}}" * 20_000)
    tracemalloc.start()
    try:
        answer = made(world, template, variables={"a": "x" * 10_000})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "max_length")
    assert peak < 20_000_000


def test_create_up_to_the_largest_body(world: World) -> None:
    """Exactly 2 MB of UTF-8 is taken, a byte more isn't."""
    start = "{{a}}" * 200
    rest = BODY_BYTES - 200 * 2 * 5_000
    for more, status in ((0, 201), (1, 400)):
        template = template_of(world, content=start + "y" * (rest + more))
        assert made(world, template, variables={"a": "é" * 5_000}).status_code == status


def test_create_from_what_is_hidden_or_no_template(world: World) -> None:
    """Hidden and absent are alike; a template in the trash is told to its editors; a page is no template."""
    theirs = World(world.client_for)
    template, viewer = template_of(world, "x"), world.member("viewer")
    for uid in (template_of(theirs), ABSENT):
        assert made(world, uid).status_code == 404
    assert made(world, world.document("Page")).json()["errors"][0]["code"] == "not_a_template"
    assert made(world, template, viewer).status_code == 403
    own = World.ok(viewer.post("workspaces/", {"name": "Own"}), 201)["id"]
    World.ok(made(world, template, viewer, workspace=own), 201)
    World.ok(world.act(template, "trash"))
    assert made(world, template).json()["code"] == "trashed"
    assert made(world, template, viewer, workspace=own).status_code == 404


def test_create_takes_the_files_along(world: World) -> None:
    """Under ids of their own, which the text names; links to the template lead to the new document."""
    template = template_of(world, "x")
    file = attach(world, template, b"some text")["id"]
    lost = attach(world, template, b"infected")["id"]
    Blob.objects.filter(attachments__uid=lost).update(state=BlobState.INFECTED)
    text = (
        f"[{{{{customer}}}}](attachments/{file}/file/) [b](attachments/{lost}/file/) [c](cs://{template}#d)"
    )
    etag = world.owner.get(f"documents/{template}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{template}/", {"content": text}, If_Match=etag))
    editor = world.member("editor")
    body = World.ok(made(world, template, editor, variables={"customer": f"attachments/{file}/"}), 201)
    (kept,) = World.ok(editor.get(f"documents/{body['id']}/attachments/"))["results"]
    assert kept["id"] not in {file, lost}
    assert kept["created_by"]["id"] == str(editor.user.uid)
    assert body["content"] == (
        f"[attachments/{file}/](attachments/{kept['id']}/file/) [b](attachments/{lost}/file/)"
        f" [c](cs://{body['id']}#d)"
    )
    assert body_of(editor.get(f"attachments/{kept['id']}/file/")) == b"some text"
    World.ok(world.owner.delete(f"attachments/{file}/"), 204)
    assert body_of(editor.get(f"attachments/{kept['id']}/file/")) == b"some text"


def test_create_whose_files_have_no_room(world: World, settings: Any) -> None:
    """Nothing is made."""
    template = template_of(world, "x")
    attach(world, template, b"some text")
    settings.ATTACHMENT_QUOTA = 17
    answer = made(world, template)
    assert (answer.status_code, answer.json()["code"]) == (409, "attachment_quota_exceeded")
    settings.ATTACHMENT_QUOTA = 18
    World.ok(made(world, template), 201)
    assert Document.objects.count() == 2


def test_templates_stay_out_of_lists_tree_and_search(world: World) -> None:
    """They are found where they are asked for."""
    template_of(world, content="saffron")
    assert world.titles(world.owner) == []
    assert world.titles(world.owner, "?template=true") == ["Offer"]
    assert World.ok(world.owner.get(f"workspaces/{world.workspace}/tree/")) == []
    assert World.ok(world.owner.get("search/?q=saffron"))["results"] == []
    assert World.ok(world.owner.get("search/suggest/?q=off"))["results"] == []
