"""From files to planned documents."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from documents.importing.linking import linked_key, with_links
from documents.importing.planning import plan_documents
from documents.importing.reading import SourceTree, read_tree
from documents.importing.summary import summary_entries
from documents.limits import BODY_BYTES, DEPTH


def tree(**files: str) -> SourceTree:
    """Files by name, `__` for a slash, without their suffix."""
    return SourceTree({name.replace("__", "/") + ".md": text for name, text in files.items()}, [])


def shape(source: SourceTree) -> list[tuple[str, str | None]]:
    """Keys of the planned documents with those of their parents, in order."""
    return [(document.key, document.parent) for document in plan_documents(source)[0]]


def test_reading_takes_markdown_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    """Each file that can't be taken is named with its reason; the rest is read."""
    outside = tmp_path / "outside.md"
    outside.write_text("secret")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "a.md").write_bytes(b"\xef\xbb\xbf# A")
    (root / "sub" / "b.markdown").write_text("# B")
    (root / "c.txt").write_text("no")
    (root / ".hidden.md").write_text("no")
    (root / "latin.md").write_bytes("é".encode("latin-1"))
    (root / "nul.md").write_bytes(b"a\0b")
    (root / "large.md").write_bytes(b"x" * (BODY_BYTES + 1))
    (root / "link.md").symlink_to(outside)
    (root / "loop.md").symlink_to(root / "loop.md")
    (root / "folder.md").mkdir()
    os.mkfifo(root / "pipe.md")
    (root / "inside.md").symlink_to(root / "a.md")
    found = read_tree(root)
    assert found.files == {"a.md": "# A", "sub/b.markdown": "# B", "inside.md": "# A"}
    assert {problem.path for problem in found.problems} == {
        "latin.md",
        "nul.md",
        "large.md",
        "link.md",
        "loop.md",
        "pipe.md",
    }
    assert all(problem.reason for problem in found.problems)


def test_reading_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    """Such a name is named, readable, and not imported."""
    (tmp_path / os.fsdecode(b"a\xff.md")).write_text("# A")
    found = read_tree(tmp_path)
    assert found.files == {}
    assert [problem.path for problem in found.problems] == ["a\\udcff.md"]


def test_reading_one_file(tmp_path: Path) -> None:
    """A file in place of a folder is a tree of one."""
    (tmp_path / "a.md").write_text("# A")
    assert read_tree(tmp_path / "a.md").files == {"a.md": "# A"}


def test_reading_nothing(tmp_path: Path) -> None:
    """A path that isn't there is an error of its user."""
    with pytest.raises(FileNotFoundError):
        read_tree(tmp_path / "none")


def test_planning_by_folders_puts_files_below_the_index() -> None:
    """A folder's README stands for it; a folder without one gets an empty document of its name."""
    source = tree(a="# A", guide__README="# Guide", guide__x="# X", raw__deep__y="# Y")
    assert shape(source) == [
        ("a.md", None),
        ("guide/README.md", None),
        ("guide/x.md", "guide/README.md"),
        ("raw/", None),
        ("raw/deep/", "raw/"),
        ("raw/deep/y.md", "raw/deep/"),
    ]


def test_planning_titles_fall_back_to_names() -> None:
    """Without a heading the file's name is the title, an index has its folder's."""
    planned, _ = plan_documents(tree(getting_started="text", the_guide__index="text"))
    assert [document.title for document in planned] == ["getting started", "the guide"]


def test_planning_by_summary_gives_nesting_and_order() -> None:
    """SUMMARY.md rules over names and folders; what it doesn't name follows."""
    source = tree(
        SUMMARY="# S\n\n[Z](z.md)\n\n"
        "- [B](b.md)\n  - [A](sub/a.md#x)\n    - [C](c.md)\n- [Draft]()\n  - [D](d.md)\n",
        a_unnamed="# U",
        b="# B",
        c="# C",
        d="# D",
        z="# Z",
        sub__a="# A",
    )
    assert shape(source) == [
        ("SUMMARY.md", None),
        ("z.md", None),
        ("b.md", None),
        ("sub/a.md", "b.md"),
        ("c.md", "sub/a.md"),
        ("SUMMARY.md#4", None),
        ("d.md", "SUMMARY.md#4"),
        ("a_unnamed.md", None),
        ("sub/", None),
    ]


def test_planning_names_what_summary_names_in_vain() -> None:
    """A chapter that is missing or listed twice is told and stops nothing; what is below it moves up."""
    planned, problems = plan_documents(
        tree(SUMMARY="- [A](a.md)\n- [No](no.md)\n  - [B](b.md)\n- [A](a.md)\n", a="# A", b="# B")
    )
    assert [(document.key, document.parent) for document in planned] == [
        ("SUMMARY.md", None),
        ("a.md", None),
        ("b.md", None),
    ]
    assert [problem.left_out for problem in problems] == [False, False]


def test_planning_cuts_trees_that_are_too_deep() -> None:
    """What would stand deeper than a document may is named."""
    name = "/".join(["d"] * DEPTH) + "/x.md"
    planned, problems = plan_documents(SourceTree({name: "# X"}, []))
    assert len(planned) == DEPTH
    assert problems
    assert all(problem.left_out for problem in problems)


def test_planning_survives_a_circle_of_summaries() -> None:
    """Two tables of contents that put each other below themselves lose no file in silence."""
    source = SourceTree(
        {
            "a/SUMMARY.md": "- [x](x.md)\n  - [y](../b/y.md)",
            "a/x.md": "",
            "b/SUMMARY.md": "- [y](y.md)\n  - [x](../a/x.md)",
            "b/y.md": "",
        },
        [],
    )
    planned, problems = plan_documents(source)
    assert {document.key for document in planned} | {problem.path for problem in problems} >= set(
        source.files
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- [A](a.md)", (0, "A", "a.md")),
        ("* [`A` \\[x\\]](<a.md>)", (0, "A [x]", "a.md")),
        ("[A](./a.md)", (0, "A", "./a.md")),
        ("- [A]()", (0, "A", "")),
    ],
)
def test_summary_reads_a_chapter(line: str, expected: tuple[int, str, str]) -> None:
    """A chapter is a link in a list item or on a line of its own."""
    (entry,) = summary_entries(line)
    assert (entry.depth, entry.title, entry.target) == expected


def test_summary_ignores_everything_else() -> None:
    """Part titles, prose, separators and code are no chapters."""
    assert summary_entries("# Part\n\ntext [A](a.md) text\n---\n- plain\n```\n- [A](a.md)\n```\n") == []


KEYS = {"a.md", "sub/b.md", "sub/README.md", "with space.md"}


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("a.md", "sub/b.md", ("sub/b.md", "")),
        ("sub/b.md", "../a.md#part", ("a.md", "part")),
        ("sub/b.md", "/a.md", ("a.md", "")),
        ("a.md", "sub/b.html#x", ("sub/b.md", "x")),
        ("a.md", "sub/", ("sub/README.md", "")),
        ("a.md", "sub/index.html", ("sub/README.md", "")),
        ("a.md", "with%20space.md", ("with space.md", "")),
        ("a.md", "./a.md?plain=1", ("a.md", "")),
        ("a.md", "#own", None),
        ("a.md", "https://a.md", None),
        ("a.md", "//host/a.md", None),
        ("a.md", "mailto:a.md", None),
        ("a.md", "../a.md", None),
        ("a.md", "none.md", None),
        ("a.md", "", None),
    ],
)
def test_link_leads_to_a_file(source: str, target: str, expected: tuple[str, str] | None) -> None:
    """Relative targets, rendered names and folders are followed; what leads out of the tree is left alone."""
    assert linked_key(source, target, KEYS) == expected


def test_links_become_addresses_of_documents() -> None:
    """Links to files become `cs://` links with their anchors; images and outside links stay."""
    uid = uuid.UUID(int=7)
    text, problem = with_links("x.md", "[a](a.md#p) ![i](a.md) [o](https://x.y) [n](no.md)", {"a.md": uid})
    assert text == f"[a](cs://{uid}#p) ![i](a.md) [o](https://x.y) [n](no.md)"
    assert problem is None


def test_links_of_a_hostile_text_stay() -> None:
    """A text that is too complex is taken as it is, and that is told."""
    text, problem = with_links("x.md", "[" * 50_000, {})
    assert text == "[" * 50_000
    assert problem is not None
    assert not problem.left_out
