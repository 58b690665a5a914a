"""`python -m bench.world`: fill the world up to N documents of 3 KB and M people, written in bulk.

Document k is owned by person (k-1) mod M + 1, who may manage it, and the next three may edit it. Nobody is a
member of the workspace, so of 10,000 documents and 50 people each sees 800.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys

import django
from django.db import transaction

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import DATABASE, Postgres
from cloudscribe.lib.embedded.sharing import ensure_servers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudscribe.settings")
os.environ.update(ensure_servers(os.environ["CLOUDSCRIBE_DATA"]))
django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402 (models exist after setup)
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import User  # noqa: E402
from bench.texts import PASSWORD, address, body, title  # noqa: E402
from cloudscribe.lib.emails import canonical_email  # noqa: E402
from documents.models import (  # noqa: E402
    Document,
    DocumentBody,
    DocumentUserPermission,
    Placement,
    Revision,
    Workspace,
)
from documents.positions import position_between  # noqa: E402
from documents.search.vectors import search_columns  # noqa: E402

_SLUG = "bench-world"
_BATCH = 500
_READERS = 3


def people(wanted: int) -> list[User]:
    """The first `wanted` people, verified members of the platform; makes those who are missing."""
    password, now = make_password(PASSWORD), timezone.now()
    known = set(User.objects.filter(email__endswith="@example.org").values_list("email", flat=True))
    User.objects.bulk_create(
        User(
            email=address(number),
            email_key=canonical_email(address(number)),
            name=f"Reader {number}",
            password=password,
            email_verified_at=now,
        )
        for number in range(1, wanted + 1)
        if address(number) not in known
    )
    found = list(User.objects.filter(email__startswith="bench").order_by("id"))[:wanted]
    Group.objects.get(name="role:member").user_set.add(*found)
    return found


def write_batch(workspace: Workspace, owners: list[User], first: int, positions: list[str]) -> None:
    """Documents from number `first` on, one per position, each with body, revision, placement and grants."""
    documents = Document.objects.bulk_create(
        _document(workspace, owners[(number - 1) % len(owners)], title(number), position)
        for number, position in enumerate(positions, first)
    )
    bodies = DocumentBody.objects.bulk_create(
        _body(document, body(number)) for number, document in enumerate(documents, first)
    )
    Revision.objects.bulk_create(map(_revision, documents, bodies))
    Placement.objects.bulk_create(map(_placement, documents))
    _grant(documents, owners, first)


def _document(workspace: Workspace, owner: User, name: str, position: str) -> Document:
    return Document(
        workspace=workspace,
        title=name,
        language="en",
        position=position,
        owner=owner,
        created_by=owner,
        updated_by=owner,
    )


def _body(document: Document, text: str) -> DocumentBody:
    encoded = text.encode()
    return DocumentBody(
        document=document,
        content=text,
        sha256=hashlib.sha256(encoded).digest(),
        size=len(encoded),
        **search_columns(title=document.title, content=text, language="en"),
    )


def _revision(document: Document, written: DocumentBody) -> Revision:
    return Revision(
        document=document,
        number=1,
        author_id=document.owner_id,
        meta=document.fields_of_revision(),
        sha256=written.sha256,
        size=written.size,
    )


def _placement(document: Document) -> Placement:
    return Placement(
        document=document,
        workspace=document.workspace,
        position=document.position,
        state=document.state,
        valid_from=timezone.now(),
    )


def _grant(documents: list[Document], owners: list[User], first: int) -> None:
    manage, edit = (Permission.objects.get(codename=f"{verb}_document") for verb in ("manage", "edit"))
    DocumentUserPermission.objects.bulk_create(
        DocumentUserPermission(
            user=owners[(number - 1 + step) % len(owners)],
            content_object=document,
            permission=edit if step else manage,
            granted_by_id=document.owner_id,
        )
        for number, document in enumerate(documents, first)
        for step in range(1 + _READERS)
    )


def grow(wanted: int, users: int) -> int:
    """Add what is missing; how many documents the world has now."""
    owners = people(users)
    workspace, _ = Workspace.objects.get_or_create(slug=_SLUG, defaults={"name": "World"})
    mine = Document.objects.filter(workspace=workspace)
    there = mine.count()
    last = mine.order_by("-position").values_list("position", flat=True).first()
    for first in range(there + 1, wanted + 1, _BATCH):
        positions = []
        for _ in range(min(_BATCH, wanted + 1 - first)):
            last = position_between(last, None)
            positions.append(last)
        with transaction.atomic():
            write_batch(workspace, owners, first, positions)
    return mine.count()


def main() -> int:
    """The last line of the output is a JSON object with the number of documents."""
    parser = argparse.ArgumentParser(prog="python -m bench.world", description=__doc__)
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--users", type=int, default=50)
    options = parser.parse_args()
    made = grow(options.documents, options.users)
    # What the scheduled jobs would do within minutes: the plans and the ranking ask these tables.
    call_command("reindex_search", stdout=sys.stderr)
    Postgres(Layout.at(os.environ["CLOUDSCRIBE_DATA"])).psql("ANALYZE", DATABASE)
    print(json.dumps({"documents": made, "users": options.users}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
