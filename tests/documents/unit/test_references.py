"""Links between documents, and the addresses that people read."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.addresses import document_named, document_path, short_id, slug_of
from documents.references import MOST, references_of

OWN = uuid.UUID("01900000-0000-7000-8000-00000000000a")
ONE = uuid.UUID("01900000-0000-7000-8000-000000000001")
SITE = "https://docs.example.org"


def read(text: str) -> list[uuid.UUID]:
    """What a text links to."""
    return references_of(text, own=OWN, public_url=SITE)


@given(st.uuids(), st.text(max_size=100))
def test_address_leads_back_to_its_id(uid: uuid.UUID, title: str) -> None:
    """Whatever the title is, the address holds one path segment, and the id is read out of it."""
    path = document_path(uid, title)
    name = path.removeprefix("/d/")
    assert (document_named(name), document_named(short_id(uid))) == (uid, uid)
    assert name.isascii()
    assert "/" not in name


@pytest.mark.parametrize(
    "name", ["", "x", "page-", "1" * 21, "z" * 22, "page-" + "0" * 22, "page-" + "1" * 23]
)
def test_name_without_an_id_is_none(name: str) -> None:
    """Too short, beyond 128 bits, or in other digits."""
    assert document_named(name) is None


def test_slug_of_letters_that_ascii_lacks() -> None:
    """Accents fall off; what leaves nothing gets the other name."""
    assert slug_of("Crème  brûlée_à la carte", otherwise="x") == "creme-brulee-a-la-carte"
    assert slug_of("日本語", otherwise="document") == "document"


@pytest.mark.parametrize(
    "target",
    [
        f"cs://{ONE}",
        f"cs://{ONE}#part",
        f"cs://{str(ONE).upper()}",
        f"/api/v1/documents/{ONE}/",
        f"{SITE}/api/v1/documents/{ONE}/html/",
        document_path(ONE, "Some title"),
        f"{SITE}{document_path(ONE, 'x')}?a=b#part",
        document_path(ONE, "Old title").removeprefix("/d/"),
        "./" + document_path(ONE, "Old title").removeprefix("/d/"),
        ".." + document_path(ONE, "Old title"),
    ],
)
def test_link_to_a_document_counts(target: str) -> None:
    """By its id, its route or its page: whole, as a path or relative to a page."""
    assert read(f"See [it]({target}).") == [ONE]
    assert read(f"See [it][1].\n\n[1]: {target}\n") == [ONE]


@pytest.mark.parametrize(
    "text",
    [
        "No link.",
        f"`[x](cs://{ONE})`",
        f"```\n[x](cs://{ONE})\n```",
        f"![x](cs://{ONE})",
        f"[x](https://elsewhere.example/api/v1/documents/{ONE}/)",
        f"[x]({SITE}.evil.example/api/v1/documents/{ONE}/)",
        f"[x](/api/v1/documents/{ONE}x/)",
        f"[x](cs://{ONE}0)",
        "[x](cs://not-an-id)",
        f"[me](cs://{OWN})",
        f"[x](//[{ONE}/documents/01900000-)",
        "[" * 50_000 + f"](cs://{ONE})",
    ],
)
def test_other_text_counts_for_nothing(text: str) -> None:
    """Code, images, other sites, ids that are none, oneself, and what would take the parser too long."""
    assert read(text) == []


def test_each_document_counts_once_and_so_many_at_most() -> None:
    """In the order of the text; a text can't fill the table."""
    many = [uuid.UUID(int=number + 1) for number in range(MOST + 10)]
    text = "\n\n".join(f"[x](cs://{uid}) [y](cs://{uid})" for uid in many)
    assert read(text) == many[:MOST]
