"""The world's people and prose, the same for the same number: about 3 KB of Markdown a document."""

from __future__ import annotations

import itertools
import random

PASSWORD = "bench-Reader-4711"  # noqa: S105 (of a world that is thrown away)
# Each stands in about every 25th document: a reader of 800 finds more than a page of 20.
TOPICS = ("migration", "harbour", "ledger", "orchard", "turbine", "compass", "granary", "lantern")
_BYTES = 3000
_COMMON = """
the a of and to in is that it for was on are as with they be at one have this from or had by not but
what some we can out other were all there when up use your how said an each she which do their time
if will way about many then them write would like so these her long make thing see him two has look
more day could go come did number sound no most people my over know water than call first who may
down side been now find any new work part take get place made live where after back little only
round man year came show every good me give our under name very through just form sentence great
think say help low line differ turn cause much mean before move right boy old too same tell does set
three want air well also play small end put home read hand port large spell add even land here must
big high such follow act why ask men change went light kind off need house picture try us again
animal point mother world near build self earth father head stand own
""".split()  # noqa: SIM905 (a list of 190 strings is no better to read)
_SYLLABLES = ("ba", "cor", "del", "fin", "gra", "hel", "jun", "kal", "lem", "mor", "nes", "pol", "ras", "vul")
# 2,744 rarer words, so that the index has a tail as real text has.
_RARE = ["".join(parts) for parts in itertools.product(_SYLLABLES, repeat=3)]
_VOCABULARY = _COMMON + _RARE
_WEIGHTS = list(itertools.accumulate(1 / rank for rank in range(1, len(_VOCABULARY) + 1)))


def address(number: int) -> str:
    """The e-mail address of person `number`, 1 or more."""
    return f"bench{number}@example.org"


def title(number: int) -> str:
    """The title of document `number`."""
    dice = random.Random(number)
    return f"{dice.choice(_RARE).capitalize()} and {dice.choice(_RARE)} {number}"


def body(number: int) -> str:
    """The Markdown of document `number`."""
    dice = random.Random(-number - 1)
    parts = [f"Notes on {TOPICS[number % len(TOPICS)] if number % 3 == 0 else dice.choice(_RARE)}."]
    size = 0
    while size < _BYTES:
        if len(parts) % 4 == 1:
            parts.append(f"## {' '.join(dice.choices(_VOCABULARY, cum_weights=_WEIGHTS, k=4)).capitalize()}")
        sentence = " ".join(dice.choices(_VOCABULARY, cum_weights=_WEIGHTS, k=70)).capitalize()
        parts.append(f"{sentence}.")
        size += len(sentence) + 40
    return "\n\n".join(parts) + "\n"
