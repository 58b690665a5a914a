"""Which text search configuration a language gets, and how text without spaces becomes words."""

from __future__ import annotations

import re

SIMPLE = "cs_simple"

# Those of PostgreSQL 15; each has a twin `cs_<name>` that folds accents first.
_STEMMED = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
CONFIGURATIONS = (SIMPLE, *(f"cs_{name}" for name in sorted(set(_STEMMED.values()))))

# Han, kana, Thai, Lao, Khmer, Myanmar: scripts whose words no space parts.
_SPACELESS = (
    "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\u0e01-\u0e4e\u0e81-\u0ece\u1780-\u17d3\u1000-\u109f\U00020000-\U0002fa1f"
)
_SPACELESS_RUN = re.compile(f"[{_SPACELESS}]+")


def configuration_for(language: str) -> str:
    """The text search configuration of a language tag (RFC 5646); its first part decides."""
    name = _STEMMED.get(language.partition("-")[0].lower())
    return f"cs_{name}" if name else SIMPLE


def bigrams(run: str) -> list[str]:
    """The overlapping pairs of letters of a run without spaces."""
    return [run[i : i + 2] for i in range(len(run) - 1)]


def spaced(text: str) -> str:
    """The text with runs of spaceless scripts as pairs of letters, each run's last letter alone as well.

    So a query of one letter finds what starts with it, and one of several finds them in a row.
    """
    return _SPACELESS_RUN.sub(lambda run: " " + " ".join([*bigrams(run[0]), run[0][-1]]) + " ", text)


def has_spaceless(text: str) -> bool:
    """Whether the text holds letters of a script without spaces."""
    return _SPACELESS_RUN.search(text) is not None


def spaceless_parts(word: str) -> list[tuple[str, bool]]:
    """A word cut into parts, each with whether it is of a spaceless script."""
    parts, end = [], 0
    for run in _SPACELESS_RUN.finditer(word):
        if run.start() > end:
            parts.append((word[end : run.start()], False))
        parts.append((run[0], True))
        end = run.end()
    if end < len(word):
        parts.append((word[end:], False))
    return parts
