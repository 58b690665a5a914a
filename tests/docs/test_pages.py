"""The handbook holds together: links lead somewhere, the contents are whole, generated parts are current."""

from __future__ import annotations

import pathlib
import re

import pytest
from django.conf import settings

from cloudscribe.management import reference
from cloudscribe.management.commands.write_reference import GENERATED

ROOT = pathlib.Path(settings.BASE_DIR)
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?://|#)([^)#\s]+)(?:#[^)]*)?\)")
READ = re.compile(
    r"\benviron(?:ment)?(?:\.get\(|\[)\"([A-Z][A-Z_]{3,})\""
    r"|\braw\(\"([A-Z_]+)\"\)"
    r"|env\.\w+\(\s*\"([A-Z_]+)\""
)
# Set by our own processes for one another, or other programs' own.
INTERNAL = {"CLOUDSCRIBE_SUPERVISED", "DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR", "RQ_WORKER_ID"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: pathlib.Path) -> None:
    """A relative link names a file beside the page."""
    # What stands in backticks shows how a link is written; it leads nowhere.
    targets = LINK.findall(re.sub(r"`[^`\n]*`", "", page.read_text(encoding="utf-8")))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_contents_name_every_page() -> None:
    """SUMMARY.md gives the demo workspace its order, so no page may be missing from it."""
    docs = ROOT / "docs"
    named = {
        (docs / target).resolve()
        for target in LINK.findall((docs / "SUMMARY.md").read_text(encoding="utf-8"))
    }
    assert named == {page for page in docs.rglob("*.md") if page.name != "SUMMARY.md"}


@pytest.mark.parametrize("path", GENERATED)
def test_generated_parts_are_current(path: str) -> None:
    """Run `manage.py write_reference` after a change of variables or errors."""
    name, make = GENERATED[path]
    text = (ROOT / path).read_text(encoding="utf-8")
    assert reference.spliced(text, name, make()) == text


def test_every_variable_that_code_reads_is_in_the_table() -> None:
    """Nothing can be set that the README doesn't tell."""
    documented = {variable.name for variable in reference.variables()}
    read = set()
    for folder in ("cloudscribe", "accounts", "audit", "documents", "security"):
        for module in (ROOT / folder).rglob("*.py"):
            read |= {next(filter(None, names)) for names in READ.findall(module.read_text(encoding="utf-8"))}
    ours = {name for name in read if not name.startswith(("PG", "LC_", "LANG", "HTTP_"))}
    assert ours - documented - INTERNAL == set()


def test_every_code_has_its_paragraph() -> None:
    """The `type` of a problem leads to the paragraph of its code."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    assert {refusal.code for refusal in reference.refusals()} <= headings


def test_every_refusal_says_what_it_means() -> None:
    """A title for people, a sentence for the page, a type of the four."""
    for refusal in reference.refusals():
        assert refusal.__doc__, refusal
        assert refusal.title, refusal
        assert refusal.code == refusal.code.lower()
