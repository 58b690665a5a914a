"""Names as strangers give them, made harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.file_names import MOST_BYTES, name_safe

NAMES = {
    "report.pdf": "report.pdf",
    "Übersicht für März.pdf": "Übersicht für März.pdf",
    "報告書.docx": "報告書.docx",
    "\u0645\u06cc\u200c\u062e.txt": "\u0645\u06cc\u200c\u062e.txt",
    "👩\u200d🚀.png": "👩\u200d🚀.png",
    "archive.tar.gz": "archive.tar.gz",
    "invoice.pdf.exe": "invoice.pdf.exe",
    # Parts of a path, of any system.
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\system.ini": "system.ini",
    "C:\\Users\\me\\a.txt": "a.txt",
    "a/b\\c.txt": "c.txt",
    "/": "unnamed",
    "..": "unnamed",
    ".\u202e.": "unnamed",
    "": "unnamed",
    " . . ": "unnamed",
    # Letters composed or not are one name.
    "u\u0308.txt": "ü.txt",
    # Controls, and what turns the direction: without this one would be shown as annexeexe.jpg.
    "annexe\u202egpj.exe": "annexegpj.exe",
    "\u2066a\u2069.txt": "a.txt",
    "a\r\nSet-Cookie: x=1.txt": "aSet-Cookie_ x=1.txt",
    "a\0.png": "a.png",
    "..\0/..\0/a.txt": "a.txt",
    "\ufeffa\u200b\ufffe\ud800.txt": "a.txt",
    "a\u2028b.txt": "a b.txt",
    # What hides the suffix.
    "photo.jpg" + " " * 200 + ".exe": "photo.jpg .exe",
    "evil.exe. . ": "evil.exe",
    ".htaccess": "htaccess",
    # What Windows takes for something else.
    "CON": "_CON",
    "con.txt": "_con.txt",
    "Aux .tar.gz": "_Aux .tar.gz",
    "LPT¹.txt": "_LPT¹.txt",
    "conin$": "_conin$",
    "console.txt": "console.txt",
    "a.txt:stream": "a.txt_stream",
    'a"b<c>|d?.txt': "a_b_c__d_.txt",
}


@pytest.mark.parametrize(("given_name", "safe"), NAMES.items(), ids=repr)
def test_name_is_made_safe(given_name: str, safe: str) -> None:
    """Each hostile name, and what is left of it; ordinary names stay."""
    assert name_safe(given_name) == safe


def test_long_name_keeps_its_suffix() -> None:
    """Cut by bytes between two letters, never within one."""
    name = name_safe("é" * 300 + ".pdf")
    assert name.endswith("é.pdf")
    assert MOST_BYTES - 1 <= len(name.encode()) <= MOST_BYTES


def test_long_suffix_is_none() -> None:
    """A name that is one suffix is cut like any other."""
    assert name_safe("a." + "b" * 400) == "a." + "b" * (MOST_BYTES - 2)


@given(
    st.text(st.characters(exclude_categories=()), max_size=300) | st.text("./\\ con:\u202e\0é", max_size=600)
)
def test_every_name_is_safe_and_stays(text: str) -> None:
    """Whatever comes: short, one part, composed, visible; and what is safe is not changed again."""
    name = name_safe(text)
    assert 0 < len(name.encode()) <= MOST_BYTES
    assert not set(name) & set('/\\<>:"|?*')
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in name)
    assert name == name.strip(". ") == unicodedata.normalize("NFC", name) == name_safe(name)
