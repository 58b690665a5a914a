"""What a share link calls things (documents.link_secrets)."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from documents.addresses import document_path, short_id
from documents.link_secrets import LinkNames, link_secret_hash, link_secret_make

ONE, OTHER = LinkNames(link_secret_make()), LinkNames(link_secret_make())


@given(st.uuids())
def test_key_is_the_links_own(uid: uuid.UUID) -> None:
    """It leads back to the id by the same link and for the same kind of thing alone."""
    key = ONE.document_key(uid)
    assert ONE.document_uid(key) == uid
    assert ONE.document_key(uid) == key
    assert OTHER.document_uid(key) is None
    assert ONE.file_uid(key) is None
    assert ONE.expected(uid, key) is None


@given(st.text(alphabet="ab -/\n()", max_size=20), st.lists(st.uuids(), min_size=1, max_size=5), st.data())
def test_text_comes_back_as_it_was(text: str, uids: list[uuid.UUID], data: st.DataObject) -> None:
    """Every spelling of an address is told without its id, and is itself again when it is written back."""
    forms = [
        "cs://{}",
        "/api/v1/documents/{}/",
        "/api/v1/attachments/{}/file/",
        "https://docs.example/documents/{}",
    ]
    parts = [text]
    for uid in uids:
        form = data.draw(st.sampled_from([*forms, "path"]))
        parts += [form.format(uid) if form != "path" else document_path(uid, "A b-c"), " " + text]
    whole = "".join(parts)
    masked = ONE.masked(whole)
    assert not any(str(uid) in masked for uid in uids)
    assert not any(document_path(uid, "x")[-22:] in masked for uid in uids)
    assert ONE.unmasked(masked) == whole


def test_foreign_keys_in_a_text_stay() -> None:
    """What only looks like a key is text."""
    text = f"cs://{OTHER.document_key(uuid.uuid4())} /d/a-{'x' * 43} documents/{'A' * 43}"
    assert ONE.unmasked(text) == text


def test_hash_of_what_is_no_secret() -> None:
    """Nothing else than a secret of ours is looked up."""
    secret = link_secret_make()
    assert len(link_secret_hash(secret) or b"") == 32
    for text in ("", "csl_", secret[:-1], secret + "A", secret.replace("csl_", "csp_"), secret[:-1] + "é"):
        assert link_secret_hash(text) is None


SHORT = short_id(uuid.UUID("01900000-0000-7000-8000-000000000003"))
TEXT = (
    "See cs://01900000-0000-7000-8000-000000000001, [a](https://x.example/d/a-page-{short}) and "
    "/api/v1/attachments/01900000-0000-7000-8000-000000000002/file/, cs://nothing, /d/none.\n"
).replace("{short}", SHORT)


def test_masked_whole_says_where_everything_stands() -> None:
    """It is the text that `masked` gives; each stretch of it is one of the true text, keys taken whole."""
    names = LinkNames(link_secret_make())
    masked = names.masked_whole(TEXT)
    assert masked.text == names.masked(TEXT)
    assert len(masked.spans) == 3
    for start in range(len(masked.text)):
        for end in (start + 1, min(start + 50, len(masked.text))):
            low, high = masked.real(start, end)
            assert masked.text[start:end] in names.masked_part(TEXT, low, high)


def test_masked_part_leaves_out_ids_that_it_cuts() -> None:
    """Of an id that begins or ends outside of the part nothing is shown."""
    names = LinkNames(link_secret_make())
    for start in range(len(TEXT)):
        for end in range(start + 1, min(start + 60, len(TEXT))):
            part = names.masked_part(TEXT, start, end)
            assert "0000" not in part
            assert SHORT[:4] not in part
    assert names.masked_part(TEXT, 0, len(TEXT)) == names.masked(TEXT)
