"""SQL is written out, not built: what is built stands here by name, with the reason why it may be."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from tests.security.sql_text import PACKAGES, ROOT, built_texts, modules

IMPORTED = "put together once, when the module is loaded, from fragments of our own; values are parameters"
COMPOSED = "composed by psycopg.sql, which quotes every name"
BUILT = {
    "accounts.selectors:_SIGNED_IN": IMPORTED,
    "accounts.selectors:_SIGNED_IN_BY_TOKEN": IMPORTED,
    "audit.roles:grant_application_rights(statement)": COMPOSED,
    "audit.selectors.events:_LAST_SETTLED_SQL": IMPORTED,
    "audit.selectors.events:_SETTLED_SQL": IMPORTED,
    "audit.selectors.tree:_EVENTS_SQL": IMPORTED,
    "audit.services.sealing:_NEXT_SQL": IMPORTED,
    "audit.verifying:_ENTRIES_SQL": IMPORTED,
    "cloudscribe.lib.postgresql.base:ask_along(sql)": "the door itself: its callers are looked at",
    "cloudscribe.lib.postgresql.base:prepared_rows(sql)": "likewise",
    "cloudscribe.lib.postgresql.base:sent_along(sql)": "likewise",
    "cloudscribe.lib.postgresql.compiled:rows(self._sql)": "Django's own text of a queryset",
    "cloudscribe.management.commands.setup_roles:handle(statement)": COMPOSED,
    "documents.management.commands.seed_demo:_analyse(statement)": COMPOSED,
    "documents.search.finding:_hits(text)": "chosen by flags among texts of documents.search.statements",
    "documents.search.finding:titles_suggest(suggest_sql(limited=actor.limit is not None))": (
        "chosen by a flag among texts of documents.search.statements"
    ),
    "documents.search.statements:ABOUT_SQL": IMPORTED,
    "documents.search.statements:PAGE_SQL": IMPORTED,
    "documents.search.statements:WORDS_BELOW_SQL": IMPORTED,
    "documents.search.statements:WORDS_SQL": IMPORTED,
    "documents.selectors.access:_GRANTERS_SQL": IMPORTED,
    "documents.selectors.access:_ONE_SQL": IMPORTED,
    "documents.selectors.access:_PAGE_TEXTS": IMPORTED,
    "documents.selectors.access:_RANKS_SQL": IMPORTED,
    "documents.selectors.access:_READERS_SQL": IMPORTED,
    "documents.selectors.access:_TARGETS_SQL": IMPORTED,
    "documents.selectors.changes:_PLACES_SQL": IMPORTED,
    "documents.selectors.changes:_WINDOW_SQL": IMPORTED,
    "documents.selectors.derived:_LOST_SQL": IMPORTED,
    "documents.selectors.derived:_WRONG_SQL": IMPORTED,
    "documents.selectors.editing:_FIND_SQL": IMPORTED,
    "documents.selectors.editing:_LOCK_SQL": IMPORTED,
    "documents.selectors.editing:_ROOM_SQL": IMPORTED,
    "documents.selectors.history:_TREE_SQL": IMPORTED,
    "documents.selectors.listing:_TEXTS": IMPORTED,
    "documents.selectors.listing:page_ask_along(*question)": "one of `_TEXTS`, as it was asked before",
    "documents.selectors.moments:_COMPARE_SQL": IMPORTED,
    "documents.selectors.reading:_MANY_SQL": IMPORTED,
    "documents.selectors.reading:_MANY_WITH_CONTENT_SQL": IMPORTED,
    "documents.selectors.reading:_ONE_SQL": IMPORTED,
    "documents.selectors.retention:_DUE_SQL": IMPORTED,
    "documents.selectors.retention:_STORED_SQL": IMPORTED,
    "documents.selectors.tags:_TEXTS": IMPORTED,
    "documents.selectors.trees:_FROM_PARENT_SQL": IMPORTED,
    "documents.selectors.trees:_FROM_TOP_SQL": IMPORTED,
    "documents.services.delivering:_DUE_SQL": IMPORTED,
    "documents.services.documents:_PLACE_BELOW_SQL": IMPORTED,
    "documents.services.documents:_PLACE_ON_TOP_SQL": IMPORTED,
    "documents.services.locking:_LOCK_SQL": IMPORTED,
    "documents.services.mending:_ASIDE_SQL": IMPORTED,
    "documents.services.mending:_MEND_SQL": IMPORTED,
    "documents.services.writing:_CREATE_SQL": IMPORTED,
    "documents.services.writing:_REVISE_SQL": IMPORTED,
    "security.outgoing:ask(method)": "an HTTP method on its way to a stream of HTTP",
}
# Where ruff's own rule on SQL from strings is silenced, and how often.
SILENCED = {
    "accounts/selectors.py": 2,
    "audit/selectors/events.py": 2,
    "audit/selectors/tree.py": 1,
    "audit/services/sealing.py": 1,
    "audit/verifying.py": 1,
    "cloudscribe/lib/embedded/postgres.py": 1,
    "documents/search/statements.py": 2,
    "documents/selectors/access.py": 6,
    "documents/selectors/changes.py": 2,
    "documents/selectors/derived.py": 2,
    "documents/selectors/editing.py": 3,
    "documents/selectors/history.py": 1,
    "documents/selectors/listing.py": 1,
    "documents/selectors/moments.py": 1,
    "documents/selectors/reading.py": 3,
    "documents/selectors/retention.py": 2,
    "documents/selectors/tags.py": 1,
    "documents/services/delivering.py": 1,
    "documents/services/locking.py": 1,
    "documents/services/mending.py": 3,
    "documents/services/writing.py": 2,
    "documents/visibility.py": 1,
}


def test_every_built_text_is_known() -> None:
    """A new text that is built is refused, and one that is gone is struck off."""
    found: set[str] = set()
    for module in modules():
        found |= built_texts(module)
    assert found == set(BUILT)


@pytest.mark.parametrize(
    "line",
    [
        'cursor.execute(f"SELECT {name}")',
        'cursor.execute("SELECT " + name)',
        'cursor.execute("SELECT %s" % name)',
        'cursor.execute("SELECT {}".format(name))',
        'cursor.execute(" ".join(["SELECT", name]))',
        'cursor.execute("SELECT a".replace("a", name))',
        "cursor.execute(name)",
        "cursor.execute(self.query)",
        'text = "SELECT " + name; cursor.execute(text)',
        'text = "SELECT 1"; text += name; cursor.execute(text)',
        "for text in name: cursor.execute(text)",
        "cursor.executemany(name, [])",
        "Model.objects.raw(name)",
        "Model.objects.extra(where=[name])",
        "RawSQL(name, [])",
        "RawSQL(sql=name, params=[])",
        "prepared_rows(name, [])",
        "_below(name)",
        "cursor.execute(PIECES[0] if name else BUILT)",
    ],
)
def test_built_text_is_seen_whatever_its_way(line: str) -> None:
    """Each manner of building, each call that runs SQL, also by way of a variable or a private function."""
    source = (
        'PIECES = ["SELECT 1"]\nBUILT = f"SELECT {PIECES}"\n'
        "def _below(text):\n    cursor.execute(text)\n_below(PIECES[0])\n"
        f"def public(self, name):\n    {line}\n"
    )
    assert built_texts("sample", ast.parse(source))


@pytest.mark.parametrize(
    "line",
    [
        'cursor.execute("SELECT %s", [name])',
        "cursor.execute(TEXT, [name])",
        "cursor.execute(TEXTS[name], [name])",
        "cursor.execute(TEXT if name else TEXTS[name])",
        'text = "SELECT 1"; cursor.execute(text)',
        'env.raw("NAME")',
        "_below(TEXT)",
    ],
)
def test_written_text_is_let_through(line: str) -> None:
    """Constants, and tables of them."""
    source = (
        'TEXT = "SELECT 1"\nTEXTS = {True: TEXT, False: "SELECT 2"}\n'
        "def _below(text):\n    cursor.execute(text)\n_below(TEXT)\n"
        f"def public(self, name):\n    {line}\n"
    )
    assert not built_texts("sample", ast.parse(source))


def test_the_linter_is_silenced_only_where_said() -> None:
    """Ruff's S608 stays on; each place that silences it is counted."""
    found = Counter[str]()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if "migrations" not in path.parts:
                silenced = re.findall(r"noqa:[^\n(]*\bS608\b", path.read_text(encoding="utf-8"))
                found[str(path.relative_to(ROOT))] += len(silenced)
    assert +found == Counter(SILENCED)


def test_the_linter_looks_for_it() -> None:
    """No setting takes the rule away from the product."""
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    silenced = [line for line in settings.splitlines() if "S608" in line]
    assert silenced
    assert all(line.startswith('"tests/**"') for line in silenced)
