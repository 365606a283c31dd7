"""What somebody looks for on the library page, as its form and its links say it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

__all__ = ["Browsing"]


@dataclass(frozen=True, kw_only=True)
class Browsing:
    """The pairs of a query, without what is empty: forms send every field, also those that nobody filled in."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Browsing":
        """Return a query's pairs that say something."""
        return cls(pairs=tuple((name, value) for name, value in pairs if value.strip()))

    def value(self, name: str) -> str:
        """Return what is asked for of one name; lists joined by commas."""
        return ", ".join(value for each, value in self.pairs if each == name)

    def lists(self) -> dict[str, Sequence[str] | str]:
        """Return what is asked for by name: a text, or a list where the name comes more than once."""
        found: dict[str, list[str]] = {}
        for name, value in self.pairs:
            found.setdefault(name, []).append(value)
        return {name: values if len(values) > 1 else values[0] for name, values in found.items()}

    def link(self, **changed: str | int | None) -> str:
        """Return the path of the same with something else of some names; None leaves a name out."""
        kept = [(name, value) for name, value in self.pairs if name not in changed]
        query = urlencode(kept + [(name, str(value)) for name, value in changed.items() if value is not None])
        return f"/?{query}" if query else "/"
