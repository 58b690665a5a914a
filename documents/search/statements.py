"""The SQL texts of search, built once. Whatever a client sends is a bound parameter.

Three ways to the candidates, chosen in code by numbers of the lexeme table and of the reader's scopes, never
left to the planner: it walks the date index for a rare word (30 s among a million documents) or ranks
229,000 matches (12 s).
"""

from __future__ import annotations

import functools

from documents.search.marking import WINDOW, WINDOW_BEFORE
from documents.search.plans import VISIBLE_AT_MOST
from documents.selectors.reading import COLUMNS, JOINS
from documents.visibility import VISIBLE_SQL, among_sql, visible_sql

# About how many documents the reader sees. What stands below a document granted by itself is counted only
# where that is a cut, so of some of them it is looked up and taken for all.
ABOUT = """(
  SELECT coalesce(sum(n), 0) FROM documents_scopecount WHERE scope_id = ANY(%(scopes)s::bigint[])
)::bigint + (
  SELECT count(*) * greatest(cardinality(%(roots)s::bigint[]), 10) / 10
  FROM unnest((%(roots)s::bigint[])[1:10]) AS r(id) JOIN documents_document root ON root.id = r.id
  CROSS JOIN LATERAL (
    SELECT FROM documents_document b WHERE b.path >= root.path AND b.path < root.path || 'g' LIMIT 500
  ) below
)"""

# Of a part of the tree which the search or its credential is limited to, its size, up to a number. What hides
# the top of a credential's limit hides nothing below that is granted by itself.
_TOP = """
SELECT s.path FROM documents_document s WHERE s.id = coalesce(
  (SELECT t.id FROM documents_document t WHERE t.uid = %(subtree)s), %(limit_document)s::bigint
) AND (%(subtree)s::uuid IS NULL OR /*visible*/)
""".replace("/*visible*/", visible_sql("s"))
_ABOUT_BELOW = """(
  SELECT count(*) FROM (/*top*/) top CROSS JOIN LATERAL (
    SELECT FROM documents_document b WHERE b.path >= top.path AND b.path < top.path || 'g' LIMIT /*most*/ + 1
  ) below
)""".replace("/*top*/", _TOP).replace("/*most*/", str(VISIBLE_AT_MOST))

# The configurations in use, by hopping from one to the next in the index, and in each the query's words with
# the number of documents that hold them. A word is weighed by its rarest lexeme; an unfinished one by all it
# may become. A query of nothing but stop words is taken as unfinished: "own" is one and starts "ownership".
_WORDS_SQL = """
WITH RECURSIVE used(name) AS (
  (SELECT search_config FROM documents_documentbody ORDER BY search_config LIMIT 1)
  UNION ALL
  SELECT (SELECT b.search_config FROM documents_documentbody b WHERE b.search_config > used.name
          ORDER BY b.search_config LIMIT 1)
  FROM used WHERE used.name IS NOT NULL
)
SELECT used.name, to_tsquery(p.parser, %(all_words)s)::text,
  CASE WHEN numnode(to_tsquery(p.parser, %(marked)s)) = 0 THEN to_tsquery('cs_simple', %(marked)s)
    ELSE to_tsquery(p.parser, %(marked)s) END::text,
  coalesce(s.documents, 0), coalesce(s.average_length, 0), t.queries, t.counts, /*about*/
FROM used
LEFT JOIN documents_searchstatistic s ON s.config = used.name
CROSS JOIN LATERAL (
  SELECT CASE WHEN numnode(to_tsquery(used.name::regconfig, %(all_words)s)) = 0 THEN 'cs_simple'
    ELSE used.name END::regconfig
) p(parser)
CROSS JOIN LATERAL (
  SELECT array_agg(to_tsquery(p.parser, w.query)::text ORDER BY w.i),
    array_agg(found.documents ORDER BY w.i)
  FROM unnest(%(queries)s::text[], %(words)s::text[], %(prefixes)s::boolean[])
    WITH ORDINALITY AS w(query, word, prefix, i)
  CROSS JOIN LATERAL (
    SELECT min(k.documents)::bigint
    FROM unnest(tsvector_to_array(to_tsvector(p.parser, w.word))) AS lexeme
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(l.documents), 0) AS documents FROM documents_lexeme l
      WHERE l.config = used.name AND l.word >= lexeme
        AND l.word < lexeme || CASE WHEN w.prefix THEN E'\\U0010FFFF' ELSE E'\\x01' END
    ) k
  ) found(documents)
) t(queries, counts)
WHERE used.name IS NOT NULL AND (%(config)s::text IS NULL OR used.name = %(config)s)
"""
WORDS_SQL = _WORDS_SQL.replace("/*about*/", "NULL")
# Where a part of the tree alone is searched, its size comes along.
WORDS_BELOW_SQL = _WORDS_SQL.replace("/*about*/", _ABOUT_BELOW)
ABOUT_SQL = f"SELECT {ABOUT}"

_RANGE = """
d.trashed_at IS NULL
AND (%(workspace)s::uuid IS NULL
     OR d.workspace_id = (SELECT w.id FROM documents_workspace w WHERE w.uid = %(workspace)s))
AND (%(updated_gte)s::timestamptz IS NULL OR d.updated_at >= %(updated_gte)s)
AND (%(updated_lte)s::timestamptz IS NULL OR d.updated_at <= %(updated_lte)s)"""
_NARROWED = """
NOT d.template
AND (CASE WHEN %(state)s::text IS NULL THEN d.state <> 'archived' ELSE d.state = %(state)s END)
AND (%(author)s::uuid IS NULL
     OR d.created_by_id = (SELECT u.id FROM accounts_user u WHERE u.uid = %(author)s))
AND (%(tag)s::text IS NULL OR %(tag)s = ANY(d.tags))
AND (%(language)s::text IS NULL OR d.language = %(language)s)
AND (%(has_attachment)s::boolean IS NULL
     OR %(has_attachment)s = EXISTS (SELECT FROM documents_attachment f WHERE f.document_id = d.id))
/*within*/"""
_FILTERS = f"{_RANGE} AND {_NARROWED} AND /*visible*/"
# What is left of them where nothing narrows the search: such a text is planned once a connection.
LISTED = "d.trashed_at IS NULL AND NOT d.template AND d.state <> 'archived'"
NO_FILTERS = f"{LISTED} AND {visible_sql('d', limited=False)}"
# A part of the tree whose top is hidden from the reader has nothing in it.
_WITHIN = """
AND starts_with(d.path, (SELECT s.path FROM documents_document s WHERE s.uid = %(subtree)s AND /*visible*/))
""".replace("/*visible*/", visible_sql("s"))

_COLUMNS = "d.id, d.updated_at, d.workspace_id, d.created_by_id, d.tags, d.state, d.language"
_JUDGED = f"{_COLUMNS}, d.trashed_at, d.template, d.scope_id, d.parent_id, d.reach, d.path"

# Each way to few documents comes to a list of their keys first, and asks then which of them are visible and
# not filtered out. By a list the server finds rows in half the time that single searches take; the fence
# keeps the planner from another index.
_LISTED_KEYS = """
SELECT /*columns*/ FROM (
  SELECT /*judged*/ FROM documents_document d WHERE d.id = ANY(ARRAY(/*keys*/)) OFFSET 0
) d WHERE /*filters*/"""

# Few documents match: all of them, by the text index.
_MATCHING = """
SELECT /*of each*/ FROM wanted w
JOIN documents_documentbody b ON b.search_vector @@ w./*query*/ AND b.search_config = w.config"""

# What the reader may see, where that isn't much, beside what was granted by itself: in his scopes, and by
# their paths, which end with their keys, below what was granted, where there is anything below: from the
# indexes alone. They only gather; the rule among the filters decides. By the index on `reach` 800 keys cost
# ten times as much.
_AROUND = """
SELECT d.id FROM documents_document d WHERE d.scope_id = ANY(%(scopes)s::bigint[]) AND d.trashed_at IS NULL
UNION ALL
SELECT below.id FROM (
  SELECT DISTINCT c.parent_id AS id FROM documents_document c WHERE c.parent_id = ANY(%(roots)s::bigint[])
) r JOIN documents_document root ON root.id = r.id
CROSS JOIN LATERAL (
  SELECT ('x' || right(b.path, 10))::bit(40)::bigint AS id FROM documents_document b
  WHERE b.path >= root.path AND b.path < root.path || 'g' OFFSET 0
) below"""
_NEAR = f"{_AROUND} UNION ALL SELECT unnest(%(roots)s::bigint[])"

_BELOW = """
SELECT ('x' || right(b.path, 10))::bit(40)::bigint AS id FROM (/*top*/) top CROSS JOIN LATERAL (
  SELECT b.path FROM documents_document b WHERE b.path >= top.path AND b.path < top.path || 'g' OFFSET 0
) b""".replace("/*top*/", _TOP)

# Both can be had whole: what matches is looked for, by halves, among what was granted and what is around it.
# Its configuration stands behind its text, so only what was met is asked for that.
_MEETING = f"""
SELECT /*of each*/ FROM (
  SELECT ARRAY(SELECT n.id FROM (/*around*/ OFFSET 0) n ORDER BY n.id) AS ids OFFSET 0
) around CROSS JOIN LATERAL (
  SELECT document_id, search_config, search_length, search_vector, w.first, w.config
  FROM wanted w JOIN documents_documentbody ON search_vector @@ w./*query*/
  WHERE {among_sql("document_id")} OR {among_sql("document_id", "around.ids")} OFFSET 0
) met WHERE search_config = config"""  # noqa: S608

# The reader sees few documents: all of them are asked.
_SEEN = """
SELECT b.document_id FROM (
  SELECT b.document_id, b.search_config, b.search_vector FROM documents_documentbody b
  WHERE b.document_id = ANY(ARRAY(/*near*/)) OFFSET 0
) b JOIN wanted w ON w.config = b.search_config AND b.search_vector @@ w./*query*/"""

# Asks each document whether it matches: its vector is fetched, which costs more than all else. LATERAL keeps
# the order.
_ASKED = """CROSS JOIN LATERAL (
  SELECT FROM documents_documentbody b
  JOIN wanted w ON w.config = b.search_config AND b.search_vector @@ w./*query*/
  WHERE b.document_id = d.id LIMIT 1
) matched"""
_WALKED = """(
  SELECT /*columns*/ FROM documents_document d WHERE /*filters*/
  ORDER BY d.updated_at DESC, d.id DESC LIMIT %(window)s
) d"""

# What narrows a search without an index may hold for next to none of a million: so far is looked.
_WALKED_NARROWED = """(
  SELECT /*columns*/ FROM (
    SELECT /*judged*/ FROM documents_document d WHERE /*range*/ AND /*visible*/
    ORDER BY d.updated_at DESC, d.id DESC LIMIT %(far)s
  ) d WHERE /*narrowed*/ ORDER BY d.updated_at DESC, d.id DESC LIMIT %(window)s
) d""".replace("/*range*/", _RANGE)

# Many of both: the newest of what is visible, up to a number of hits.
_NEWEST = "SELECT d.* FROM /*walked*/ /*asked*/ LIMIT %(candidates)s"

# Where to ask is dear: first by the text index what has all the words, wherever they stand, which fetches no
# vector; those are asked that the reader sees. `IS TRUE` keeps the list a hashed one.
_SIFTED = "SELECT d.* FROM (/*way*/ OFFSET 0) d /*asked*/"
_NEWEST_SIFTED = """
SELECT d.* FROM (SELECT d.* FROM /*walked*/ WHERE (d.id IN (
  SELECT b.document_id FROM wanted w
  JOIN documents_documentbody b ON b.search_vector @@ w.sieve AND b.search_config = w.config
)) IS TRUE OFFSET 0) d /*asked*/ LIMIT %(candidates)s"""

# All words first; any word where that fills no page.
_STRICT = "SELECT found.*, 1 AS tier FROM (/*strict*/) found"
_LOOSE = """
  SELECT * FROM strict UNION ALL (SELECT found.*, 0 FROM (/*found*/) found
    WHERE (SELECT count(*) FROM strict) < %(enough)s
      AND NOT EXISTS (SELECT FROM strict WHERE strict.id = found.id)
    ORDER BY found.updated_at DESC LIMIT %(candidates)s)"""

# What was found, as `documents.search.ranking` reads it; the queries of a configuration's words stand in one
# array with those of the others, as many for each.
_HITS = """
WITH wanted AS MATERIALIZED (
  SELECT w.config, w.all_words, w.sieve, ((w.n - 1) * /*terms*/)::int AS first/*any_word*/
  FROM unnest(%(configs)s::text[], %(all_words)s::tsquery[], %(sieves)s::tsquery[], %(any_terms)s::text[])
    WITH ORDINALITY AS w(config, all_words, sieve, any_terms, n)
)/*with_more*/
SELECT h.id, h.tier, h.workspace_id, h.created_by_id, h.state, h.language, h.tags/*order*/
FROM (/*hits*/ OFFSET 0) h /*joins*/"""
_ANY_WORD = (
    """, CASE WHEN w.any_terms <> '' THEN to_tsquery(w.config::regconfig, w.any_terms) END AS any_word"""
)

# For a query of one term ts_rank_cd without normalisation is the sum of the weights of its occurrences, at
# the speed of C. Those in the title weigh 1 and all others together less, so one call tells both apart.
_RANK = "ts_rank_cd('{0.0001, 0.0001, 0.00025, 1}', search_vector, (%(terms)s::tsquery[])[first + /*n*/])"
_RANKED = """
JOIN documents_documentbody b ON b.document_id = h.id JOIN wanted w ON w.config = b.search_config"""
# What matches comes with its vector, as the index brings it: looking each up again takes a third of all.
_HELD = """
SELECT /*columns*/, m.search_config, m.search_length, m.search_vector, m.first FROM (/*held*/ OFFSET 0) m
CROSS JOIN LATERAL (
  SELECT /*judged*/ FROM documents_document d WHERE d.id = m.document_id OFFSET 0
) d WHERE /*filters*/"""
_HELD_COLUMNS = "document_id, search_config, search_length, search_vector, first"
_HELD_WAYS = {
    way: _HELD.replace("/*held*/", held.replace("/*of each*/", _HELD_COLUMNS))
    for way, held in (("matched", _MATCHING), ("both", _MEETING))
}
_MOMENT = ", (extract(epoch FROM h.updated_at) * 1000000)::bigint"

# The page's documents alone, each with a window of its text around the first word found. The server's
# headline costs more than all else here, so it is made only where the window may hold other forms of the
# words; else `documents.search.marking` finds the same. The marks are control characters, taken out of the
# text before.
PAGE_SQL = " ".join(
    f"""
SELECT {COLUMNS},
  CASE WHEN EXISTS (SELECT FROM unnest(%(needles)s::text[]) AS n WHERE strpos(d.title, n) > 0)
    THEN ts_headline(q.config::regconfig, translate(d.title, E'\\x01\\x02', ''), q.marked,
      E'HighlightAll=true, StartSel="\\x01", StopSel="\\x02"')
    ELSE translate(d.title, E'\\x01\\x02', '') END,
  CASE WHEN shown.plain THEN shown.content
    ELSE ts_headline(q.config::regconfig, translate(shown.content, E'\\x01\\x02', ''), q.marked,
      E'MaxWords=40, MinWords=20, ShortWord=2, StartSel="\\x01", StopSel="\\x02"') END,
  CASE WHEN shown.plain THEN shown.begun END
FROM unnest(%(ids)s::bigint[]) AS page(id)
JOIN documents_document d ON d.id = page.id {JOINS}
JOIN documents_documentbody b ON b.document_id = d.id
JOIN unnest(%(configs)s::text[], %(marked)s::tsquery[]) AS q(config, marked) ON q.config = b.search_config
CROSS JOIN LATERAL (
  SELECT cut.content, cut.at IS NOT NULL AND cut.content !~* %(doubtful)s AS plain,
    cut.at > {WINDOW_BEFORE + 1} AS begun
  FROM (
    SELECT first.at, CASE WHEN first.at IS NULL THEN first.content
      ELSE substr(first.content, greatest(first.at - {WINDOW_BEFORE}, 1), {WINDOW}) END AS content
    FROM (
      SELECT body.content, (
        SELECT found.at FROM unnest(%(needles)s::text[]) WITH ORDINALITY AS n(needle, i)
        CROSS JOIN LATERAL (SELECT strpos(body.content, n.needle) OFFSET 0) found(at)
        WHERE found.at > 0 ORDER BY n.i LIMIT 1
      ) AS at
      FROM (
        SELECT CASE WHEN b.size <= 20000 THEN b.content || '' ELSE left(b.content, 20000) END AS content
        OFFSET 0
      ) body OFFSET 0
    ) first OFFSET 0
  ) cut OFFSET 0
) shown
""".split()  # noqa: S608 (columns and joins are of our code)
)


def filtered(text: str, *, filters: str, columns: str = _COLUMNS) -> str:
    """A statement with its `filters`, which end with the rule, and the columns of a walk."""
    text = (
        text.replace("/*walked*/", _WALKED)
        .replace("/*near*/", _NEAR)
        .replace("/*around*/", _AROUND)
        .replace("/*columns*/", columns)
        .replace("/*judged*/", _JUDGED)
    )
    text = text.replace("/*filters*/", filters).replace("/*visible*/", VISIBLE_SQL)
    # The driver keeps what it read of a text up to 4 KB.
    return " ".join(text.split())


_KEYS = {"matched": _MATCHING, "both": _MEETING, "visible": _SEEN}
_WAYS = {
    way: _LISTED_KEYS.replace("/*keys*/", keys.replace("/*of each*/", "document_id"))
    for way, keys in _KEYS.items()
} | {"newest": _NEWEST}
_WAYS_SIFTED = {
    **{
        way: _SIFTED.replace("/*way*/", _WAYS[way].replace("/*query*/", "sieve"))
        for way in ("matched", "both")
    },
    "visible": _WAYS["visible"],
    "newest": _NEWEST_SIFTED,
}


@functools.cache
def hits_sql(
    way: str,
    *,
    sifted: bool,
    kept: bool,
    terms: int | None,
    loose: bool,
    narrowed: bool,
    within: bool,
    below: bool,
) -> str:
    """The statement of what is found on a way, built once.

    `sifted` where it goes by the words before it asks for the whole, `kept` where what matches brings its
    vectors along. With `terms` its rows bring what the relevance is made of, for so many words, else their
    moment. `loose` where any word may do, `within` where only a part of the tree is searched, `below` where
    that or the limit of the credential says so, `narrowed` where anything narrows the search, that limit
    included.
    """
    text = _HITS.replace("/*terms*/", str(terms or 0)).replace("/*any_word*/", _ANY_WORD if loose else "")
    held = kept and terms is not None and not loose
    more = f", strict AS MATERIALIZED ({_STRICT})" if loose else ""
    text = text.replace("/*with_more*/", more).replace("/*hits*/", _LOOSE if loose else _STRICT)
    ranks = [_RANK.replace("/*n*/", str(n + 1)) for n in range(terms or 0)]
    order = ", ".join(["search_config, search_length", *ranks]) if terms is not None else ""
    text = text.replace("/*order*/", f", {order}" if order else _MOMENT)
    text = text.replace("/*joins*/", "" if held or terms is None else _RANKED)
    strict, found = (_HELD_WAYS if held else _WAYS_SIFTED if sifted else _WAYS)[way], _WAYS[way]
    for place, part, query in (("/*strict*/", strict, "all_words"), ("/*found*/", found, "any_word")):
        text = text.replace(place, part.replace("/*asked*/", _ASKED).replace("/*query*/", query))
    if not narrowed:
        return filtered(text, filters=NO_FILTERS)
    inside = _WITHIN if within else ""
    text = text.replace("/*walked*/", _WALKED_NARROWED.replace("/*narrowed*/", _NARROWED))
    if below:
        text = text.replace("/*near*/", _BELOW).replace("/*around*/", _BELOW)
    return filtered(text.replace("/*within*/", inside), filters=_FILTERS.replace("/*within*/", inside))


# Words like a misspelt one, and in how many documents they stand: those that were counted, and those of what
# was written since. Of the latter so many documents as are looked through in some milliseconds.
SIMILAR_SQL = """
WITH counted AS (
  SELECT l.word, l.documents FROM documents_lexeme l
  WHERE l.config = %(config)s AND l.word %% %(word)s AND l.word <> %(word)s
  ORDER BY similarity(l.word, %(word)s) DESC, l.documents DESC, l.word LIMIT %(limit)s
), fresh AS MATERIALIZED (
  SELECT d.id FROM documents_document d
  WHERE d.trashed_at IS NULL AND d.updated_at >= coalesce(
    (SELECT s.refreshed_at FROM documents_searchstatistic s WHERE s.config = %(config)s), '-infinity')
  ORDER BY d.updated_at DESC, d.id DESC LIMIT %(fresh)s
), written AS (
  SELECT w.word, count(*) AS documents
  FROM fresh JOIN documents_documentbody b ON b.document_id = fresh.id AND b.search_config = %(config)s,
    unnest(tsvector_to_array(b.search_vector)) AS w (word)
  WHERE abs(length(w.word) - length(%(word)s)) <= 2 AND w.word %% %(word)s AND w.word <> %(word)s
  GROUP BY w.word
)
SELECT word, max(documents) FROM (TABLE counted UNION ALL TABLE written) found GROUP BY word
"""
