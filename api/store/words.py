"""Words as the index has them: the same on SQLite and PostgreSQL, because neither divides or folds any text itself."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

__all__ = ["facet", "folded", "words_of"]

_WORD = re.compile(r"[^\W_]+")
_MOST_WORDS = 500
_LONGEST_WORD = 40


def folded(text: str) -> str:
    """Return text without case and accents."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def words_of(text: str) -> list[str]:
    """Return the words of a text as ASCII letters and digits; what is neither is spelt by its number.

    The beginning of a word is spelt as the beginning of its spelling, so that either can be looked for.
    """
    found = _WORD.findall(folded(text))[:_MOST_WORDS]
    return ["".join(_spelt(letter) for letter in word[:_LONGEST_WORD]) for word in found]


def facet(kind: str, values: Sequence[str]) -> list[str]:
    """Return a word for each value of a facet, such as the tag `crunch`, that no text can spell."""
    return [f"x{hashlib.blake2s(f'{kind}:{folded(value)}'.encode(), digest_size=10).hexdigest()}" for value in values]


def _spelt(letter: str) -> str:
    return letter if letter.isascii() else f"{ord(letter):06x}"
