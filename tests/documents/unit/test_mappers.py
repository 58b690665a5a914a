"""How rows become answers, without a database."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import orjson
import pytest

from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind
from documents.authors import author_columns, author_reference
from documents.etags import document_etag, parse_expected
from documents.roles import ROLE_BITS, Role
from documents.selectors.reading import answer_of

UID = uuid.UUID(int=1)
PARENT = uuid.UUID(int=2)
OWNER = uuid.UUID(int=3)
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
EDITOR = ROLE_BITS[Role.EDITOR]


def _row(**changed: Any) -> list[Any]:
    """A row that begins with `COLUMNS`; by name where a test changes something."""
    names = [
        *(
            "id",
            "workspace_id",
            "path",
            "reach",
            "trashed_at",
            "uid",
            "workspace",
            "parent",
            "title",
            "language",
        ),
        *("tags", "icon", "state", "template", "owner", "position", "revision", "inherits_access"),
        *(
            "lock_expires_at",
            "lock_reason",
            "locker",
            "locker_name",
            "created_actor",
            "creator",
            "creator_name",
        ),
        *("updated_actor", "updater", "updater_name", "created_at", "updated_at"),
        *("parent_id", "parent_workspace_id", "parent_path", "parent_reach"),
    ]
    values = [
        *(5, 9, "00000000040000000005", [5, 4, -9], None, UID, UID, PARENT, "Title", "en"),
        *(["a"], "", "published", False, OWNER, "a0", 3, True),
        *(None, "", None, None, None, OWNER, "Olga", None, OWNER, "Olga", AT, AT),
        *(4, 9, "0000000004", [4, -9]),
    ]
    row = dict(zip(names, values, strict=True))
    assert set(changed) <= set(row)
    return list({**row, **changed}.values())


def test_answer_names_the_people_and_the_abilities() -> None:
    """Authors are people of today; abilities are those of the reader's bits."""
    answer = answer_of(_row(), {-9: EDITOR}, None)
    assert answer["created_by"] == {"kind": "user", "id": OWNER, "name": "Olga"}
    assert answer["abilities"]["edit"] is True
    assert answer["abilities"]["grant"] is False
    assert answer["lock"] is None


def test_answer_hides_a_parent_that_the_reader_does_not_see() -> None:
    """With a grant on the document alone it has no parent."""
    assert answer_of(_row(), {-9: EDITOR}, None)["parent"] == PARENT
    assert answer_of(_row(), {5: EDITOR}, None)["parent"] is None


def test_answer_shows_who_was_no_person_as_of_then() -> None:
    """A command has no account whose name could be read today."""
    kept = {"kind": "command", "id": None, "name": "import_documents"}
    assert answer_of(_row(created_actor=orjson.dumps(kept).decode()), {}, None)["created_by"] == kept


def test_answer_shows_a_lock_that_holds() -> None:
    """By whom, until when, why."""
    row = _row(lock_expires_at=AT, lock_reason="spring cleaning", locker=OWNER, locker_name="Olga")
    assert answer_of(row, {}, None)["lock"] == {
        "by": {"kind": "user", "id": OWNER, "name": "Olga"},
        "expires_at": AT,
        "reason": "spring cleaning",
    }


def _actor(kind: ActorKind) -> Actor:
    return Actor(
        kind=kind,
        uid=UID,
        pk=7,
        name="Ada",
        credential_kind=CredentialKind.SESSION,
        credential_uid=None,
        now=AT,
    )


def test_author_of_a_person_is_a_key_and_of_a_service_a_memory() -> None:
    """Names of people change; what acted for one is kept as it was."""
    assert author_columns(_actor(ActorKind.USER)) == (7, None)
    pk, kept = author_columns(_actor(ActorKind.SERVICE))
    assert (pk, kept) == (7, {"kind": "service", "id": str(UID), "name": "Ada"})
    assert author_reference(None, kept) == kept
    assert author_reference(None, None) is None


@pytest.mark.parametrize(
    "text", ["", '"x"', '"1-2"', '"1-2."', 'W/"1-2.a"', '"-1-2.a"', '"1-2.a" ', '"1-2.ä"']
)
def test_etag_that_is_none_of_ours_is_not_read(text: str) -> None:
    """Only `<epoch>-<revision>.<tail>`; outer space is the header's."""
    expected = parse_expected(text)
    assert (expected is not None) == (text.strip() == '"1-2.a"')


def test_etag_tells_epoch_and_revision_back() -> None:
    """What is written can be read."""
    expected = parse_expected(document_etag(4, 12, b"tail"))
    assert expected is not None
    assert (expected.epoch, expected.revision) == (4, 12)
    assert document_etag(4, 12, b"tail") != document_etag(4, 12, b"other")
