"""The statement of suggestions: titles that go on as typed, by an index of their words. Built once."""

from __future__ import annotations

import functools

from documents.search.plans import (
    TITLES_JUDGED,
    TITLES_LISTED,
    TITLES_SHOWN,
    TITLES_WALKED,
    VISIBLE_ASKED,
    WINDOW_WALKED,
)
from documents.search.statements import ABOUT, LISTED, NO_FILTERS, filtered
from documents.visibility import VISIBLE_SQL

# The order is: titles that start as typed, then the others, of both the newest first. What is found on the
# way is judged once more at the end, with all that it takes to show it.
#
# `seen`    the reader sees few documents: their titles are asked.
# `judged`  few titles match: all of them are judged.
# `met`     both are many: the newest documents are met with the list of titles, by indexes alone, until a
#           page is full; as many of them as are passed by in the time that judging the whole list takes.
#           Where they fill no page the whole list is judged after all.
# `newest`  too many titles for a list: some of the newest that the reader sees.
#
# A list is made as far as it is asked for, and a way that isn't gone costs nothing.
_SUGGEST = """
WITH titled AS MATERIALIZED (
  SELECT t.document_id AS id, starts_with(t.lowered, lower(%(typed)s)) AS starts
  FROM documents_documenttitle t WHERE t.words @@ to_tsquery('cs_simple', %(words)s) LIMIT /*most*/ + 1
), size AS MATERIALIZED (
  SELECT count(*) FILTER (WHERE starts) AS starting, count(*) FILTER (WHERE NOT starts) AS other FROM titled
), way AS MATERIALIZED (
  SELECT CASE
    WHEN /*about*/ <= /*few*/ THEN 'seen'
    WHEN (SELECT count(*) FROM (SELECT FROM titled LIMIT /*listed*/ + 1) begun) <= /*listed*/ THEN 'judged'
    WHEN (SELECT starting + other FROM size) <= /*most*/ THEN 'met'
    ELSE 'newest' END AS name
), starting AS MATERIALIZED (/*met starting*/), other AS MATERIALIZED (/*met other*/)
SELECT d.uid, d.title, w.uid FROM (
  SELECT /*judged*/, d.title, d.uid FROM documents_document d WHERE d.id = ANY(CASE (SELECT name FROM way)
    WHEN 'judged' THEN ARRAY(SELECT id FROM titled)
    WHEN 'seen' THEN ARRAY(/*seen*/)
    WHEN 'met' THEN CASE WHEN (SELECT count(*) FROM starting) = %(limit)s THEN ARRAY(SELECT id FROM starting)
      WHEN (SELECT count(*) FROM other) = %(limit)s
        THEN ARRAY(SELECT id FROM titled WHERE starts) || ARRAY(SELECT id FROM other)
      ELSE ARRAY(SELECT id FROM titled) END
    ELSE ARRAY(/*newest*/) END) OFFSET 0
) d JOIN documents_workspace w ON w.id = d.workspace_id WHERE /*filters*/
ORDER BY starts_with(lower(d.title), lower(%(typed)s)) DESC, d.updated_at DESC, d.id DESC LIMIT %(limit)s
"""
_MET = """
SELECT newest.id FROM (
  SELECT r.id FROM documents_document r WHERE r.trashed_at IS NULL
  ORDER BY r.updated_at DESC, r.id DESC LIMIT (SELECT /*walked*/ * /*name*/ FROM size)
) newest CROSS JOIN LATERAL (SELECT FROM (
  SELECT /*judged*/ FROM documents_document d WHERE d.id = newest.id OFFSET 0
) d WHERE /*filters*/ LIMIT 1) seen
WHERE (newest.id IN (SELECT id FROM titled WHERE /*part*/)) IS TRUE LIMIT %(limit)s"""
_SEEN = """
SELECT t.document_id FROM (
  SELECT t.document_id, t.words FROM documents_documenttitle t
  WHERE t.document_id = ANY(ARRAY(/*near*/)) OFFSET 0
) t WHERE t.words @@ to_tsquery('cs_simple', %(words)s)"""
_NEWEST = """
SELECT d.id FROM /*newest walked*/ CROSS JOIN LATERAL (
  SELECT FROM documents_documenttitle t
  WHERE t.document_id = d.id AND t.words @@ to_tsquery('cs_simple', %(words)s) LIMIT 1
) titled LIMIT /*shown*/"""


@functools.cache
def suggest_sql(
    *,
    limited: bool,
    listed: int = TITLES_LISTED,
    most: int = TITLES_JUDGED,
    few: int = VISIBLE_ASKED,
    walked: int = TITLES_WALKED,
    shown: int = TITLES_SHOWN,
) -> str:
    """The statement of titles that go on as typed; `limited` for actors whose credential has a limit.

    Who sees up to `few` documents has each of them asked. For others up to `listed` titles that match are
    judged at once; up to `most` are met with `walked` times as many of the newest documents; beyond that the
    newest that they see are asked, for `shown` hits. Numbers of ours stand in the text: the plan hangs on
    them.
    """
    text = _SUGGEST.replace("/*seen*/", _SEEN).replace("/*newest*/", _NEWEST).replace("/*about*/", ABOUT)
    for name, part in (("starting", "starts"), ("other", "NOT starts")):
        met = _MET.replace("/*part*/", part).replace("/*name*/", name)
        text = text.replace(f"/*met {name}*/", met)
    numbers = {"listed": listed, "most": most, "few": few, "walked": walked, "shown": shown}
    for name, number in numbers.items():
        text = text.replace(f"/*{name}*/", str(number))
    text = text.replace("/*newest walked*/", "/*walked*/")
    filters = f"{LISTED} AND {VISIBLE_SQL}" if limited else NO_FILTERS
    return filtered(text, filters=filters, columns="d.id").replace("%(window)s", str(WINDOW_WALKED))
