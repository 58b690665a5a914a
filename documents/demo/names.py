"""The words that the demo world's people, teams and documents are made of."""

from __future__ import annotations

import itertools


def _list(words: str) -> list[str]:
    return words.split()


GIVEN = _list("""
Ada Amir Anneke Bela Carmen Chidi Dilek Elif Emeka Farid Freya Goran Hana Ines Ivo Jamila Joon Kaito Lena
Luca Mateo Mei Nadia Nils Olga Omar Paula Petra Quentin Rania Rosa Samir Sanna Tariq Thea Uma Viktor Wanda
Yara Zoe
""")
FAMILY = _list("""
Abara Becker Castillo Dahl Eriksen Farkas Gallo Haddad Ivanova Jansen Kaya Lindqvist Moreau Nakamura Okafor
Petrov Quist Rossi Santos Tanaka Ulrich Varga Weber Xu Yilmaz Zieba
""")

NOUNS = _list("""
team plan report week customer service question answer release page note meeting budget contract project
process schedule supplier order draft review decision draughtsman record index engine garden bridge harvest
workshop river station letter archive map signal valve pump cable panel door window roof floor wall yard
crate barrel sample test measure method result figure table summary chapter lesson course student teacher
member guest visitor partner agent office desk room key lock cart truck route stop depot shelf label stamp
price cost margin invoice payment refund ticket request reply queue batch shift break weekend winter summer
spring autumn storm tide wind current depth channel lighthouse anchor sail mast deck crew captain cook
engineer gardener carpenter painter baker miller weaver tailor smith mason glazier potter tanner cooper
""")
VERBS = _list("""
needs follows checks describes replaces keeps opens closes carries measures repairs improves delays explains
confirms supports changes moves collects compares sends receives counts sorts marks lists signs orders
delivers returns covers protects cleans paints plans reviews rejects approves extends shortens limits
""")
ADJECTIVES = _list("""
new first last open small large early late good better quiet common careful steady simple narrow wide deep
shallow bright dark warm cold dry wet heavy light spare shared local remote annual monthly weekly daily
northern southern eastern western wooden copper paper digital manual regular urgent minor major
""")
ADVERBS = _list("again today slowly quickly twice often rarely carefully together early late first")

_SYLLABLES = ("ba", "cor", "del", "fin", "gra", "hel", "jun", "kal", "lem", "mor", "nes", "pol", "ras", "vul")
# 2,744 names of places and products, so that the words have a long tail as those of a real text have.
PLACES = ["".join(parts) for parts in itertools.product(_SYLLABLES, repeat=3)]

# Each stands in about every 24th document: who sees 800 finds more than a page of 20.
TOPICS = ("migration", "orchard", "ledger", "turbine", "compass", "granary", "lantern", "harbour")
# One in some 1,000 documents has the first, every fourth the second, every fiftieth the third.
RARE, COMMON, PHRASE = "astrolabe", "regatta", "tidal almanac"


def person_name(number: int) -> str:
    """The name of person `number`, 1 or more."""
    return f"{GIVEN[number % len(GIVEN)]} {FAMILY[number // len(GIVEN) % len(FAMILY)]}"


def address(number: int) -> str:
    """The e-mail address of person `number`, 1 or more."""
    return f"demo{number}@example.org"


OWNER_ADDRESS = "world-owner@example.org"

# The large world's workspaces; the small one has a single one of another name.
ROOM_NAMES = (
    *("Library", "Finance", "Engineering", "Operations", "Sales", "Marketing", "Legal", "People", "Support"),
    *(
        "Research",
        "Design",
        "Procurement",
        "Logistics",
        "Quality",
        "Safety",
        "Facilities",
        "Training",
        "Press",
    ),
    *(
        "Partners",
        "Projects",
        "Planning",
        "Harbour office",
        "Workshop",
        "Archive",
        "Fleet",
        "Energy",
        "Water",
    ),
    *("Security", "Events", "Board"),
)
SMALL_ROOM = "Demo world"


def slug(room: str) -> str:
    """The slug of a workspace of the demo world."""
    return room.lower().replace(" ", "-") if room == SMALL_ROOM else f"demo-{room.lower().replace(' ', '-')}"
