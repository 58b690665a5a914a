"""The SQL texts of search, built once. Whatever a client sends is a bound parameter.

Three ways to the candidates, chosen in code by numbers of the lexeme table and of the reader's scopes, never
left to the planner: it walks the date index for a rare word (30 s among a million documents) or ranks
229,000 matches (12 s).
"""

from __future__ import annotations

from documents.visibility import VISIBLE_SQL, visible_sql

# The configurations in use, by hopping from one to the next in the index, and in each the query's words with
# the number of documents that hold them. A word is weighed by its rarest lexeme; an unfinished one by all it
# may become. A query of nothing but stop words is taken as unfinished: "own" is one and starts "ownership".
PLAN_SQL = """
WITH RECURSIVE used(name) AS (
  (SELECT search_config FROM documents_documentbody ORDER BY search_config LIMIT 1)
  UNION ALL
  SELECT (SELECT b.search_config FROM documents_documentbody b WHERE b.search_config > used.name
          ORDER BY b.search_config LIMIT 1)
  FROM used WHERE used.name IS NOT NULL
)
SELECT used.name,
  CASE WHEN numnode(q.all_words) = 0 THEN to_tsquery('cs_simple', %(all_words)s) ELSE q.all_words END::text,
  CASE WHEN numnode(q.in_title) = 0 THEN to_tsquery('cs_simple', %(in_title)s) ELSE q.in_title END::text,
  coalesce(s.documents, 0), coalesce(s.average_length, 0), t.queries, t.counts,
  (SELECT coalesce(sum(n), 0) FROM documents_scopecount WHERE scope_id = ANY(%(scopes)s))::bigint
FROM used
LEFT JOIN documents_searchstatistic s ON s.config = used.name
CROSS JOIN LATERAL (
  SELECT to_tsquery(used.name::regconfig, %(all_words)s), to_tsquery(used.name::regconfig, %(in_title)s)
) q(all_words, in_title)
CROSS JOIN LATERAL (
  SELECT array_agg(to_tsquery(used.name::regconfig, w.query)::text ORDER BY w.i),
    array_agg(found.documents ORDER BY w.i)
  FROM unnest(%(queries)s::text[], %(words)s::text[], %(prefixes)s::boolean[])
    WITH ORDINALITY AS w(query, word, prefix, i)
  CROSS JOIN LATERAL (
    SELECT min(k.documents)::bigint
    FROM unnest(tsvector_to_array(to_tsvector(used.name::regconfig, w.word))) AS lexeme
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(l.documents), 0) AS documents FROM documents_lexeme l
      WHERE l.config = used.name AND l.word >= lexeme
        AND l.word < lexeme || CASE WHEN w.prefix THEN E'\\U0010FFFF' ELSE E'\\x01' END
    ) k
  ) found(documents)
) t(queries, counts)
WHERE used.name IS NOT NULL AND (%(config)s::text IS NULL OR used.name = %(config)s)
"""

_FILTERS = """
d.trashed_at IS NULL AND NOT d.template
AND (CASE WHEN %(state)s::text IS NULL THEN d.state <> 'archived' ELSE d.state = %(state)s END)
AND (%(workspace)s::uuid IS NULL
     OR d.workspace_id = (SELECT w.id FROM documents_workspace w WHERE w.uid = %(workspace)s))
AND (%(subtree)s::uuid IS NULL OR starts_with(d.path, (
     SELECT s.path FROM documents_document s WHERE s.uid = %(subtree)s AND /*subtree visible*/)))
AND (%(author)s::uuid IS NULL
     OR d.created_by_id = (SELECT u.id FROM accounts_user u WHERE u.uid = %(author)s))
AND (%(tag)s::text IS NULL OR %(tag)s = ANY(d.tags))
AND (%(language)s::text IS NULL OR d.language = %(language)s)
AND (%(updated_gte)s::timestamptz IS NULL OR d.updated_at >= %(updated_gte)s)
AND (%(updated_lte)s::timestamptz IS NULL OR d.updated_at <= %(updated_lte)s)
AND /*visible*/""".replace("/*subtree visible*/", visible_sql("s")).replace("/*visible*/", VISIBLE_SQL)

_COLUMNS = "d.id, d.updated_at, d.workspace_id, d.created_by_id, d.tags, d.state, d.language"

# Few documents match: all of them, by the text index, fenced from the planner.
_MATCHED_FIRST = """
SELECT /*columns*/, matched.config FROM (
  SELECT b.document_id, w.config FROM wanted w
  JOIN documents_documentbody b ON b.search_vector @@ w./*query*/ AND b.search_config = w.config
  OFFSET 0
) matched JOIN documents_document d ON d.id = matched.document_id
WHERE /*filters*/"""

# The reader sees few documents: all of them, each asked whether it matches.
_VISIBLE_FIRST = """
SELECT d.*, matched.config FROM (
  SELECT /*columns*/ FROM documents_document d WHERE /*filters*/ OFFSET 0
) d CROSS JOIN LATERAL (
  SELECT w.config FROM documents_documentbody b
  JOIN wanted w ON w.config = b.search_config AND b.search_vector @@ w./*query*/
  WHERE b.document_id = d.id LIMIT 1
) matched"""

# Many of both: the newest of what is visible, up to a number of hits; LATERAL keeps the order of the walk.
_NEWEST_FIRST = """
SELECT d.*, matched.config FROM (
  SELECT /*columns*/ FROM documents_document d WHERE /*filters*/
  ORDER BY d.updated_at DESC, d.id DESC LIMIT %(window)s
) d CROSS JOIN LATERAL (
  SELECT w.config FROM documents_documentbody b
  JOIN wanted w ON w.config = b.search_config AND b.search_vector @@ w./*query*/
  WHERE b.document_id = d.id LIMIT 1
) matched LIMIT %(candidates)s"""

# BM25 (Robertson and Zaragoza 2009) with k1 = 1.2, b = 0.75 over weighted term frequencies: for a query of
# one term ts_rank_cd without normalisation is the sum of the weights of its occurrences, at the speed of C.
_RELEVANCE = """
SELECT h.*, (h.tier * 10000 + CASE WHEN b.search_vector @@ w.in_title THEN 1000 ELSE 0 END
  + coalesce(bm25.score, 0))::numeric(12, 4) AS key
FROM hits h
JOIN documents_documentbody b ON b.document_id = h.id
JOIN wanted w ON w.config = h.config
CROSS JOIN LATERAL (
  SELECT sum(t.weight * f.n * 2.2 / (f.n + 1.2 * (0.25 + 0.75 * b.search_length / w.average))) AS score
  FROM unnest(%(term_configs)s::text[], %(term_queries)s::tsquery[], %(term_weights)s::float8[])
    AS t(config, query, weight)
  CROSS JOIN LATERAL (SELECT 10 * ts_rank_cd('{0.1, 0.1, 0.25, 0.5}', b.search_vector, t.query) AS n) f
  WHERE t.config = h.config
) bm25"""

_BY_UPDATE = """
SELECT h.*, (h.tier * 1e17 + extract(epoch FROM h.updated_at) * 1000000)::numeric(20, 4) AS key FROM hits h"""

# Headlines for the page's rows alone, on a window around the first word found; the marks are control
# characters, which are taken out of the text before, so that the caller can escape the rest.
_HITS = """
WITH wanted AS MATERIALIZED (
  SELECT config, all_words, in_title, average,
    CASE WHEN numnode(to_tsquery(config::regconfig, %(marked)s)) = 0 THEN to_tsquery('cs_simple', %(marked)s)
      ELSE to_tsquery(config::regconfig, %(marked)s) END AS marked,
    CASE WHEN any_terms <> '' THEN to_tsquery(config::regconfig, any_terms) END AS any_word
  FROM unnest(%(configs)s::text[], %(all_words)s::tsquery[], %(in_title)s::tsquery[], %(any_terms)s::text[],
    %(averages)s::float8[]) AS w(config, all_words, in_title, any_terms, average)
), strict AS MATERIALIZED (
  SELECT found.*, 1 AS tier FROM (/*strict*/) found
), loose AS MATERIALIZED (
  SELECT found.*, 0 AS tier FROM (/*loose*/) found
  WHERE %(loosely)s AND (SELECT count(*) FROM strict) < %(enough)s
    AND NOT EXISTS (SELECT FROM strict WHERE strict.id = found.id)
), hits AS MATERIALIZED (
  SELECT * FROM strict UNION ALL (SELECT * FROM loose ORDER BY updated_at DESC LIMIT %(candidates)s)
), ranked AS (/*ranked*/
), page AS MATERIALIZED (
  SELECT id, config, key FROM ranked
  WHERE %(after_key)s::numeric IS NULL
    OR (key * %(sign)s, id * %(sign)s) < (%(after_key)s * %(sign)s, %(after_id)s * %(sign)s)
  ORDER BY key * %(sign)s DESC, id * %(sign)s DESC LIMIT %(limit)s
), facet AS (
  SELECT 'workspace' AS name, w.uid::text AS value, n FROM (
    SELECT workspace_id, count(*) AS n FROM hits GROUP BY 1 ORDER BY 2 DESC LIMIT %(facet_values)s
  ) g JOIN documents_workspace w ON w.id = g.workspace_id
  UNION ALL SELECT 'author', u.uid::text, n FROM (
    SELECT created_by_id, count(*) AS n FROM hits GROUP BY 1 ORDER BY 2 DESC LIMIT %(facet_values)s
  ) g JOIN accounts_user u ON u.id = g.created_by_id
  UNION ALL (SELECT 'tag', tag, count(*) FROM hits, unnest(tags) AS tag GROUP BY 2 ORDER BY 3 DESC, 2
             LIMIT %(facet_values)s)
  UNION ALL (SELECT 'state', state, count(*) FROM hits GROUP BY 2)
  UNION ALL (SELECT 'language', language, count(*) FROM hits GROUP BY 2 ORDER BY 3 DESC, 2
             LIMIT %(facet_values)s)
)
SELECT (SELECT count(*) FROM hits), (SELECT count(*) FROM strict),
  (SELECT coalesce(json_agg(json_build_array(name, value, n)), '[]') FROM facet)::text,
  (SELECT coalesce(json_agg(json_build_array(p.id, p.key::text,
      ts_headline(w.config::regconfig, translate(d.title, E'\\x01\\x02', ''), w.marked,
        E'HighlightAll=true, StartSel="\\x01", StopSel="\\x02"'),
      ts_headline(w.config::regconfig, translate(shown.content, E'\\x01\\x02', ''), w.marked,
        E'MaxWords=40, MinWords=20, ShortWord=2, MaxFragments=1, StartSel="\\x01", StopSel="\\x02"')
    ) ORDER BY p.key * %(sign)s DESC, p.id * %(sign)s DESC), '[]')
   FROM page p
   JOIN wanted w ON w.config = p.config
   JOIN documents_document d ON d.id = p.id
   JOIN documents_documentbody b ON b.document_id = p.id
   CROSS JOIN LATERAL (SELECT left(b.content, 20000) AS content) body
   CROSS JOIN LATERAL (
     SELECT CASE WHEN at IS NULL THEN body.content ELSE substr(body.content, greatest(at - 150, 1), 500) END
     FROM (SELECT (SELECT strpos(lower(body.content), needle)
                   FROM unnest(%(needles)s::text[]) WITH ORDINALITY AS n(needle, i)
                   WHERE strpos(lower(body.content), needle) > 0 ORDER BY i LIMIT 1) AS at) first
   ) shown(content))::text
"""


def _hits_sql(candidates: str, ranked: str) -> str:
    strict = candidates.replace("/*query*/", "all_words")
    loose = candidates.replace("/*query*/", "any_word")
    text = _HITS.replace("/*strict*/", strict).replace("/*loose*/", loose).replace("/*ranked*/", ranked)
    return text.replace("/*columns*/", _COLUMNS).replace("/*filters*/", _FILTERS)


# By the way to the candidates, then by `sort`.
HITS_SQL = {
    way: {"relevance": _hits_sql(candidates, _RELEVANCE), "updated": _hits_sql(candidates, _BY_UPDATE)}
    for way, candidates in {
        "matched": _MATCHED_FIRST,
        "visible": _VISIBLE_FIRST,
        "newest": _NEWEST_FIRST,
    }.items()
}

# Words like a misspelt one, nearest first, then the more common.
SIMILAR_SQL = """
SELECT l.word FROM documents_lexeme l
WHERE l.config = %(config)s AND l.word %% %(word)s AND l.word <> %(word)s
ORDER BY similarity(l.word, %(word)s) DESC, l.documents DESC, l.word LIMIT %(limit)s
"""

SUGGEST_SQL = """
WITH matched AS MATERIALIZED (
  SELECT b.document_id FROM (
    SELECT config, to_tsquery(config::regconfig, %(in_title)s) AS query
    FROM unnest(%(configs)s::text[]) AS config
  ) w JOIN documents_documentbody b ON b.search_vector @@ w.query AND b.search_config = w.config
)
SELECT d.uid, d.title, w.uid FROM matched m
JOIN documents_document d ON d.id = m.document_id
JOIN documents_workspace w ON w.id = d.workspace_id
WHERE d.trashed_at IS NULL AND NOT d.template AND d.state <> 'archived' AND /*visible*/
ORDER BY starts_with(lower(d.title), lower(%(typed)s)) DESC, d.updated_at DESC, d.id DESC LIMIT %(limit)s
""".replace("/*visible*/", VISIBLE_SQL)
