"""How rows become answers, without a database."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import orjson
import pytest

from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind
from cloudscribe.lib.errors import ServiceUnavailable
from documents.authors import author_columns, author_reference
from documents.etags import document_etag, parse_expected
from documents.roles import ROLE_BITS, Role
from documents.selectors.reading import Names, answer_of

UID = uuid.UUID(int=1)
PARENT = uuid.UUID(int=2)
OWNER = uuid.UUID(int=3)
AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
EDITOR = ROLE_BITS[Role.EDITOR]


NAMES = Names({7: {"kind": "user", "id": str(OWNER), "name": "Olga"}}, {9: str(UID)})


def _row(**changed: Any) -> list[Any]:
    """A row that begins with `COLUMNS`; by name where a test changes something."""
    place = {
        "id": 5,
        "workspace_id": 9,
        "path": "00000000040000000005",
        "reach": [5, 4, -9],
        "trashed_at": None,
    }
    shown = {"uid": UID, "parent": PARENT, "title": "Title", "language": "en", "tags": ["a"], "icon": ""}
    state = {"state": "published", "template": False, "owner_id": 7, "position": "a0", "revision": 3}
    lock = {"inherits_access": True, "lock_expires_at": None, "lock_reason": "", "locked_by_id": None}
    authors = {"created_actor": None, "created_by_id": 7, "updated_actor": None, "updated_by_id": 7}
    times = {"created_at": AT, "updated_at": AT}
    parent = {"parent_id": 4, "parent_workspace_id": 9, "parent_path": "0000000004", "parent_reach": [4, -9]}
    row = {**place, **shown, **state, **lock, **authors, **times, **parent, "stamp": 1}
    assert set(changed) <= set(row)
    return list({**row, **changed}.values())


def test_answer_names_the_people_and_the_abilities() -> None:
    """Authors are people of today; abilities are those of the reader's bits."""
    answer = answer_of(_row(), NAMES, {-9: EDITOR}, None)
    assert answer["created_by"] == {"kind": "user", "id": str(OWNER), "name": "Olga"}
    assert answer["abilities"]["edit"] is True
    assert answer["abilities"]["grant"] is False
    assert answer["lock"] is None


def test_answer_hides_a_parent_that_the_reader_does_not_see() -> None:
    """With a grant on the document alone it has no parent."""
    assert answer_of(_row(), NAMES, {-9: EDITOR}, None)["parent"] == PARENT
    assert answer_of(_row(), NAMES, {5: EDITOR}, None)["parent"] is None


def test_answer_shows_who_was_no_person_as_of_then() -> None:
    """A command has no account whose name could be read today."""
    kept = {"kind": "command", "id": None, "name": "import_documents"}
    assert answer_of(_row(created_actor=orjson.dumps(kept).decode()), NAMES, {}, None)["created_by"] == kept


def test_answer_in_a_workspace_purged_meanwhile_is_to_be_asked_for_again() -> None:
    """The row was read a moment before; asked again it is not there."""
    with pytest.raises(ServiceUnavailable):
        answer_of(_row(workspace_id=8), NAMES, {}, None)


def test_answer_shows_a_lock_that_holds() -> None:
    """By whom, until when, why."""
    row = _row(lock_expires_at=AT, lock_reason="spring cleaning", locked_by_id=7)
    assert answer_of(row, NAMES, {}, None)["lock"] == {
        "by": {"kind": "user", "id": str(OWNER), "name": "Olga"},
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
