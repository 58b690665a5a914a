"""What people type into the search box, as queries that PostgreSQL reads.

`"a phrase"`, `this OR that`, `-without`, and the last word may be unfinished. Whatever is typed is a query:
there is no syntax error.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator

from documents.search.languages import bigrams, has_spaceless, spaced, spaceless_parts

MAX_LENGTH = 500
MAX_TERMS = 32
# One letter stands at the start of thousands of words.
_SHORTEST_PREFIX = 2

_PART = re.compile(r"""(?P<minus>-)?(?:"(?P<phrase>[^"]*)(?:"|$)|(?P<word>[^\s"]+))""")
_NO_LETTERS = re.compile(r"[\W_]*")
_ESCAPED = re.compile(r"['\\]")


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase that is looked for; `prefix` where it may go on."""

    text: str
    phrase: bool = False
    prefix: bool = False

    @property
    def words(self) -> list[str]:
        """Its words."""
        return self.text.split()

    def to_tsquery(self) -> str:
        """The term in the language of `to_tsquery`, each operand quoted."""
        if not self.phrase and has_spaceless(self.text):
            return "(" + " & ".join(self._spaceless()) + ")"
        return _operand(self._phrase(), prefix=self.prefix)

    def _phrase(self) -> str:
        """The text as vectors hold it; of a run at the end, which may go on, no last letter alone."""
        *inner, (last, spaceless) = spaceless_parts(self.text)
        ending = " ".join(bigrams(last)) or last if spaceless else last
        return " ".join((spaced("".join(part for part, _ in inner)) + ending).split())

    def _spaceless(self) -> Iterator[str]:
        for part, spaceless in spaceless_parts(self.text):
            if spaceless:
                pairs = bigrams(part)
                yield _operand(" ".join(pairs) or part, prefix=not pairs)
            elif not _NO_LETTERS.fullmatch(part):
                yield _operand(part, prefix=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """All of `clauses` are wanted, of each clause one term; none of `excluded`."""

    clauses: tuple[tuple[Term, ...], ...]
    excluded: tuple[Term, ...] = ()

    @property
    def terms(self) -> list[Term]:
        """What is looked for, in the order in which it was typed, each once."""
        return list(dict.fromkeys(term for clause in self.clauses for term in clause))

    def all_words(self) -> str:
        """What holds for a document that has all that is wanted, for `to_tsquery`; empty without terms."""
        return self._with_excluded(" & ".join(_either(clause) for clause in self.clauses))

    def any_word(self, terms: Iterable[Term]) -> str:
        """What holds for a document that has one of `terms`, which are some of this query's."""
        return self._with_excluded(_either(list(terms)))

    def marked(self) -> str:
        """What is to be marked in what was found: any of the words, whatever is excluded."""
        return _either(self.terms)

    def beginnings(self) -> str:
        """What holds for a title in which all that is wanted begins words, phrases apart, which are whole."""
        return " & ".join(_either([_unfinished(term) for term in clause]) for clause in self.clauses)

    def replaced(self, word: str, by: str) -> Query:
        """The query with one word exchanged for another, complete one."""
        return Query(
            tuple(tuple(_replaced(term, word, by) for term in clause) for clause in self.clauses),
            self.excluded,
        )

    def __str__(self) -> str:
        """The query as somebody would type it."""
        wanted = [" OR ".join(_typed(term) for term in clause) for clause in self.clauses]
        return " ".join([*wanted, *(f"-{_typed(term)}" for term in self.excluded)])

    def _with_excluded(self, wanted: str) -> str:
        if not wanted or not self.excluded:
            return wanted
        return " & ".join([f"({wanted})", *(f"!{term.to_tsquery()}" for term in self.excluded)])


def parse_query(text: str) -> Query:
    """Read what was typed: up to 32 terms of the first 500 characters."""
    clauses: list[tuple[Term, ...]] = []
    excluded: list[Term] = []
    joined = False
    parts = list(_parts(text[:MAX_LENGTH]))
    for index, (negative, term) in enumerate(parts[:MAX_TERMS]):
        if term is None:
            joined = bool(clauses)
            continue
        last = index == len(parts) - 1 and not term.phrase and not negative
        if last:
            term = _unfinished(term)  # noqa: PLW2901 (the same term, now known to be the last)
        if negative:
            excluded.append(term)
        elif joined:
            clauses[-1] = (*clauses[-1], term)
        else:
            clauses.append((term,))
        joined = False
    return Query(tuple(clauses), tuple(excluded))


def _parts(text: str) -> Iterator[tuple[bool, Term | None]]:
    """Whether excluded, and the term; None for an OR."""
    for match in _PART.finditer(text):
        shown = match["phrase"] if match["word"] is None else match["word"]
        if match["word"] == "OR" and not match["minus"]:
            yield False, None
        elif not _NO_LETTERS.fullmatch(shown):
            yield bool(match["minus"]), Term(" ".join(shown.split()), phrase=match["word"] is None)


def _operand(text: str, *, prefix: bool) -> str:
    return "'" + _ESCAPED.sub(r"\g<0>\g<0>", text) + "'" + (":*" if prefix else "")


def _unfinished(term: Term) -> Term:
    """The term where it may go on, unless it is a phrase or too short."""
    if term.phrase or len(term.text) < _SHORTEST_PREFIX:
        return term
    return dataclasses.replace(term, prefix=True)


def _either(terms: Iterable[Term]) -> str:
    parts = [term.to_tsquery() for term in terms]
    return parts[0] if len(parts) == 1 else "(" + " | ".join(parts) + ")" if parts else ""


def _replaced(term: Term, word: str, by: str) -> Term:
    if word not in term.words:
        return term
    return Term(" ".join(by if own == word else own for own in term.words), phrase=term.phrase)


def _typed(term: Term) -> str:
    return f'"{term.text}"' if term.phrase else term.text
